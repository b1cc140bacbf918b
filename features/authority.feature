@live @simulated
Feature: Who may start a rollback
  The runbook's table of authority decides by severity.

  Scenario: A role that may not is refused with the table's line
    Given clients use the pagination release
    And the release suffers from "error-rate-high"
    And the rollback is started by "On-call engineer"
    When the drill is held
    Then no procedure was performed
    And the drill has failed, naming "Engineering Lead or above"
