@live
Feature: Verification after a rollback
  A rollback counts only when every item of the runbook's last checklist was observed to hold.

  Scenario Outline: The checklist after "<fault>" was rolled back
    Given clients use the pagination release
    And the release suffers from "<fault>"
    When the drill is held
    Then these items of "Final verification" hold, with evidence:
      | item                             |
      | /health answers with status 200  |
      | All API endpoints work           |
      | Error rate <1%                   |
      | Response time p95 <500ms         |
      | Memory usage is stable           |
      | Database queries work            |
      | Authentication works             |
      | No errors in the application log |
      | No errors in the database log    |
      | Metrics are being collected      |
      | Dashboards show normal levels    |
    And these items of "Preparation" hold, with evidence:
      | item                                                                                |
      | Confirm the issue: the evidence points at the pagination release                    |
      | Notify the team: #oncall and #engineering have the message                          |
      | Open an incident: the ticket names its severity                                     |
      | Document the state: metrics, logs and example errors are kept as files              |
      | Tag the deployment: git has a tag for what runs now                                 |
      | Identify the stable release: v0.0.9 exists, is older than what runs now, and the changelog lists it |
      | Tell stakeholders: they know that a rollback is coming                              |

    Examples:
      | fault                 |
      | invalid-cursors       |
      | connection-exhaustion |
      | cursor-cache-leak     |
