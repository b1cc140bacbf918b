"""Was the rollback prepared: is it the right cure, and was it kept what was seen?"""

from __future__ import annotations

import re

from rollback_drill.ground.finding import Finding, failed, passed, unknown
from rollback_drill.perform.check import check
from rollback_drill.perform.checks.release import all_ok, on_every_host
from rollback_drill.perform.moment import Moment
from rollback_drill.stage.host import look

# That a page did not answer is evidence, too. Errors are looked for as the runbook's readers would.
_EVIDENCE = r"""
errors='ERROR|CRITICAL|FATAL|PANIC'
silent='^(no answer|curl: \()'
wrong() { echo "$1"; exit 1; }
for file in health.txt metrics.txt application.log example-errors.log; do
  test -s $file || wrong "$file is missing or empty"
  test $(($(date +%s) - $(stat -c %Y $file))) -le $age_s || wrong "$file was there before this step"
done
grep -qE -e '^[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? +[-+0-9NI]' -e "$silent" metrics.txt ||
  wrong "metrics.txt holds no metric"
if [ -n "${LOG_FILE:-}" ] && [ -s "$LOG_FILE" ]; then
  tail -n 1 application.log | grep -qxFf - "$LOG_FILE" ||
    wrong "application.log does not end as the application's log ever did"
fi
if grep -qE "$errors" application.log; then
  grep -qE "$errors" example-errors.log || wrong "example-errors.log has none of the log's errors"
fi
"""


@check(
    r"(?:confirm )?issue(?: is)? confirmed",
    r"confirm issue(?: evidence points at (?:\w+ )?release)?",
    r"(?:confirm issue )?verify issue is caused by (?:\w+ )?(?:feature|release|deployment)",
    examples=[
        "Confirm the issue",
        "Confirm the issue: the evidence points at the release",
        "Issue confirmed",
    ],
)
def issue_confirmed(moment: Moment, match: re.Match[str]) -> Finding:
    """The decision rests on evidence, and either a scenario of the runbook explains it or nothing
    around the release does.
    """
    decision = moment.decision
    if decision is None:
        return unknown("nothing was decided")
    if decision.ours is False:
        return failed("; ".join(decision.attribution), "the release to be the cause")
    if not decision.rollback:
        return failed(f"the detector's answer is “{decision.action}”", "a rollback")
    because = "; ".join((*decision.evidence, *decision.attribution)) or decision.trigger
    if not decision.scenario and not decision.ours:
        return unknown(f"no scenario explains it, nor is the release to blame: {because}")
    return passed(f"{decision.diagnosis}: {because}")


@check(
    r"document state(?: metrics logs and example errors are kept as files)?",
    r"document state capture current metrics logs and error examples",
    examples=["Document the state: metrics, logs and example errors are kept as files"],
)
def state_documented(moment: Moment, match: re.Match[str]) -> Finding:
    """Metrics, health, log and example errors were kept on every host, in this step, and are what
    they are called.
    """
    script = (
        'cd "$EVIDENCE_DIR"\n'
        f"age_s={moment.age() + 2:.0f}\n{_EVIDENCE}"
        'echo "$(cat -- * | wc -l) lines in $(ls | wc -l) files"'
    )
    return all_ok(on_every_host(moment, script), "health, metrics, log and errors as files")


@check(
    r"(?:history )?tag in origin marks rollback",
    r"rollback(?: is| was)? tagged in origin",
    examples=["History: a tag in the origin marks the rollback"],
)
def rollback_tagged(moment: Moment, match: re.Match[str]) -> Finding:
    """A tag of the origin that is no release points at what the first host runs now."""
    host = moment.stage.hosts[0]
    script = (
        'git ls-remote --tags origin | grep "$(git rev-parse HEAD)" | grep -v '
        f"-E 'refs/tags/({re.escape(moment.stable)}|{re.escape(moment.failing)})(\\^\\{{\\}})?$' "
        "| sed -e 's,.*refs/tags/,,' -e 's/[^0-9a-zA-Z]*$//' "
        '| grep . || { echo "no tag of the origin marks what runs now"; exit 1; }'
    )
    return all_ok({host.name: look(host, script, limit_s=30)}, "a tag that is not a release")
