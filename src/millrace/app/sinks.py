"""Sinks of the configuration as branches of the pipeline, and what is told of them."""

from __future__ import annotations

from millrace.app.settings import Settings
from millrace.errors import ConfigError, QueryError, SchemaError
from millrace.lang import DEFAULT_NAMES, Filter, Names, parse
from millrace.pipeline import Branch, Route
from millrace.schema import Schema
from millrace.sinks import FileSink, FileSinkSettings

_MIB = 1 << 20


def make_branches(settings: Settings, *, from_files: bool = False) -> tuple[Branch, ...]:
    """A branch per sink of the configuration; nothing is opened or written yet.

    Parameters
    ----------
    settings : Settings
    from_files : bool
        Flows come from files, which can wait: then no flow is dropped as long as sinks work.

    Raises
    ------
    ConfigError
        If a column, a filter or a folder is wrong; names the key.
    """
    schema = settings.columns.schema_of()
    if not settings.sinks:
        return ()
    names = DEFAULT_NAMES.with_autonomous_systems(settings.as_names)
    return tuple(
        _branch(name, sink, settings, schema, names, from_files=from_files) for name, sink in settings.sinks.items()
    )


def _branch(
    name: str, sink: FileSinkSettings, settings: Settings, schema: Schema, names: Names, *, from_files: bool
) -> Branch:
    key = f"sinks.{name}"
    folder, data = sink.folder.resolve(), settings.data.resolve()
    if folder == data or data in folder.parents:
        raise ConfigError(f"{key}.folder: {sink.folder} is the data folder, or in it; choose a folder of its own")
    columns = _columns(f"{key}.columns", sink, schema)
    files = FileSink(name, sink.folder, sink.format, columns, sink.rotate_mib * _MIB, sink.rotate_seconds)
    route = Route(
        _filter(f"{key}.filter", sink, schema, names),
        "wait" if from_files else sink.when_full,
        sink.queue_mib * _MIB,
        wait_in_trouble=not from_files,
    )
    return Branch(name, files, schema, route)


def _columns(key: str, sink: FileSinkSettings, schema: Schema) -> Schema:
    try:
        return Schema(base=[schema[name] for name in sink.columns]) if sink.columns else schema
    except SchemaError as error:
        raise ConfigError(f"{key}: {error}") from error


def _filter(key: str, sink: FileSinkSettings, schema: Schema, names: Names) -> Filter:
    try:
        return parse(sink.filter, schema, names)
    except QueryError as error:
        raise ConfigError(f"{key}: {error}") from error
