"""The command line: ``python -m tstable``."""

import sys

from ._command import main

sys.exit(main())
