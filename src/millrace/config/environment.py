"""Overrides from environment variables: ``MILLRACE_<SECTION>__<KEY>[__<INDEX>]``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, SecretStr

from millrace.config.document import MAX_DEPTH, Document, Key, KeyPath
from millrace.config.fields import alternatives, annotation_at, settings_of

PREFIX = "MILLRACE_"
SEPARATOR = "__"

_TEXTS = (str, SecretStr, Path)


def override(document: Document, model: type[BaseModel], environ: Mapping[str, str]) -> list[str]:
    """Put the values of environment variables into a document; they win over the file.

    A variable without a double underscore counts only if it names a key of
    the root: Kubernetes sets ``MILLRACE_SERVICE_HOST`` and the like for a
    service called ``millrace``.

    Parameters
    ----------
    document : Document
        Changed in place.
    model : type
        Root model; decides whether a value is taken as text or parsed.
    environ : mapping of str to str

    Returns
    -------
    list of str
        Problems; the variables that have one are left out.
    """
    problems: list[str] = []
    for name in sorted(environ):
        path = variable_path(name)
        if not path or (len(path) == 1 and path[0] not in settings_of(model)):
            continue
        if len(path) > MAX_DEPTH or "" in path:
            problems.append(f"{name}: is not of the form {PREFIX}<SECTION>{SEPARATOR}<KEY>")
            continue
        value = _parse(environ[name], annotation_at(model, path))
        problem = _put(document, path, value, name)
        if problem:
            problems.append(problem)
    return problems


def variable_path(name: str) -> KeyPath:
    """Path that a variable sets, ``()`` if it is not one of ours."""
    if not name.startswith(PREFIX):
        return ()
    parts = name.removeprefix(PREFIX).lower().split(SEPARATOR)
    return tuple(int(part) if part.isdecimal() and part.isascii() else part for part in parts)


def variable_name(path: KeyPath) -> str:
    """Variable that sets a path."""
    return PREFIX + SEPARATOR.join(str(part) for part in path).upper()


def _parse(text: str, annotation: object) -> object:
    """Parse a value as YAML (so also JSON), unless the setting is a text."""
    options = alternatives(annotation) if annotation is not None else ()
    if options and all(option in _TEXTS for option in options):
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text  # such as [::]:2055, which is a text that looks like a list


def _put(document: Document, path: KeyPath, value: object, name: str) -> str:
    """Set a value in nested mappings and lists; return what is wrong or ``""``."""
    holder: Any = document.data
    for depth, key in enumerate(path):
        last = depth == len(path) - 1
        empty: object = [] if not last and isinstance(path[depth + 1], int) else {}
        if isinstance(holder, list):
            if not isinstance(key, int) or key > len(holder):
                return f"{name}: {_dotted(path[:depth])} has {len(holder)} items; the next index is {len(holder)}"
            if key == len(holder):
                holder.append(value if last else empty)
        elif not isinstance(holder, dict):
            return f"{name}: {_dotted(path[:depth])} is a single value, not a section"
        elif holder.get(key) is None and not last:
            holder[key] = empty
        if last:
            holder[key] = value
            _forget(document, path)
            document.places[path] = name
        else:
            document.places.setdefault(path[: depth + 1], name)
            holder = holder[key]
    return ""


def _forget(document: Document, path: KeyPath) -> None:
    """Drop the places of what was replaced."""
    for old in [known for known in document.places if known[: len(path)] == path]:
        del document.places[old]


def _dotted(path: tuple[Key, ...]) -> str:
    return ".".join(str(part) for part in path)
