"""A YAML document as plain data that remembers where each key stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import yaml

from millrace.errors import ConfigError

Key: TypeAlias = "str | int"
KeyPath: TypeAlias = "tuple[Key, ...]"

_COLLECTIONS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_MERGE = "tag:yaml.org,2002:merge"

MAX_DEPTH = 32
"""Levels of nesting; no setting lies deeper, and an alias that contains itself has no end."""

MAX_VALUES = 1_000_000
"""Values in a document, each alias counted where it is used: ten lines of aliases can stand for 10⁹ values."""


@dataclass(slots=True)
class Document:
    """Settings as written, and where.

    Attributes
    ----------
    data : dict
        What the document says, or an empty dict.
    places : dict
        For each path of keys, where it was set: ``config.yaml line 3, column 5`` or
        the name of an environment variable.
    """

    data: dict[Key, object] = field(default_factory=dict)
    places: dict[KeyPath, str] = field(default_factory=dict)

    def place(self, path: KeyPath) -> str:
        """Where the key, or the nearest one that contains it, was set; ``""`` if nowhere."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return ""


def read_document(path: Path) -> Document:
    """Read a YAML file.

    Raises
    ------
    ConfigError
        If it cannot be read, is not YAML, is not a mapping, or uses a key twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    return parse_document(text, path.name)


def parse_document(text: str, name: str) -> Document:
    """Parse YAML text; `name` stands for it in messages. Raises as `read_document`."""
    try:
        reader = _Reader(text, name)
        root = reader.loader.get_single_node()
        if root is None:
            return Document()
        data = reader.read(root, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"{name}{where}: {error.problem or error.context or 'is not YAML'}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: is not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{name}: a mapping of sections is expected, not {type(data).__name__}")
    return Document(data, reader.places)


class _Reader:
    """Walks the node tree, because constructed values no longer know their place."""

    def __init__(self, text: str, name: str) -> None:
        self.loader = yaml.SafeLoader(text)
        self.places: dict[KeyPath, str] = {}
        self._name = name
        self._values = 0
        # Merging changes a node; one that is used twice must not be checked after it.
        self._flattened: set[int] = set()

    def read(self, node: yaml.Node, path: KeyPath) -> object:
        self._values += 1
        if len(path) > MAX_DEPTH or self._values > MAX_VALUES:
            raise ConfigError(f"{self._place(node)}: nested too deeply, or too much of it (an alias of itself?)")
        if isinstance(node, yaml.CollectionNode) and node.tag not in _COLLECTIONS:
            raise ConfigError(f"{self._place(node)}: the tag {node.tag!r} is not known")
        match node:
            case yaml.MappingNode():
                return self._read_mapping(node, path)
            case yaml.SequenceNode():
                items: list[object] = []
                for index, item in enumerate(node.value):
                    self.places[*path, index] = self._place(item)
                    items.append(self.read(item, (*path, index)))
                return items
            case _:
                return self.loader.construct_object(node)

    def _read_mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[Key, object]:
        if id(node) not in self._flattened:
            self._flattened.add(id(node))
            self._refuse_duplicates(node, path)
            self.loader.flatten_mapping(node)
        data: dict[Key, object] = {}
        for key_node, value_node in node.value:
            key = self.loader.construct_object(key_node, deep=True)
            self.places[*path, key] = self._place(key_node)
            data[key] = self.read(value_node, (*path, key))
        return data

    def _refuse_duplicates(self, node: yaml.MappingNode, path: KeyPath) -> None:
        own: dict[Key, str] = {}
        for key_node, _ in node.value:
            if key_node.tag == _MERGE:
                continue
            key = self.loader.construct_object(key_node, deep=True)
            if not isinstance(key, str | int):
                raise ConfigError(f"{self._place(key_node)}: a key must be a text or a number")
            if key in own:
                raise ConfigError(f"{_dotted((*path, key))}: set twice ({own[key]} and {self._place(key_node)})")
            own[key] = self._place(key_node)

    def _place(self, node: yaml.Node) -> str:
        return f"{self._name} line {node.start_mark.line + 1}, column {node.start_mark.column + 1}"


def _dotted(path: KeyPath) -> str:
    return ".".join(str(part) for part in path)
