"""Views of the settings for people and editors: JSON Schema, effective values, reference page."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from millrace.config.document import MAX_DEPTH
from millrace.config.environment import PREFIX, SEPARATOR
from millrace.config.fields import alternatives, child, is_mapping, models, settings_of, type_name
from millrace.config.section import Section

_UNITS = {
    "_seconds": "s", "_s": "s", "_ms": "ms", "_ns": "ns", "_minutes": "min", "_hours": "h", "_days": "d",
    "_bytes": "bytes", "_mib": "MiB", "_mbps": "Mbit/s", "_bps": "bit/s", "_rows": "rows", "_points": "points",
    "_percent": "%",
}  # fmt: skip

_BOUNDS = (
    ("ge", "≥ {}"), ("gt", "> {}"), ("le", "≤ {}"), ("lt", "< {}"), ("multiple_of", "multiple of {}"),
    ("min_length", "at least {} long"), ("max_length", "at most {} long"), ("pattern", "matches `{}`"),
)  # fmt: skip


def schema(model: type[Section]) -> dict[str, Any]:
    """JSON Schema of the configuration file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}


def show(settings: Section) -> str:
    """YAML of the effective settings; secrets are masked."""
    return yaml.safe_dump(settings.model_dump(mode="json", by_alias=True), sort_keys=False, allow_unicode=True)


def reference(model: type[Section]) -> str:
    """Markdown page of every setting: path, type, default, unit and bounds, sentence."""
    overrides = (
        f"Every key may also be set by the environment: `{PREFIX}<SECTION>{SEPARATOR}<KEY>`, items of lists by index "
        f"(`{PREFIX}<SECTION>{SEPARATOR}<KEY>{SEPARATOR}0`). The environment wins over the file, the file over the "
        "defaults. A list that is set by index begins anew if the file does not have it."
    )
    lines = ["# Settings", "", overrides]
    lines += _section(model, "", "##", 0)
    return "\n".join(lines) + "\n"


def _section(model: type[BaseModel], prefix: str, heading: str, depth: int) -> Iterator[str]:
    own = [(name, info) for name, info in settings_of(model).items() if not _nested(info.annotation)]
    if own:
        yield from ("", "| setting | type | default | unit, bounds | meaning |", "|---|---|---|---|---|")
        for name, info in own:
            yield _row(f"{prefix}{name}", name, info)
    if depth == MAX_DEPTH:
        return
    for name, info in settings_of(model).items():
        nested = _nested(info.annotation)
        if not nested:
            continue
        suffix, kinds = nested
        path = f"{prefix}{name}{suffix}"
        for kind in kinds:
            told_by = "".join(f", {word}" for word in _constants(kind)) if len(kinds) > 1 else ""
            described = "" if told_by else info.description
            yield from ("", f"{heading} `{path}`{told_by}", "", _sentence(described or inspect.getdoc(kind) or ""))
            yield from _default_items(info)
            if kind is not model:
                yield from _section(kind, f"{path}.", heading if len(heading) == 6 else f"{heading}#", depth + 1)


def _constants(model: type[BaseModel]) -> Iterator[str]:
    """What a section of one of several kinds says to be of this one: ``kind: file``."""
    for name, info in settings_of(model).items():
        values = get_args(info.annotation) if get_origin(info.annotation) is Literal else ()
        if info.is_required() and len(values) == 1:
            yield f"`{name}: {values[0]}`"


def _default_items(info: FieldInfo) -> Iterator[str]:
    """Default of a list or mapping of settings, if it is not empty."""
    value = None if info.is_required() else info.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, tuple | list) and value:
        items = [item.model_dump(mode="json", by_alias=True) for item in value]
        yield from ("", "Default:", "", "```yaml", yaml.safe_dump(items, sort_keys=False).rstrip(), "```")


def _nested(annotation: object) -> tuple[str, tuple[type[BaseModel], ...]] | None:
    """Suffix of the path (``[0]``, ``.<key>``) and models, if a setting holds settings of its own."""
    direct = models(annotation)
    if direct:
        return "", direct
    item = child(annotation, 0)
    below = models(item) if item is not None else ()
    if below:
        return (".<key>" if is_mapping(annotation) else "[0]"), below
    return None


def _row(path: str, name: str, info: FieldInfo) -> str:
    cells = (f"`{path}`", type_name(info.annotation), _default(info), _limits(name, info), _sentence(info.description))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True, validated_data={})
    if value is None or value is PydanticUndefined or value in ("", (), [], {}):
        return "none"
    if SecretStr in alternatives(info.annotation):
        return "masked"
    plain = list(value) if isinstance(value, tuple | set | frozenset) else value
    text = str(plain).lower() if isinstance(plain, bool) else str(plain)
    return f"`{text}`"


def _limits(name: str, info: FieldInfo) -> str:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    unit = str(extra.get("unit", "")) or next((text for end, text in _UNITS.items() if name.endswith(end)), "")
    bounds = [
        shape.format(getattr(constraint, attribute))
        for constraint in info.metadata
        for attribute, shape in _BOUNDS
        if getattr(constraint, attribute, None) is not None
    ]
    return ", ".join(filter(None, [unit, *bounds]))


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())
