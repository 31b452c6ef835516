"""Tests of the skill on a host in memory: `python3 -m unittest` in the skill's folder."""

import sys
from pathlib import Path

_folder = Path(__file__).parent.parent
sys.path[:0] = [str(_folder / "src"), str(_folder / "vendor" / "postern" / "sdk" / "python")]
