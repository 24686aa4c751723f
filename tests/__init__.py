"""The tests, and all that they start, keep the bytecode of what they import: a process then starts in a third of the
time.
"""

import os
import sys

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # set on many a build machine, where nothing is imported twice
sys.dont_write_bytecode = False
