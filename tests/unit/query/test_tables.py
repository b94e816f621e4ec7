"""Which table answers for which part of a range."""

from hypothesis import given
from hypothesis import strategies as st

from millrace.query import Table
from millrace.query.tables import plan

HOUR = 3600


@st.composite
def stores(draw):
    """Tables with some retention and some delay; raw flows are always there at the end."""
    now = draw(st.integers(100 * HOUR, 200 * HOUR))
    tables = [Table("flows", 0, since=draw(st.integers(0, now)))]
    for name, interval in (("m", 60), ("f", 300), ("h", 3600)):
        until = (now - draw(st.integers(0, 5 * HOUR))) // interval * interval
        tables.append(Table(name, interval, since=draw(st.integers(0, until // interval)) * interval, until=until))
    return now, draw(st.permutations(tables))


@given(stores(), st.integers(0, 199 * HOUR), st.integers(1, 100 * HOUR), st.sampled_from([None, 60, 300, 3600, 7200]))
def test_segments_neither_overlap_nor_leave_the_range(store, start, length, step):
    now, tables = store
    end = min(start + length, now)
    if start >= end:
        return
    found = plan(tables, start, end, step)
    edge = found.start
    for segment in found.segments:
        assert edge <= segment.start < segment.end <= found.end
        edge = segment.end
        interval = segment.table.interval_seconds
        if interval:
            assert segment.start % interval == segment.end % interval == 0
            assert segment.table.since <= segment.start
            assert segment.end <= segment.table.until
            assert step is None or step % interval == 0


@given(st.integers(0, 100 * HOUR), st.integers(1, 100 * HOUR), st.integers(0, HOUR))
def test_range_is_covered_exactly_where_flows_are_kept(start, length, delay):
    end = start + length
    rolled = [Table(name, i, until=(end - delay) // i * i) for name, i in (("m", 60), ("f", 300), ("h", 3600))]
    found = plan([Table("flows"), *rolled], start, end)
    assert (found.start, found.end) == (start, end)
    assert found.segments[0].start == start
    assert found.segments[-1].end == end
    assert sum(segment.end - segment.start for segment in found.segments) == length
    raw = sum(s.end - s.start for s in found.segments if not s.table.interval_seconds)
    assert raw <= 60 + 60 + delay


def test_whole_hours_come_from_the_coarsest_table():
    tables = [Table("flows"), Table("m", 60), Table("f", 300), Table("h", 3600)]
    segments = plan(tables, 3590, 3 * HOUR + 370).segments
    assert [(s.table.name, s.start, s.end) for s in segments] == [
        ("flows", 3590, 3600),
        ("h", 3600, 10800),
        ("f", 10800, 11100),
        ("m", 11100, 11160),
        ("flows", 11160, 11170),
    ]


@given(
    stores(),
    st.integers(0, 199 * HOUR),
    st.integers(1, 100 * HOUR),
    st.integers(0, 20 * HOUR),
    st.lists(st.tuples(st.integers(0, 199 * HOUR), st.integers(1, 40 * HOUR)), max_size=3),
    st.sampled_from([None, 60, 300, 3600, 7200]),
)
def test_nothing_is_read_that_does_not_tell_a_column(store, start, length, beyond, gaps, step):
    """Also where whole intervals reach beyond the end of the range, up to a time that lies in a gap."""
    now, tables = store
    end = min(start + length, now)
    if start >= end:
        return

    def lacking(table):
        unit = table.interval_seconds or 1
        found = tuple((at // unit * unit, -(-(at + long) // unit) * unit) for at, long in gaps)
        return Table(table.name, unit if unit > 1 else 0, table.since, table.until, gaps={"Tenant": found})

    knowing = [lacking(table).knowing(["Tenant"], end) for table in tables]
    found = plan(knowing, start, min(end + beyond, now), step)
    for segment in found.segments:
        for gap_start, gap_end in segment.table.gaps["Tenant"]:
            assert segment.end <= gap_start or gap_end <= segment.start
    if not gaps:
        assert found.lacking is None
