"""Make typed settings of defaults, a file and the environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import SecretStr, ValidationError

from millrace.config.document import Document, Key, KeyPath, read_document
from millrace.config.environment import override
from millrace.config.fields import alternatives, annotation_at, models, settings_of
from millrace.config.section import Section
from millrace.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=Section)

_LONGEST_VALUE = 40
"""Characters of a wrong value that a message repeats."""


def load(model: type[Model], path: Path | None, environ: Mapping[str, str]) -> Model:
    """Read settings; the environment wins over the file, the file over the defaults.

    Parameters
    ----------
    model : type of Section
        Root of the settings.
    path : Path, optional
        YAML file; None: no file.
    environ : mapping of str to str
        Usually `os.environ`.

    Raises
    ------
    ConfigError
        With every problem found, one per line, each with key and place.
    """
    document = Document() if path is None else read_document(path)
    problems = override(document, model, environ)
    try:
        settings = model.model_validate(document.data)
    except ValidationError as error:
        # An input must not be repeated here: it may hold secrets.
        details = error.errors(include_url=False, include_context=False)
        problems += dict.fromkeys(_explain(model, document, detail) for detail in details)
        raise ConfigError("\n".join(problems)) from None
    if problems:
        raise ConfigError("\n".join(problems))
    return settings


def secrets_in(model: type[Section], path: Path) -> list[str]:
    """Names of the secret settings that a file gives.

    Raises
    ------
    ConfigError
        If it cannot be read.
    """
    places = read_document(path).places
    return [".".join(map(str, key)) for key in places if SecretStr in alternatives(annotation_at(model, key))]


def _explain(model: type[Section], document: Document, detail: ErrorDetails) -> str:
    """Put an error of pydantic into a sentence with key and place."""
    path = _known_part(model, document, detail["loc"])
    place = document.place(path)
    where = f" ({place})" if place else ""
    name = ".".join(str(part) for part in path) or "the settings"
    if detail["type"] == "extra_forbidden":
        siblings = [field for found in models(annotation_at(model, path[:-1])) for field in settings_of(found)]
        return f"{name}: unknown key{where}{did_you_mean(str(path[-1]), siblings)}"
    if detail["type"] == "missing":
        return f"{name}: required, but not set{where}"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{name}: {message[:1].lower()}{message[1:]}{_value(model, path, detail['input'])}{where}"


def _known_part(model: type[Section], document: Document, location: tuple[Key, ...]) -> KeyPath:
    """Keys of pydantic's location; without the names of types and validators that it mixes in."""
    path: list[Key] = []
    data: object = document.data
    for part in location:
        declared = any(part in settings_of(found) for found in models(annotation_at(model, tuple(path))))
        if declared or _holds(data, part):
            path.append(part)
            data = data[part] if _holds(data, part) else None  # type: ignore[index]  # it holds it
    return tuple(path)


def _holds(data: object, key: Key) -> bool:
    if isinstance(data, list):
        return isinstance(key, int) and key < len(data)
    return isinstance(data, dict) and key in data


def _value(model: type[Section], path: KeyPath, value: object) -> str:
    """``, not 70000`` for short plain values that are no secrets."""
    secret = SecretStr in alternatives(annotation_at(model, path))
    if secret or not isinstance(value, str | int | float) or len(repr(value)) > _LONGEST_VALUE:
        return ""
    return f", not {value!r}"
