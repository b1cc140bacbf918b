"""`python -m rollback_drill`."""

import sys

from rollback_drill.cli import main

sys.exit(main())
