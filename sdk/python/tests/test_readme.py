"""The examples of the README hold: they are laid out as they say, and run."""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

LIBRARY = Path(__file__).parent.parent


class Readme(unittest.TestCase):
    def test_its_skill_passes_its_tests(self) -> None:
        text = (LIBRARY / "README.md").read_text()
        examples = dict(re.findall(r"^`([\w./]+)`:\n\n```python\n(.*?)^```", text, re.M | re.S))
        self.assertEqual(set(examples), {"src/skill.py", "tests/test_skill.py"})
        with tempfile.TemporaryDirectory() as folder:
            for name, content in examples.items():
                path = Path(folder, name)
                path.parent.mkdir()
                path.write_text(content)
            ran = subprocess.run(
                [sys.executable, "-m", "unittest", "discover", "tests"],
                cwd=folder,
                env={
                    **os.environ,
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "PYTHONPATH": f"{LIBRARY}:{folder}/src",
                },
                capture_output=True,
                text=True,
                timeout=60,
            )
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn("Ran 2 tests", ran.stderr)
