"""Defects that can be planted into what a rollback leaves behind, each of which a drill must see.

They sleep until the rollback has done its work, but for those of the procedure itself.
"""

from __future__ import annotations

PLANTS = {
    "slow-answers": "the stable release answers every request 700 ms later",
    "failing-requests": "4 of 100 requests to the stable release are answered 500",
    "failing-writes": "the stable release answers every new reservation with 500",
    "growing-memory": "the stable release needs 8 MB more with each second",
    "open-lists": "the stable release gives lists to strangers",
    "open-writes": "the stable release lets strangers write",
    "half-a-key": "the stable release accepts each part of the key that it begins with",
    "closed-doors": "the stable release refuses the customers' key",
    "lost-writes": "at the restart the last reservations are gone",
    "cut-names": "at the restart the names in all newer reservations are cut",
    "old-row-gone": "at the restart a reservation that stood before clients came is gone",
    "old-row-gone-late": "four seconds after the restart such a reservation is gone",
    "old-name-cut": "at the restart the name in such a reservation is cut",
    "listing-changed": "at the restart one listing has another price",
    "index-gone": "at the restart an index is gone",
    "sequence-back": "at the restart the sequence of reservations goes back by one",
    "stranger-row": "at the restart there is a reservation that nobody made",
    "prepared-away": "the preparation's own block takes away a reservation that stood",
    "prepared-writes-away": "the preparation's own block takes away what clients wrote",
    "errors-in-log": "the stable release logs an error with each twentieth answer",
    "fatal-in-log": "the stable release logs a line of level FATAL with each thirtieth answer",
    "number-in-log": "the stable release logs such a line with its level as a number",
    "text-in-log": "the stable release writes lines into its log of JSON that are none",
    "key-in-log": "the stable release writes its customers' key into its log",
    "skewed-lines": "the lines of the stable release bear a time of an hour ago",
    "silent-log": "the stable release logs nothing from two seconds after its start on",
    "traceback": "the stable release prints a traceback with each thirtieth answer",
    "errors-of-database": "Postgres logs an error with each second after the restart",
    "blind-metrics": "the stable release cannot tell its metrics",
    "still-counters": "the stable release tells metrics, and they never change",
    "double-counters": "the stable release counts every request twice",
    "wrong-unit": "the stable release tells milliseconds for seconds",
    "key-in-metrics": "the stable release prints its customers' key with its metrics",
    "old-process": "the supervisor says that it restarted, and did not",
    "another-release": "git says that it checked out, and left the code as it was",
    "changed-code": "somebody's edit lies over the code that was checked out",
    "half-installed": "the dependencies are those of the failing release",
    "stuck-maintenance": "the load balancer does not take the hosts in again",
    "deaf-maintenance": "the load balancer does not take the hosts out",
    "wrong-format": "the stable release serves lists in the new format",
    "missing-endpoint": "the stable release does not know the list of reservations",
    "lost-message": "no message to the team is written",
    "dies-again": "the stable release is killed four seconds after its start",
    "unhealthy": "the stable release answers /health with 500",
    "empty-list": "the stable release answers each list with no row",
    "another-row": "the stable release answers details with those of the row before",
    "missing-last-row": "the stable release leaves the last row out of its lists",
    "repeated-rows": "the stable release begins each page with the last row of the one before",
    "wrong-order": "the stable release lists rows backwards",
    "rounded-prices": "the stable release rounds prices",
    "wrong-count": "the stable release counts one row too many",
    "filter-ignored": "the stable release lists all rows, whichever were asked for",
    "limit-ignored": "the stable release lists a hundred rows, however few were asked for",
    "seldom-another-row": "one of thirty rows of the stable release has the id of another",
    "late-prices": "eight seconds after its start the stable release rounds prices in details",
    "slow-details": "the stable release answers details of listings 200 ms later",
    "cached-details": "the stable release answers details of reservations as it did at first",
    "kept-details": "the stable release answers details as they were up to five seconds before",
    "late-lists": "a new reservation stands in no list of the stable release for three seconds",
    "seldom-wrong-change": "one of five answers to a change has another total",
    "seldom-wrong-new": "one of five new reservations is acknowledged with another guest",
    "no-tag": "nothing marks the rollback in the origin",
}
"""What each is, by name."""
OF_THE_DATABASE = {
    "old-nightly": "the nightly job's last copy is 30 hours old",
    "wrong-checksum": "checksums of dumps are wrong",
    "empty-backup": "dumps hold tables without rows",
    "changed-dump": "dumps hold another name of one listing",
    "torn-copy": "half of the backup arrives in secure storage",
    "torn-archive": "half of what only the new release knows is archived",
    "never-stopped": "the supervisor says that it stopped the application, and did not",
    "unreverted": "alembic says that it reverted the migration, and did not",
    "half-reverted": "the downgrade leaves a column behind",
    "downgrade-loses-rows": "the downgrade deletes the newest reservations",
    "downgrade-changes-rows": "the downgrade cuts names of listings",
    "alternative-loses-rows": "the downgrade fails, and the restored copy lacks the newest rows",
}
"""What goes wrong in a full rollback, with the database, by name."""


class Plants:
    """What is planted in one drill. `bit`: whether it came into effect."""

    def __init__(self, *names: str) -> None:
        self.names = frozenset(names)
        self.bit = False

    def __contains__(self, name: str) -> bool:
        """Whether `name` is planted; who asks does what it says."""
        if name not in self.names:
            return False
        self.bit = True
        return True


NOTHING_PLANTED = Plants()
