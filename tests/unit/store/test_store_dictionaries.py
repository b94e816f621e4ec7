"""Numbers have names in SQL, and the query of the Akvorado talk runs as it was written."""

import csv
import io
import time

import numpy as np
import pytest

from millrace.batch import Coded, map_ipv4
from millrace.store import dictionaries
from unit.store.made_flows import few_keys

# The query that Akvorado's author showed for finding attacks; only its layout is ours.
ATTACKS = """
SELECT TimeReceived, DstAddr, protocol, SrcPort, Gbps, flows, sources, countries
FROM (SELECT
 toStartOfMinute(TimeReceived) AS TimeReceived,
 dictGetOrDefault('protocols', 'name', Proto, '???') AS protocol,
 DstAddr, SrcPort,
 SUM(Bytes*SamplingRate*8/1000/1000/1000)/300 AS Gbps,
 quantile(0.1)(Bytes/Packets) AS size,  COUNT(*) AS flows,
 uniq(SrcAddr) AS sources, uniq(SrcCountry) AS countries
FROM flows
WHERE TimeReceived > date_sub(minute, 5, now())
GROUP BY TimeReceived, DstAddr, protocol, SrcPort
)
WHERE (sources > 50 OR countries > 10)
 AND Gbps > 0.2 AND protocol = 'UDP'
ORDER BY TimeReceived DESC, Gbps DESC
"""


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("dictGetOrDefault('protocols', 'name', toUInt8(17), '???')", "UDP"),
        ("dictGetOrDefault('protocols', 'name', toUInt8(58), '???')", "IPV6-ICMP"),
        ("dictGetOrDefault('protocols', 'name', toUInt8(200), '???')", "???"),
        ("dictGet('tcp', 'name', toUInt16(443))", "https"),
        ("dictGet('udp', 'name', toUInt16(53))", "domain"),
        ("dictGetOrDefault('udp', 'name', toUInt16(65001), '')", ""),
        ("dictGet('icmp', 'name', tuple(toUInt8(1), toUInt8(3), toUInt8(3)))", "port-unreachable"),
        ("dictGet('icmp', 'name', tuple(toUInt8(58), toUInt8(135), toUInt8(0)))", "neighbor-solicitation"),
    ],
)
def test_names_of_numbers(store, expression, name):
    assert store.query(f"SELECT {expression} AS name").to_pylist() == [{"name": name}]


def test_names_are_there_after_a_restart_and_follow_a_new_version(open_store, monkeypatch):
    open_store()
    ask = "SELECT dictGet('udp', 'name', toUInt16(53)) AS name"
    assert open_store().query(ask).to_pylist() == [{"name": "domain"}]
    read = dictionaries.read
    monkeypatch.setattr(dictionaries, "read", lambda name: read(name).replace("53,domain", "53,dns"))
    assert open_store().query(ask).to_pylist() == [{"name": "dns"}]


@pytest.mark.parametrize("dictionary", dictionaries.DICTIONARIES, ids=lambda dictionary: dictionary.name)
def test_each_key_has_one_name(dictionary):
    rows = list(csv.DictReader(io.StringIO(dictionaries.read(dictionary.name))))
    keys = [tuple(int(row[name]) for name, _ in dictionary.keys) for row in rows]
    assert keys == sorted(set(keys))
    assert all(row["name"].strip() for row in rows)


def test_the_query_that_finds_attacks_runs_unchanged(store):
    """300 sources send 1 GB each to one address from port 123, sampled 1 in 100."""
    flows = few_keys(300, int(time.time() * 1000) - 1000, 1)
    flows.put("SrcAddr", map_ipv4(np.arange(0x0A000000, 0x0A000000 + 300, dtype=">u4")))
    flows.put("DstAddr", map_ipv4(np.full(300, 0xC633640F, ">u4")))
    flows.put("SrcPort", np.full(300, 123, np.uint16))
    flows.put("Proto", np.full(300, 17, np.uint8))
    flows.put("SamplingRate", np.full(300, 100, np.uint64))
    flows.put("Bytes", np.full(300, 10_000_000, np.uint64))
    flows.put("Packets", np.full(300, 20_000, np.uint64))
    flows.put("SrcCountry", Coded((np.arange(300) % 12).astype(np.int32), [f"C{index}" for index in range(12)]))
    store.insert(flows)
    fields = store.execute_local(ATTACKS, "TSV").decode().split("\t")
    assert fields[1:4] == ["::ffff:198.51.100.15", "UDP", "123"]
    assert float(fields[4]) == pytest.approx(300 * 10e6 * 100 * 8 / 1e9 / 300)
    assert [int(field) for field in fields[5:]] == [300, 300, 12]
