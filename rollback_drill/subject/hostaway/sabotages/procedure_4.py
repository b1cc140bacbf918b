"""Procedure 4: what is deployed again is not what was there before."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import PlantedIn, Rewrite, Sabotage

_CHECKOUT = 'git checkout --quiet -b "redeploy-$(date +%Y%m%d-%H%M%S)-$$" --force '
_NEWEST = f"{_CHECKOUT}tags/v0.1.0-pagination"
_UP = "if PGOPTIONS='-c lock_timeout=2s' .venv/bin/alembic upgrade 0002_pagination; then break; fi"
_RANKS = (
    "UPDATE listings SET search_rank = kept.search_rank FROM kept_rank AS kept\n"
    "  WHERE kept.id = listings.id AND kept.search_rank <> listings.search_rank;\n"
)
_CHANNELS = (
    "UPDATE reservations SET channel = kept.channel FROM kept_channel AS kept\n"
    "  WHERE kept.id = reservations.id AND kept.channel <> reservations.channel;\n"
)


def _step(name: str, breaks: str, caught_by: str, *rewrites: tuple[str, str]) -> Sabotage:
    plants = tuple(Rewrite(old, new) for old, new in rewrites)
    return Sabotage(f"p4-{name}", breaks, PlantedIn.RUNBOOK, caught_by, plants, procedure=4)


SABOTAGES = (
    _step(
        "release-candidate",
        "the release before the newest is deployed",
        "code_deployed",
        (_NEWEST, f"{_CHECKOUT}tags/v0.1.0-rc1"),
    ),
    _step(
        "edited-tree",
        "a file is edited behind the checkout",
        "code_deployed",
        (_NEWEST, f"{_NEWEST}\necho '# mended by hand' >> hostaway_mcp/app.py"),
    ),
    _step(
        "stamped",
        "the database is said to stand at the new revision, and nothing is migrated",
        "command: Migrate the database, and load what was kept",
        (_UP, ".venv/bin/alembic stamp 0002_pagination && break"),
    ),
    _step(
        "not-migrated",
        "the box names another revision than the step migrates to",
        "migration_applied",
        ("applied up to revision `0002_pagination`", "applied up to revision `0003_more`"),
    ),
    _step(
        "channels-not-loaded",
        "channels are not loaded again",
        "archive_loaded",
        (_CHANNELS, ""),
    ),
    _step(
        "ranks-off-by-one",
        "ranks are loaded with one added to each",
        "archive_loaded",
        (
            _RANKS,
            _RANKS.replace("= kept.search_rank FROM", "= kept.search_rank + 1 FROM").replace(
                "<> listings.search_rank", "> 0"
            ),
        ),
    ),
    _step(
        "audit-not-loaded",
        "the audit is emptied, and not loaded",
        "archive_loaded",
        ("\\copy cursor_audit FROM cursor_audit.csv CSV HEADER\n", ""),
    ),
    _step(
        "one-rank-wrong",
        "one rank is another one after it was loaded",
        "archive_loaded",
        (_RANKS, f"{_RANKS}UPDATE listings SET search_rank = search_rank + 1 WHERE id = 77;\n"),
    ),
)
