"""`python -m rollback_drill`."""

import gc
import sys

gc.disable()  # while all is loaded: nothing of it is garbage. See `cli`

from rollback_drill.cli import main  # noqa: E402

sys.exit(main())
