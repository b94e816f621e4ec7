"""Reading: bounds, parameters, and results as Arrow or as text."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from millrace.errors import QueryError
from millrace.store import faults, statements
from millrace.store import outside as outside_of_store
from millrace.store.cancel import Cancel
from millrace.store.config import StoreSettings
from millrace.store.damage import Damage
from millrace.store.engine import Engine
from millrace.store.faults import EngineError
from millrace.store.shares import Share, Shares

_KNOWN_QUERIES = 256
_MAX_STATEMENT_BYTES = 4 * 2**20
_MAX_STATEMENT_PARTS = 500_000


class Results:
    """Runs statements that only read.

    Parameters
    ----------
    engine : Engine
    settings : StoreSettings
        Bounds that hold unless the caller gives others.
    damage : Damage, optional
        Is told of parts that cannot be read.
    """

    def __init__(self, engine: Engine, settings: StoreSettings, damage: Damage | None = None) -> None:
        self._engine = engine
        self._damage = damage or Damage(engine)
        self._settings = settings
        self._shares = Shares(settings)
        self._types: OrderedDict[bytes, dict[str, str]] = OrderedDict()
        self._functions: frozenset[str] = frozenset()
        self._guard = threading.Lock()

    def table(
        self,
        sql: str,
        parameters: Mapping[str, object],
        *,
        max_rows: int | None,
        max_seconds: float | None,
        max_memory_bytes: int | None,
        cancel: Cancel | None = None,
        typed: bool = True,
    ) -> pa.Table:
        """Result as an Arrow table; if `typed`, with times in UTC and enumerations as texts."""
        rows = self._settings.query_max_rows if max_rows is None else max_rows
        bounds: dict[str, int | float | str] = {"max_result_rows": rows, "result_overflow_mode": "throw"}
        sql = statements.single(sql)

        def ask(share: Share) -> bytes:
            limits = self._limits(share, max_seconds, max_memory_bytes)
            return self._engine.read(sql, "ArrowStream", parameters, limits | bounds, cancel)

        try:
            types = self._describe(sql, parameters, self._limits(self._shares.small), cancel) if typed else {}
            raw = self._shares.run(sql, ask, cancel, max_seconds)
        except TypeError as error:
            raise QueryError(str(error)) from error
        except EngineError as error:
            self._damage.note(error)
            raise faults.of_read(error) from error
        return _retyped(pa.ipc.open_stream(raw).read_all(), types)

    def formatted(self, sql: str, output: str, *, outside: bool = False, cancel: Cancel | None = None) -> bytes:
        """Result as bytes in one of ClickHouse's output formats.

        Parameters
        ----------
        sql : str
            Written by a person.
        output : str
        outside : bool
            Whether it may read and write beyond the store, and change settings of its own.
        cancel : Cancel, optional
        """
        sql = statements.single(sql)
        if not output.isalnum():
            raise QueryError(f"{output!r} is not the name of an output format")
        limits = self._limits(self._shares.large) | {"max_result_rows": 0, "max_execution_time": 0}
        try:
            # As the engine's own parser understands it: what a lexer of ours takes for a text may be more than one.
            written = self._asked("SELECT formatQuerySingleLine({sql:String})", {"sql": sql}, limits)
            as_understood = statements.single(written)
            if outside:
                return self._engine.read(sql, output, {}, limits, cancel)
            _require_text(written)
            outside_of_store.refuse(written, self._table_functions(limits))
            return self._engine.read(as_understood, output, {}, limits, cancel, sealed=True)
        except EngineError as error:
            self._damage.note(error)
            raise faults.of_read(error, outside=outside) from error

    def _asked(self, sql: str, parameters: Mapping[str, object], limits: Mapping[str, int | float | str]) -> str:
        answer = self._engine.read(sql, "TabSeparatedRaw", parameters, limits)
        return answer.decode("utf-8", "surrogateescape").removesuffix("\n")

    def _table_functions(self, limits: Mapping[str, int | float | str]) -> frozenset[str]:
        if not self._functions:
            names = self._asked("SELECT lower(name) FROM system.table_functions", {}, limits)
            self._functions = frozenset(names.split())
        return self._functions

    def _limits(
        self, share: Share, max_seconds: float | None = None, max_memory_bytes: int | None = None
    ) -> dict[str, int | float | str]:
        memory = min(share.limit, max_memory_bytes or share.limit)
        on_disk = min(share.on_disk, memory // 2)
        return {
            "max_execution_time": max_seconds or self._settings.query_max_seconds,
            "max_memory_usage": memory,
            "max_bytes_before_external_group_by": on_disk,
            "max_bytes_before_external_sort": on_disk,
            "max_bytes_ratio_before_external_group_by": 0,
            "max_bytes_ratio_before_external_sort": 0,
            # The engine would leave all but one core idle, for want of a gibibyte per thread.
            "max_threads_min_free_memory_per_thread": 0,
            # A filter of 500 comparisons, in each part of a statement, is longer than the engine's own bounds.
            "max_query_size": _MAX_STATEMENT_BYTES,
            "max_ast_elements": _MAX_STATEMENT_PARTS,
            "max_expanded_ast_elements": 10 * _MAX_STATEMENT_PARTS,
        }

    def _describe(
        self,
        sql: str,
        parameters: Mapping[str, object],
        limits: Mapping[str, int | float | str],
        cancel: Cancel | None,
    ) -> dict[str, str]:
        """ClickHouse type of each result column; Arrow output forgets which integers were times."""
        # Of statements, which have up to megabytes, only a digest is kept.
        key = hashlib.blake2b(sql.encode("utf-8", "surrogatepass"), digest_size=32).digest()
        with self._guard:
            known = self._types.get(key)
            if known is not None:
                self._types.move_to_end(key)
                return known
        raw = self._engine.read(f"DESCRIBE TABLE ({sql})", "TabSeparatedRaw", parameters, limits, cancel)
        types = dict(line.split("\t")[:2] for line in raw.decode().splitlines())
        with self._guard:
            self._types[key] = types
            while len(self._types) > _KNOWN_QUERIES:
                self._types.popitem(last=False)
        return types


def _require_text(statement: str) -> None:
    try:
        statement.encode()
    except UnicodeEncodeError as error:
        raise QueryError("the statement holds bytes that are no text (UTF-8); write them as unhex('…')") from error


def _retyped(table: pa.Table, types: Mapping[str, str]) -> pa.Table:
    """Give times and enumerations the Arrow types that their ClickHouse types mean."""
    for index, name in enumerate(table.column_names):
        kind = types.get(name, "").removeprefix("Nullable(")
        column = table.column(index)
        if kind.startswith("DateTime") and pa.types.is_uint32(column.type):
            column = pc.cast(pc.cast(column, pa.int64()), pa.timestamp("s", tz="UTC"))
        elif kind.startswith("Enum"):
            column = _enum_texts(column, kind)
        else:
            continue
        table = table.set_column(index, name, column)
    return table


def _enum_texts(column: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    names = enum_names(kind)
    codes = pa.array(list(names), column.type)
    texts = pa.array(list(names.values()), pa.string())
    return pc.take(texts, pc.index_in(column, value_set=codes))


def enum_names(kind: str) -> dict[int, str]:
    """Codes and names of an Enum type as ClickHouse prints it."""
    found = re.findall(r"'((?:[^'\\]|\\.)*)' = (-?\d+)", kind)
    return {int(code): text.replace("\\'", "'").replace("\\\\", "\\") for text, code in found}
