"""Check the lock files: what is installed is what was chosen, by hash, and nothing else comes in.

.venv/bin/python scripts/check_lock.py

Each entry of `requirements.lock` pins one version, by sha256; none names an index, an address or a path of its own; the
entries are what `pyproject.toml` asks for and what that needs, as far as the installed packages tell, no more and no
less; and what is installed is what is locked. Each entry of the console's lock has an integrity. No locked version has
a hole that `advisories.toml` knows of, and none was withdrawn, as far as pip said when it installed them.

It asks nobody: of holes that became known since the list was written, an advisory service tells (`audit_lock.py`).
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
_BESIDE = frozenset({"millrace", "pip", "setuptools", "wheel"})
"""In a virtual environment without being locked: the project, and what installs it."""

_SAID = ROOT / ".venv" / "install.txt"
"""What pip complained of when it installed the lock; the Makefile keeps it."""

_WITHDRAWN = re.compile(r"yanked version: '(\S+)' candidate \(version (\S+)")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Locked:
    """An entry of the lock: name, version, and whether it is for this machine and this Python."""

    name: str
    version: str
    here: bool


def read_lock(text: str) -> tuple[list[Locked], list[str]]:
    """Entries of a lock, and what is wrong with how it is written."""
    entries, wrong = [], []
    for line in text.replace("\\\n", " ").splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        head, *hashes = re.split(r"\s+(?=--)", line)
        if line.startswith("-"):
            wrong.append(f"{line!r} is an option: an index, an address or a path that the lock must not name")
            continue
        try:
            requirement = Requirement(head)
        except InvalidRequirement as error:
            wrong.append(f"{head!r} is no requirement: {error}")
            continue
        pins = list(requirement.specifier)
        if requirement.url or len(pins) != 1 or pins[0].operator != "==" or "*" in pins[0].version:
            wrong.append(f"{requirement.name} is not pinned to one version")
            continue
        if not hashes or not all(_HASH.fullmatch(one) for one in hashes):
            wrong.append(f"{requirement.name} has no sha256, or something else after it")
        here = requirement.marker is None or requirement.marker.evaluate()
        entries.append(Locked(canonicalize_name(requirement.name), pins[0].version, here))
    names = [entry.name for entry in entries if entry.here]
    wrong += [f"{name} is locked twice" for name in sorted({name for name in names if names.count(name) > 1})]
    return entries, wrong


def check_needs(
    entries: Sequence[Locked], project: Mapping[str, Any], installed: Mapping[str, Distribution]
) -> Iterator[str]:
    """What the lock lacks of what the project needs, and what it has that nothing needs."""
    locked = {entry.name: entry.version for entry in entries if entry.here}
    needed: set[tuple[str, str]] = set()
    todo = [(requirement, "pyproject.toml") for requirement in _asked_for(project)]
    while todo:
        requirement, by = todo.pop()
        name = canonicalize_name(requirement.name)
        version = locked.get(name)
        if version is None:
            yield f"{name} is not locked, but {by} needs it"
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            yield f"{name} is locked at {version}, but {by} needs {requirement.specifier}"
        for extra in ("", *requirement.extras):
            if (name, extra) in needed:
                continue
            needed.add((name, extra))
            todo += [(found, name) for found in _needs_of(installed.get(name), extra)]
    for name in sorted(set(locked) - {name for name, _ in needed}):
        yield f"{name} is locked, but nothing needs it"


def check_installed(entries: Sequence[Locked], installed: Mapping[str, Distribution]) -> Iterator[str]:
    """Where what is installed is not what is locked."""
    for name in sorted(set(installed) - {entry.name for entry in entries} - _BESIDE):
        yield f"{name} is installed, but not locked"
    for entry in entries:
        found = installed.get(entry.name)
        if entry.here and found is None:
            yield f"{entry.name} is locked, but not installed"
        elif entry.here and found is not None and found.version != entry.version:
            yield f"{entry.name} is installed at {found.version}, but locked at {entry.version}"


def check_advisories(entries: Sequence[Locked], advisories: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Locked versions that an advisory is about, on whichever machine they are for."""
    for entry in entries:
        for advisory, affected in advisories.get(entry.name, {}).items():
            if SpecifierSet(affected).contains(entry.version, prereleases=True):
                yield f"{entry.name} {entry.version} has a known hole: {advisory} ({affected})"


def check_withdrawn(said: str) -> Iterator[str]:
    """What pip installed though its index has withdrawn it, by what pip said."""
    for name, version in _WITHDRAWN.findall(said):
        yield f"{name} {version} was withdrawn from the index (yanked)"


def check_console(lock: Mapping[str, Any]) -> Iterator[str]:
    """Packages of the console without an integrity; what is part of another package is covered by that."""
    for path, entry in lock["packages"].items():
        if path and not entry.get("inBundle") and not str(entry.get("integrity", "")).startswith("sha512-"):
            yield f"{path} of the console has no sha512"


def _asked_for(project: Mapping[str, Any]) -> list[Requirement]:
    texts = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for extra in project["project"].get("optional-dependencies", {}).values():
        texts += extra
    for group in project.get("dependency-groups", {}).values():
        texts += group
    return [Requirement(text) for text in texts]


def _needs_of(found: Distribution | None, extra: str) -> Iterator[Requirement]:
    for text in (found.requires or []) if found is not None else []:
        requirement = Requirement(text)
        marker = requirement.marker
        # Without an extra: what is needed whatever the extras are.
        if marker is None or marker.evaluate({"extra": extra}):
            yield requirement


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    entries, wrong = read_lock((ROOT / "requirements.lock").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    installed = {canonicalize_name(found.metadata["Name"]): found for found in distributions()}
    wrong += check_needs(entries, project, installed)
    wrong += check_installed(entries, installed)
    wrong += check_advisories(entries, tomllib.loads((ROOT / "scripts" / "advisories.toml").read_text()))
    if _SAID.exists():
        wrong += check_withdrawn(_SAID.read_text())
    wrong += check_console(json.loads((ROOT / "frontend" / "package-lock.json").read_text()))
    for sentence in wrong:
        print(sentence)
    print(f"{len(entries)} packages of requirements.lock: {len(wrong) or 'nothing'} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
