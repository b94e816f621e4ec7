"""Sinks of the configuration as branches of the pipeline, and what is told of them."""

from __future__ import annotations

from millrace.app.settings import Settings
from millrace.errors import ConfigError, QueryError, SchemaError
from millrace.lang import DEFAULT_NAMES, Filter, Names, parse
from millrace.pipeline import Route, SinkBranch
from millrace.schema import Schema
from millrace.sinks import AnySinkSettings, FileSink, FileSinkSettings, Sink, SinkSettings

_MIB = 1 << 20


def make_sinks(settings: Settings, *, from_files: bool = False) -> tuple[SinkBranch, ...]:
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
    name: str, settings: AnySinkSettings, whole: Settings, schema: Schema, names: Names, *, from_files: bool
) -> SinkBranch:
    key = f"sinks.{name}"
    route = Route(
        _filter(f"{key}.filter", settings, schema, names),
        "wait" if from_files else settings.when_full,
        settings.queue_mib * _MIB,
        wait_in_trouble=not from_files,
    )
    sink = _sink(name, key, settings, _columns(f"{key}.columns", settings, schema), whole)
    return SinkBranch(name, sink, schema, route)


def _sink(name: str, key: str, settings: AnySinkSettings, columns: Schema, whole: Settings) -> Sink:
    match settings:
        case FileSinkSettings():
            folder, data = settings.folder.resolve(), whole.data.resolve()
            if folder == data or data in folder.parents:
                wrong = f"{settings.folder} is the data folder, or in it; choose a folder of its own"
                raise ConfigError(f"{key}.folder: {wrong}")
            rotate_bytes = settings.rotate_mib * _MIB
            return FileSink(name, settings.folder, settings.format, columns, rotate_bytes, settings.rotate_seconds)


def _columns(key: str, sink: SinkSettings, schema: Schema) -> Schema:
    try:
        return Schema(base=[schema[name] for name in sink.columns]) if sink.columns else schema
    except SchemaError as error:
        raise ConfigError(f"{key}: {error}") from error


def _filter(key: str, sink: SinkSettings, schema: Schema, names: Names) -> Filter:
    try:
        return parse(sink.filter, schema, names)
    except QueryError as error:
        raise ConfigError(f"{key}: {error}") from error
