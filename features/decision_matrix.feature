Feature: The decision matrix
  Error rate and response time each point to a row of the runbook's matrix. The worse one wins, and
  an edge belongs to the worse row, so that every measurement has exactly one answer.

  Rule: Within a row, both columns agree

    Scenario Outline: Measurements of a <condition> service
      Given the runbook of the project
      When <errors> percent of requests fail and the p95 is <p95> ms
      Then the matrix says "<condition>", to "<decision>"

      Examples:
        | errors | p95  | condition | decision         |
        | 0      | 20   | Normal    | No action        |
        | 3      | 700  | Warning   | Monitor closely  |
        | 7      | 1500 | Alert     | Prepare rollback |
        | 40     | 5000 | Critical  | Execute rollback |

  Rule: Where columns disagree, the worse one wins

    Scenario Outline: <errors> percent of errors at a p95 of <p95> ms
      Given the runbook of the project
      When <errors> percent of requests fail and the p95 is <p95> ms
      Then the matrix says "<condition>", to "<decision>"

      Examples:
        | errors | p95  | condition | decision         |
        | 0.5    | 700  | Warning   | Monitor closely  |
        | 0.5    | 1500 | Alert     | Prepare rollback |
        | 0.5    | 2500 | Critical  | Execute rollback |
        | 3      | 100  | Warning   | Monitor closely  |
        | 3      | 1500 | Alert     | Prepare rollback |
        | 3      | 2500 | Critical  | Execute rollback |
        | 7      | 100  | Alert     | Prepare rollback |
        | 7      | 700  | Alert     | Prepare rollback |
        | 7      | 2500 | Critical  | Execute rollback |
        | 12     | 100  | Critical  | Execute rollback |
        | 12     | 700  | Critical  | Execute rollback |
        | 12     | 1500 | Critical  | Execute rollback |

  Rule: An edge belongs to the worse row

    Scenario Outline: Exactly <errors> percent of errors and exactly <p95> ms
      Given the runbook of the project
      When <errors> percent of requests fail and the p95 is <p95> ms
      Then the matrix says "<condition>", to "<decision>"

      Examples:
        | errors  | p95    | condition | decision         |
        | 0.999   | 499.9  | Normal    | No action        |
        | 1       | 100    | Warning   | Monitor closely  |
        | 0       | 500    | Warning   | Monitor closely  |
        | 4.999   | 999.9  | Warning   | Monitor closely  |
        | 5       | 100    | Alert     | Prepare rollback |
        | 0       | 1000   | Alert     | Prepare rollback |
        | 9.999   | 1999.9 | Alert     | Prepare rollback |
        | 10      | 100    | Critical  | Execute rollback |
        | 0       | 2000   | Critical  | Execute rollback |
        | 100     | 60000  | Critical  | Execute rollback |

  Rule: The numbers come from the runbook

    Scenario: A team that tolerates less decides earlier
      Given a runbook in which "<1%" reads "<0.5%" and "1-5%" reads "0.5-5%"
      When 0.7 percent of requests fail and the p95 is 20 ms
      Then the matrix says "Warning", to "Monitor closely"
