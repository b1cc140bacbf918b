@live @wide
Feature: Is it ours?
  A rollback only helps where the release is to blame. What looks the same from outside, but has
  another cause, must not be rolled back.

  Scenario Outline: <fault> is not the release's doing
    Given clients use the pagination release
    And the service suffers from "<fault>"
    When the drill is held
    Then somebody else than the detector saw "<symptom>"
    And the trigger "Error Rate >10%" fires
    And the decision is not to roll back, since <cause>
    And clients are served well again once the cause is gone
    And no acknowledged write is lost
    And the drill has passed

    Examples:
      | fault                 | symptom                        | cause                               |
      | postgres-down         | does not answer its administrator | the database server is the cause |
      | neighbour-connections | sessions of others             | the database server is the cause    |
      | slow-database         | wait for a lock                | the database server is the cause    |
      | lost-load-balancer    | front door 503                 | the way to the hosts is the cause   |
      | garbage-cursors       | answered 400                   | one client is the cause             |
