"""Ask an advisory service, by pip-audit, whether a locked version has a known hole.

.venv/bin/python scripts/audit_lock.py .venv/audit/bin/pip-audit

Fails if one has. Where the service cannot be asked it says so, with the reason, and does not fail: many networks have
an index and no advisories, and what the project itself knows of is checked by `check_lock.py` in any case.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[1] / "requirements.lock"
_SECONDS = 300


class NotAuditedError(Exception):
    """The service cannot be asked; the message says why."""


def ask(program: Path, requirements: Path) -> list[dict[str, Any]]:
    """What pip-audit says of each package of a file of requirements with hashes.

    Raises
    ------
    NotAuditedError
    """
    options = ["--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    command = [str(program), *options, "--requirement", str(requirements)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotAuditedError(f"pip-audit does not run: {error}") from error
    try:
        told: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise NotAuditedError(f"pip-audit fails: {last}") from None
    return told


def probe(program: Path, lock: str) -> None:
    """Ask of one package: a network without advisories is not asked of all.

    Raises
    ------
    NotAuditedError
    """
    first = next(line for line in lock.replace("\\\n", " ").splitlines() if "==" in line)
    with tempfile.TemporaryDirectory() as folder:
        one = Path(folder) / "one.txt"
        one.write_text(f"{first}\n")
        told = ask(program, one)
    if reasons := [entry["skip_reason"] for entry in told if "skip_reason" in entry]:
        raise NotAuditedError(f"there are no advisories where the packages come from ({reasons[0]})")


def main(program: Path, lock: Path = LOCK) -> int:
    """Print what is wrong; 1 if anything is."""
    try:
        probe(program, lock.read_text())
        told = ask(program, lock)
    except NotAuditedError as error:
        print(f"{lock.name} was not audited: {error}")
        return 0
    holes = [(entry, hole) for entry in told for hole in entry.get("vulns", [])]
    for entry, hole in holes:
        fixed = ", ".join(hole["fix_versions"]) or "no version yet"
        print(f"{entry['name']} {entry['version']} has a known hole: {hole['id']}, mended in {fixed}")
    for entry in told:
        if "skip_reason" in entry:
            print(f"{entry['name']} was not audited: {entry['skip_reason']}")
    print(f"{len(told)} packages of {lock.name} were audited: {len(holes) or 'no'} known holes")
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
