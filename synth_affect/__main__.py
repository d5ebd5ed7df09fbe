"""`python -m synth_affect` is the command `synth-affect`."""

import sys

from synth_affect.cli import main

sys.exit(main())
