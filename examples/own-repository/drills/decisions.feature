Feature: When the shop is rolled back
  What the runbook means, in numbers that whoever is on call can look up.

  Scenario Outline: <errors> percent of errors at a p95 of <p95> ms
    Given the runbook of the project
    When <errors> percent of requests fail and the p95 is <p95> ms
    Then the matrix says "<condition>", to "<decision>"

    Examples:
      | errors | p95 | condition | decision         |
      | 0      | 120 | Normal    | No action        |
      | 7      | 120 | Alert     | Prepare rollback |
      | 12     | 120 | Critical  | Execute rollback |
