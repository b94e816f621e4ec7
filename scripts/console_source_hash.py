"""Print the hash of the console's sources, or check that the built console is made of them.

The build leaves the same hash beside what it built (`frontend/scripts/sources.ts`), so that this check needs no Node.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "frontend"
BUILT = ROOT / "src/millrace/console/dist/source.sha256"

_FILES = ("index.html", "openapi.json", "package-lock.json", "package.json", "tsconfig.json", "vite.config.ts")
_FOLDERS = ("public", "scripts", "src")


def source_hash(sources: Path = SOURCES) -> str:
    """Hash over a line per file, sorted by path: path, NUL, SHA-256 of its bytes, newline.

    Parameters
    ----------
    sources : Path
        The folder ``frontend``.

    Returns
    -------
    str
        Hexadecimal SHA-256.
    """
    found = [
        path.relative_to(sources).as_posix()
        for folder in _FOLDERS
        for path in (sources / folder).rglob("*")
        if path.is_file() and not path.name.endswith(".test.ts")
    ]
    whole = hashlib.sha256()
    for name in sorted([*_FILES, *found]):
        whole.update(f"{name}\0{hashlib.sha256((sources / name).read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def main() -> int:
    """Compare, if asked to with ``--check``; print otherwise."""
    wanted = source_hash()
    if "--check" not in sys.argv[1:]:
        print(wanted)
        return 0
    built = BUILT.read_text(encoding="ascii").strip() if BUILT.is_file() else "nothing"
    if built != wanted:
        print(f"the built console is of other sources ({built[:12]}, not {wanted[:12]}); run: make console")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
