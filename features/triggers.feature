@live @wide
Feature: Every trigger of the runbook
  Each trigger's real cause is planted, its symptom is seen by somebody independent, and the answer is
  the one of the runbook's tier.

  Scenario Outline: <trigger> calls for a rollback: <fault>
    Given clients use the pagination release
    And the runbook's waits are shortened 80 times
    And the release suffers from "<fault>"
    When the drill is held
    Then somebody else than the detector saw "<symptom>"
    And the trigger "<trigger>" fires
    And the answer is to "<answer>"
    And no acknowledged write is lost
    And the drill has passed

    Examples: Critical
      | trigger                  | fault               | symptom              | answer                   |
      | Data Corruption          | data-corruption     | have a cut name      | roll back at once        |
      | Security Breach          | auth-bypass         | without a key        | roll back at once        |
      | Security Breach          | data-exposure       | shows a secret       | roll back at once        |
      | Complete Service Failure | frozen-service      | no answer            | roll back at once        |
      | Error Rate >10%          | error-rate-critical | were answered 500    | roll back at once        |
      | P0 Incident              | p0-incident         | listings is empty    | roll back at once        |

    Examples: High
      | trigger                     | fault             | symptom             | answer                    |
      | Error Rate 5-10%            | error-rate-high   | were answered 500   | roll back within one hour |
      | Performance Degradation >3x | slow-pages-5x     | the healthy p95     | roll back within one hour |
      | Customer Escalations        | customer-tickets  | that there are 0    | roll back within one hour |
      | Monitoring Failure          | blind-monitoring  | 500                 | roll back within one hour |

  Scenario: Memory Leak calls for a rollback, when its kills come again
    Given clients use the pagination release
    And the release suffers from "cursor-cache-leak"
    When the drill is held
    Then the trigger "Memory Leak" fires
    And the drill has passed

  Scenario Outline: <trigger> is a matter to consider: <fault>
    Given clients use the pagination release
    And the runbook's waits are shortened 80 times
    And the release suffers from "<fault>"
    When the drill is held
    Then somebody else than the detector saw "<symptom>"
    And the trigger "<trigger>" fires
    And the decision is "monitor"
    And the answer is to "consider a rollback"
    And the drill has passed

    Examples: Medium
      | trigger                      | fault             | symptom             |
      | Error Rate 1-5%              | error-rate-medium | were answered 500   |
      | Performance Degradation 2-3x | slow-pages-2x     | the healthy p95     |
      | Feature Broken               | repeated-pages    | twice               |
      | Feature Broken               | skipped-pages     | missed              |
      | Feature Broken               | endless-pages     | twice               |

  Scenario: Low Adoption is a matter to consider, after a day
    Given clients use the pagination release
    And a day of the runbook lasts 10 seconds
    And the release suffers from "low-adoption"
    When the drill is held
    Then somebody else than the detector saw "asked for by cursor"
    And the trigger "Low Adoption" fires
    And the decision is "monitor"
    And the answer is to "consider a rollback"
    And the drill has passed

  Scenario: What the failing release damages is told apart from what the rollback loses
    Given clients use the pagination release
    And the runbook's waits are shortened 80 times
    And the release suffers from "data-corruption"
    When the drill is held
    Then writes that the release damaged are told apart from lost ones

  Rule: Without its cause nothing fires, and nothing is claimed

    Scenario: A healthy release is left alone
      Given clients use the pagination release
      And the release suffers from "none"
      When the drill is held
      Then no trigger fires
      And the decision is "no action"
      And the drill has passed

    Scenario Outline: The cause of "<fault>" is missing, and <trigger> stays silent
      Given clients use the pagination release
      And the runbook's waits are shortened <times> times
      And the release suffers from "<fault>"
      But the cause is not planted
      When the drill is held
      Then no trigger fires
      And the drill is unknown, naming "did not bite"

      Examples: One of each trigger
        | trigger                      | fault               | times |
        | Data Corruption              | data-corruption     | 80    |
        | Security Breach              | auth-bypass         | 80    |
        | Complete Service Failure     | frozen-service      | 80    |
        | Error Rate >10%              | error-rate-critical | 80    |
        | P0 Incident                  | p0-incident         | 80    |
        | Error Rate 5-10%             | error-rate-high     | 80    |
        | Performance Degradation >3x  | slow-pages-5x       | 80    |
        | Memory Leak                  | cursor-cache-leak   | 80    |
        | Customer Escalations         | customer-tickets    | 80    |
        | Monitoring Failure           | blind-monitoring    | 80    |
        | Error Rate 1-5%              | error-rate-medium   | 80    |
        | Performance Degradation 2-3x | slow-pages-2x       | 80    |
        | Feature Broken               | repeated-pages      | 80    |
        | Low Adoption                 | low-adoption        | 17280 |
