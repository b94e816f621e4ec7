"""Names for numbers, usable in SQL: `protocols`, `tcp`, `udp` and `icmp`.

``dictGetOrDefault('protocols', 'name', Proto, '???')``; for ICMP the key is
``(proto, type, code)`` with proto 1 or 58. The names are rows of CSV files:
those that the filter language knows too (`millrace.lang.names`), IANA's protocol
keywords in upper case and common services, and ICMP types (RFC 792, RFC 4443
and later).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources

from millrace.lang.names import data_text
from millrace.store.ddl import literal
from millrace.store.engine import Engine
from millrace.store.facts import Facts


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A dictionary and its source table.

    Parameters
    ----------
    name : str
        Also of the CSV file.
    keys : tuple of (str, str)
        Name and type of each key column.
    layout : str
    """

    name: str
    keys: tuple[tuple[str, str], ...]
    layout: str

    @property
    def table(self) -> str:
        """Table that the dictionary is loaded from."""
        return f"millrace_{self.name}"


DICTIONARIES = (
    Dictionary("protocols", (("proto", "UInt8"),), "FLAT()"),
    Dictionary("tcp", (("port", "UInt16"),), "FLAT()"),
    Dictionary("udp", (("port", "UInt16"),), "FLAT()"),
    Dictionary("icmp", (("proto", "UInt8"), ("type", "UInt8"), ("code", "UInt8")), "COMPLEX_KEY_HASHED()"),
)


def install(engine: Engine, state: Facts) -> None:
    """Fill the tables and create the dictionaries, unless this very content is there already."""
    contents = {dictionary.name: read(dictionary.name) for dictionary in DICTIONARIES}
    digest = hashlib.sha256("".join(contents.values()).encode() + repr(DICTIONARIES).encode()).hexdigest()[:16]
    if state.get("dictionaries").get("digest") == digest:
        return
    for dictionary in DICTIONARIES:
        _install(engine, dictionary, contents[dictionary.name])
    state.put("dictionaries", {"digest": digest})


def read(name: str) -> str:
    """CSV text of a dictionary, its first line the column names."""
    if name == "icmp":
        return resources.files("millrace.store").joinpath("data", "icmp.csv").read_text("ascii")
    return data_text(name)


def _install(engine: Engine, dictionary: Dictionary, content: str) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in (*dictionary.keys, ("name", "String")))
    key = ", ".join(name for name, _ in dictionary.keys)
    engine.execute(f"DROP DICTIONARY IF EXISTS {dictionary.name}")
    engine.execute(f"DROP TABLE IF EXISTS {dictionary.table}")
    engine.execute(f"CREATE TABLE {dictionary.table} ({columns}) ENGINE = MergeTree ORDER BY ({key})")
    engine.execute(
        f"INSERT INTO {dictionary.table} SELECT * FROM format(CSVWithNames, {literal(columns)}, {literal(content)})"
    )
    engine.execute(
        f"CREATE DICTIONARY {dictionary.name} ({columns}) PRIMARY KEY {key} "
        f"SOURCE(CLICKHOUSE(TABLE {literal(dictionary.table)} DB 'default')) "
        f"LAYOUT({dictionary.layout}) LIFETIME(0)"
    )
