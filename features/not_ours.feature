@live
Feature: Is it ours?
  A rollback only helps where the release is to blame. What looks the same from outside, but has
  another cause, must not be rolled back.

  Scenario Outline: <fault> is not the release's doing
    Given clients use the pagination release
    And the service suffers from "<fault>"
    When the drill is held
    Then somebody else than the detector saw "<symptom>"
    And the trigger "<trigger>" fires
    And the decision is not to roll back, since <cause>
    And clients are served well again once the cause is gone
    And no acknowledged write is lost
    And the drill has passed

    Examples: One of them
      | fault           | symptom      | trigger         | cause                   |
      | garbage-cursors | answered 400 | Error Rate >10% | one client is the cause |

    @wide
    Examples: What clients meet are errors
      | fault                 | symptom                           | trigger         | cause                             |
      | postgres-down         | does not answer its administrator | Error Rate >10% | the database server is the cause  |
      | neighbour-connections | sessions of others                | Error Rate >10% | the database server is the cause  |
      | slow-database         | wait for a lock                   | Error Rate >10% | the database server is the cause  |
      | lost-load-balancer    | front door 503                    | Error Rate >10% | the way to the hosts is the cause |
      | keyless-client        | answered 401                      | Error Rate >10% | one client is the cause           |

    @wide
    Examples: What clients meet is slowness
      | fault                 | symptom                           | trigger                     | cause                             |
      | slow-network          | through the front door            | Performance Degradation >3x | the way to the hosts is the cause |
