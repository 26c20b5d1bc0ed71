"""Copies the pages' outside code from node_modules into the package, and writes down what it is."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
TARGET = HERE.parent / "src/anlan/presentation/static/vendor"

FILES = {
    "bootstrap.min.css": ("bootstrap", "dist/css/bootstrap.min.css"),
    "bootstrap.bundle.min.js": ("bootstrap", "dist/js/bootstrap.bundle.min.js"),
    "htmx.min.js": ("htmx.org", "dist/htmx.min.js"),
    "echarts.min.js": ("echarts", "dist/echarts.min.js"),
    "bootstrap.LICENSE.txt": ("bootstrap", "LICENSE"),
    "htmx.LICENSE.txt": ("htmx.org", "LICENSE"),
    "echarts.LICENSE.txt": ("echarts", "LICENSE"),
    "echarts.NOTICE.txt": ("echarts", "NOTICE"),
    "zrender.LICENSE.txt": ("zrender", "LICENSE"),
}

HEADING = """# Code by others

Copied from npm by `make vendor`, not edited. Versions: `assets/package.json`, integrity: `assets/package-lock.json`.
`tests/unit/test_vendored.py` compares the digests.
`echarts.min.js` holds zrender and tslib, `bootstrap.bundle.min.js` holds Popper (MIT).

| file | package | version | licence | sha256 |
|---|---|---|---|---|
"""


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, (package, path) in FILES.items():
        about = json.loads((MODULES / package / "package.json").read_text())
        shutil.copyfile(MODULES / package / path, TARGET / name)
        digest = hashlib.sha256((TARGET / name).read_bytes()).hexdigest()
        rows.append(f"| {name} | {package} | {about['version']} | {about['license']} | `{digest}` |\n")
    (TARGET / "VENDORED.md").write_text(HEADING + "".join(rows))


if __name__ == "__main__":
    main()
