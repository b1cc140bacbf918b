@live @wide
Feature: A rollback that loses nothing, and can prove it
  Procedure 2 takes the database back. Whatever goes wrong meanwhile, every acknowledged write is
  accounted for, and what the downgrade drops is kept.

  Scenario: The round trip gives back what the downgrade dropped
    Given clients use the pagination release
    And the runbook's waits are shortened 80 times
    And the release suffers from "error-rate-critical"
    And the operator chooses Procedure 2
    And the release is deployed again and rolled back once more
    When the drill is held
    Then Procedure 4 was performed in this order:
      | step                                        |
      | Enter maintenance                           |
      | Put the new code in place                   |
      | Migrate the database, and load what was kept |
      | Restart the application                     |
      | Verify before clients return                |
      | Leave maintenance                           |
      | Verify that pagination is on                |
    And what every procedure dropped comes back with Procedure 4
    And writes are knowingly dropped, and by no path lost
    And the cursors that customers kept were answered so:
      | moment            | answer     |
      | after Procedure 2 | began anew |
      | after Procedure 4 | went on    |
    And no acknowledged write is lost
    And the drill has passed

  Scenario: Cursors outlive the flag that was switched off and on again
    Given clients use the pagination release
    And the runbook's waits are shortened 80 times
    And the release suffers from "error-rate-critical"
    And the operator chooses Procedure 3
    And the release is deployed again and rolled back once more
    When the drill is held
    Then the cursors that customers kept were answered so:
      | moment            | answer     |
      | after Procedure 3 | began anew |
      | after Procedure 4 | went on    |
    And no acknowledged write is lost
    And the drill has passed

  Scenario Outline: Procedure 2 gets by with <hazard>
    Given clients use the pagination release
    And the runbook's waits are shortened 80 times
    And the release suffers from "error-rate-critical"
    And the operator chooses Procedure 2
    And "<hazard>" happens in the rollback
    When the drill is held
    Then the alternative of the runbook was <taken>
    And no acknowledged write is lost
    And the drill has passed

    Examples:
      | hazard                   | taken     |
      | downgrade-forbidden      | taken     |
      | downgrade-data-fails     | taken     |
      | downgrade-times-out      | taken     |
      | downgrade-connection-lost | taken    |
      | postgres-restarts        | not taken |
      | under-fire               | not taken |
      | dirty-tree               | not taken |

  Scenario: A downgrade under fire is measured, and who is in its way is named
    Given clients use the pagination release
    And the runbook's waits are shortened 80 times
    And the release suffers from "error-rate-critical"
    And the operator chooses Procedure 2
    And "under-fire" happens in the rollback
    When the drill is held
    Then the worst stall of a writer is known, and no write under fire is lost
    And the report names "nightly-report", who held AccessExclusiveLock on cursor_audit

  Scenario Outline: Procedure 2 stops at <hazard>, and says why
    Given clients use the pagination release
    And the release suffers from "error-rate-critical"
    And the operator chooses Procedure 2
    And "<hazard>" happens in the rollback
    When the drill is held
    Then the drill has failed, naming "<reason>"
    And no acknowledged write is lost

    Examples:
      | hazard             | reason                                        |
      | tag-missing        | Identify the stable release                   |
      | service-stays-down | Restart the application                       |

  Scenario: The signal of Procedure 3 reaches the service, and not the neighbour that looks like it
    Given clients use the pagination release
    And the release suffers from "invalid-cursors"
    And "neighbour-process" happens in the rollback
    When the drill is held
    Then Procedure 3 was performed in this order:
      | step                            |
      | Switch pagination off           |
      | Verify that the feature is off  |
    And every checkbox of "Procedure 3" holds
    And the neighbour lives on
    And the drill has passed

  Scenario Outline: A signal by <way> hits the neighbour as well, and fails the drill
    Given clients use the pagination release
    And the release suffers from "invalid-cursors"
    And "neighbour-process" happens in the rollback
    And the runbook says "<signal>" for "supervisorctl -c "$SUPERVISOR_CONF" signal HUP hostaway-mcp"
    When the drill is held
    Then the drill has failed, naming "<reason>"

    Examples:
      | way              | signal                                                    | reason                    |
      | pattern          | pkill -HUP -f "^$APP_DIR/.venv/bin/python .*[h]ostaway_mcp" | ended another process     |
      | a stale pid file | kill -HUP "$(cat "$APP_DIR/hostaway-mcp.pid")"            | Switch pagination off     |

  Scenario: A column that disappears without being declared fails the drill
    Given clients use the pagination release
    And the runbook's waits are shortened 80 times
    And the release suffers from "error-rate-critical"
    And the operator chooses Procedure 2
    And the runbook says "`cursor_audit`, `listings.search_rank`." for "`cursor_audit`, `listings.search_rank`, `reservations.channel`."
    When the drill is held
    Then the drill has failed, naming "acknowledged writes are lost, since reservations.channel was dropped"
