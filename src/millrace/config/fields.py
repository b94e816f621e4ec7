"""What lies at a path of settings: the models, fields and types that annotations declare."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from millrace.config.document import Key, KeyPath

_NONE = type(None)


def alternatives(annotation: object) -> tuple[object, ...]:
    """Types that an annotation allows, `Annotated` and ``None`` taken off."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return alternatives(get_args(annotation)[0])
    if origin is Union or origin is types.UnionType:
        return tuple(found for arg in get_args(annotation) if arg is not _NONE for found in alternatives(arg))
    return (annotation,)


def models(annotation: object) -> tuple[type[BaseModel], ...]:
    """Settings models that an annotation allows directly."""
    return tuple(a for a in alternatives(annotation) if isinstance(a, type) and issubclass(a, BaseModel))


def settings_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Fields of a model by the key that the user writes."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def child(annotation: object, key: Key) -> object:
    """Annotation of what lies under `key` of a value so annotated; None if nothing can."""
    for option in alternatives(annotation):
        origin, args = get_origin(option), get_args(option)
        if isinstance(option, type) and issubclass(option, BaseModel):
            found = settings_of(option).get(str(key))
            if found is not None:
                return found.annotation
        elif isinstance(origin, type) and issubclass(origin, Mapping):
            return args[1]
        elif isinstance(origin, type) and issubclass(origin, Sequence) and isinstance(key, int) and args:
            # tuple[T, ...] and list[T]; a tuple of fixed length has one annotation per place.
            return args[0] if len(args) == 1 or args[1] is Ellipsis else args[min(key, len(args) - 1)]
    return None


def annotation_at(root: object, path: KeyPath) -> object:
    """Annotation of the setting at a path; None if there is no such setting."""
    for key in path:
        root = child(root, key)
        if root is None:
            return None
    return root


def is_mapping(annotation: object) -> bool:
    """Whether keys under a value so annotated are the user's own."""
    origins = (get_origin(option) for option in alternatives(annotation))
    return any(isinstance(origin, type) and issubclass(origin, Mapping) for origin in origins)


def type_name(annotation: object) -> str:
    """Short name of a type for people: ``text``, ``list of whole number``."""
    return " or ".join(dict.fromkeys(_one_name(option) for option in alternatives(annotation)))


_NAMES = {
    "str": "text", "SecretStr": "secret", "int": "whole number", "float": "number", "bool": "true or false",
    "Path": "path", "timedelta": "duration", "IPv4Address": "address", "IPv6Address": "address",
    "IPv4Network": "subnet", "IPv6Network": "subnet",
}  # fmt: skip


def _one_name(option: object) -> str:
    origin, args = get_origin(option), get_args(option)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in args)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"mapping of {type_name(args[0])} to {type_name(args[1])}"
    if isinstance(origin, type) and issubclass(origin, Sequence | set | frozenset):
        return f"list of {type_name(args[0])}"
    if models(option):
        return "section"
    name = getattr(option, "__name__", str(option))
    return _NAMES.get(name, name)
