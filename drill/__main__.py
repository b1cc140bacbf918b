"""`python -m drill`."""

import sys
import warnings

# A library complains where a machine has no XDG_RUNTIME_DIR; no user can do anything with that.
warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")

from drill.cli import main  # noqa: E402

sys.exit(main())
