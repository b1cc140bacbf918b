"""Why a drill did not pass: one module for each thing that is asked of its record.

Each function takes the record and returns the causes that it finds, none where all is well; what
the record does not hold is a cause as well, with the verdict `unknown`. A new question is one more
function in a module here, and one more name in `judge.judgement`.
"""

from rollback_drill.judge.causes.cause import GOOD, Cause

__all__ = ["GOOD", "Cause"]
