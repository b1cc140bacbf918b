@live
Feature: The procedures of the runbook
  Every procedure is performed by its own code blocks, on a broken release, under traffic.

  Scenario: The application rollback puts the stable release in place
    Given clients use the pagination release
    And the release suffers from "connection-exhaustion"
    When the drill is held
    Then Procedure 1 was performed in this order:
      | step                           |
      | Enter maintenance              |
      | Identify the stable release    |
      | Revert the code                |
      | Restart the application        |
      | Verify before clients return   |
      | Leave maintenance              |
      | Monitor                        |
    And clients got no answer while maintenance lasted
    And clients are served in the old format
    And every checkbox of "Procedure 1" holds
    And the drill has passed

  Scenario: The full rollback takes the database back as well
    Given clients use the pagination release
    And the release suffers from "connection-exhaustion"
    And the operator chooses Procedure 2
    When the drill is held
    Then Procedure 2 was performed in this order:
      | step                                          |
      | Prerequisites                                 |
      | Enter maintenance                             |
      | Identify the stable release                   |
      | Stop the application and take a safety backup |
      | Revert the migrations                         |
      | Revert the code                               |
      | Restart the application                       |
      | Verify before clients return                  |
      | Leave maintenance                             |
      | Monitor                                       |
    And the report shows Procedure 2 as the operator's choice, beside the diagnosis of Procedure 1
    And every checkbox of "Procedure 2" holds
    And no acknowledged write is lost
    And the drill has passed

  @smoke
  Scenario: The feature flag switches pagination off without a restart
    Given clients use the pagination release
    And the release suffers from "invalid-cursors"
    When the drill is held
    Then Procedure 3 was performed in this order:
      | step                               |
      | Switch pagination off              |
      | Verify that the feature is off     |
    And clients are served in the old format
    And every checkbox of "Procedure 3" holds
    And the drill has passed
