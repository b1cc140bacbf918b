"""Steps that take longer than they may: each has two seconds, and a command that takes four."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import PlantedIn, Rewrite, Sabotage

# By the step's title: its heading's number and budget, procedure, a line of its block.
_STEPS = {
    "Enter maintenance": ("Step 1", "30 seconds", 1, 'cat > "$STATUS_PAGE" <<MESSAGE\nWe see'),
    "Identify the stable release": ("Step 2", "1 minute", 1, "git fetch --tags origin\n"),
    "Revert the code": ("Step 3", "2 minutes", 1, "git log --oneline -1\n"),
    "Restart the application": (
        "Step 4",
        "1 minute",
        1,
        'timeout 40 bash -c \'until curl -fs --max-time 2 -o /dev/null "$SERVICE_URL/health"',
    ),
    "Verify before clients return": (
        "Step 5",
        "2 minutes",
        1,
        'curl -fsS --max-time 5 "$SERVICE_URL/health"\ncurl -fsS --max-time 5 -H',
    ),
    "Leave maintenance": (
        "Step 6",
        "30 seconds",
        1,
        'timeout 25 bash -c \'until curl -fs --max-time 2 -o /dev/null "$PUBLIC_URL/health"',
    ),
    "Stop the application and take a safety backup": (
        "Step 3",
        "2 minutes",
        2,
        'mkdir -p "$BACKUP_DIR" "$SECURE_STORAGE"\n',
    ),
    "Switch pagination off": ("Step 1", "1 minute", 3, "sed -i -E -e 's/^( +pagination_enabled"),
    "Verify that the feature is off": (
        "Step 2",
        "1 minute",
        3,
        'curl -fsS --max-time 5 -H "X-API-Key: $API_KEY" "$SERVICE_URL/api/listings?limit=10" | cut -c 1-200\n```\n\n- [ ] Pagination is off',
    ),
    "Put the new code in place": (
        "Step 2",
        "2 minutes",
        4,
        'git checkout --quiet -b "redeploy-$(date',
    ),
    "Migrate the database, and load what was kept": (
        "Step 3",
        "5 minutes",
        4,
        "for attempt in 1 2 3 4 5; do\n",
    ),
    "Verify that pagination is on": (
        "Step 7",
        "1 minute",
        4,
        'curl -fsS --max-time 5 -H "X-API-Key: $API_KEY" "$SERVICE_URL/api/listings?limit=10" | cut -c 1-200\n```\n\n- [ ] Pagination is on',
    ),
}


def _too_slow(title: str, number: str, budget: str, procedure: int, line: str) -> Sabotage:
    return Sabotage(
        f"budget-{title.lower().replace(' ', '-').replace(',', '')}",
        f"“{title}” takes twice as long as it may",
        PlantedIn.RUNBOOK,
        f"command: {title}",
        (
            Rewrite(f"#### {number}: {title} ({budget})", f"#### {number}: {title} (2 seconds)"),
            Rewrite(line, f"sleep 4\n{line}"),
        ),
        procedure,
    )


def _too_little(title: str, number: str, budget: str, procedure: int) -> Sabotage:
    return Sabotage(
        f"budget-of-nothing-{title.lower().replace(' ', '-')}",
        f"“{title}” has a hundredth of a second",
        PlantedIn.RUNBOOK,
        f"budget: {title}",
        (Rewrite(f"#### {number}: {title} ({budget})", f"#### {number}: {title} (0.01 seconds)"),),
        procedure,
    )


SABOTAGES = (
    _too_little("Identify the stable release", "Step 2", "1 minute", 1),
    _too_little("Verify that the feature is off", "Step 2", "1 minute", 3),
    _too_little("Verify that pagination is on", "Step 7", "1 minute", 4),
    *(_too_slow(title, *rest) for title, rest in _STEPS.items()),
    Sabotage(
        "budget-estimate",
        "the whole procedure takes longer than is estimated",
        PlantedIn.RUNBOOK,
        "of_rollback",
        (
            Rewrite("Time estimate: 5-10 minutes", "Time estimate: 1-2 seconds"),
            Rewrite("git fetch --tags origin\n", "sleep 3\ngit fetch --tags origin\n"),
        ),
    ),
)
