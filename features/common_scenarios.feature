@live
Feature: Common scenarios of the runbook
  Each scenario breaks the newest release, and is cured by the procedure that the runbook names.

  Scenario Outline: <symptom> is cured by <cure>
    Given clients use the pagination release
    And the release suffers from "<fault>"
    When the drill is held
    Then somebody else than the detector saw "<symptom>"
    And the decision is to roll back by Procedure <procedure>
    And the diagnosis is scenario <scenario> of the runbook
    And every step kept its budget
    And service was restored within 10 minutes
    And no acknowledged write is lost
    And the drill has passed

    Examples:
      | fault                 | symptom                       | scenario | procedure | cure                     |
      | invalid-cursors       | 400 invalid_cursor            | 1        | 3         | the feature flag         |
      | connection-exhaustion | too many clients already      | 2        | 1         | the application rollback |
      | cursor-cache-leak     | kills for memory              | 3        | 1         | the application rollback |
