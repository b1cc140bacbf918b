"""`python -m drill`."""

import sys
import warnings

# A library complains where a machine has no XDG_RUNTIME_DIR; no user can do anything with that.
warnings.filterwarnings("ignore", category=RuntimeWarning, module="platformdirs")

from drill.cli import main  # noqa: E402

sys.exit(main())
