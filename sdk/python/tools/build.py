"""Makes a component of a skill. `postern skill build` runs it with the tools' Python:

python build.py SKILL-FOLDER WIT-FOLDER CAPABILITIES WORK-FOLDER
"""

import re
import shutil
import sys
from pathlib import Path

from componentize_py import script

folder, wit, work = (Path(sys.argv[at]) for at in (1, 2, 4))
requested = [name for name in sys.argv[3].split(",") if name]


def interface_of(package: str) -> str:
    """What a package offers: `postern:http/client@0.1.0`."""
    text = (wit / "deps" / package / f"{package}.wit").read_text()
    found = re.search(r"^package (postern:[a-z]+)@([0-9.]+);", text, re.MULTILINE)
    interface = re.search(r"^interface ([a-z-]+) {", text, re.MULTILINE)
    if found is None or interface is None:
        raise SystemExit(f"{wit}: {package}.wit is not as expected; make the skill's folder anew")
    return f"{found[1]}/{interface[1]}@{found[2]}"


def world() -> str:
    imports = [f"    import {interface_of(name)};\n" for name in sorted(requested)]
    export = "    export postern:skill/tools@0.1.0;\n"
    return f"package postern:component;\n\nworld component {{\n{''.join(imports)}{export}}}\n"


def copies() -> list[Path]:
    """Copies of what is imported: Python would leave compiled modules beside it."""
    found = []
    for name in ("src", "vendor/postern/sdk/python/postern", "vendor/python"):
        source = folder / name
        if source.is_dir():
            place = work / "path" / str(len(found))
            inside = place / source.name if source.name == "postern" else place
            shutil.copytree(source, inside, ignore=shutil.ignore_patterns("__pycache__"))
            found.append(place)
    return found


if not (folder / "src" / "skill.py").is_file():
    raise SystemExit(f"there is no src/skill.py in {folder}; it has `Tools = skill(…)`")
(wit / "world.wit").write_text(world())
sys.argv = ["componentize-py", "--quiet", "--wit-path", str(wit), "--world", "component"]
sys.argv += ["componentize", "skill", "--output", str(work / "component.wasm")]
for place in copies():
    sys.argv += ["--python-path", str(place)]
try:
    sys.exit(script())
except AssertionError as error:
    # What follows is the tool's own inside.
    told = str(error).split("\n\nCaused by:")[0].rstrip()
    raise SystemExit(told.replace('File "/0/', 'File "src/')) from None
