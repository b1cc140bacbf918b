@live
Feature: A rollback that does not work is found out
  The drill must turn red for the very thing that is broken, before an incident does.

  Rule: Defects of the runbook

    @simulated
    Scenario: The checkout is missing
      Given clients use the pagination release
      And the release suffers from "connection-exhaustion"
      And the runbook lacks the line "git checkout --quiet -b"
      When the drill is held
      Then the drill has failed, naming "The code is reverted to the stable release"

    @simulated
    Scenario: A command is misspelled
      Given clients use the pagination release
      And the release suffers from "invalid-cursors"
      And the runbook says "supervisorctrl" for "supervisorctl"
      When the drill is held
      Then the drill has failed, naming "Switch pagination off"

    @simulated
    Scenario: A step cannot be done in the time that it has
      Given clients use the pagination release
      And the release suffers from "invalid-cursors"
      And the runbook says "feature is off (0.01 seconds)" for "feature is off (1 minute)"
      When the drill is held
      Then the drill has failed, naming "Verify that the feature is off"

  Rule: Defects of the stable release

    Scenario: The stable release cannot serve reservations
      Given clients use the pagination release
      And the release suffers from "connection-exhaustion"
      And the stable release cannot serve reservations
      When the drill is held
      Then the drill has failed, naming "API requests succeed"
