"""`millrace sql` reads the store and nothing else: no file, no other host, no program, however it is written."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from millrace.errors import QueryError
from millrace.store import local_sql
from millrace.store.outside import _BOTH, _OWN
from unit.store.made_flows import few_keys

WRITES = [
    "SELECT 1 INTO OUTFILE 'OUT'",
    "select 1 into outfile 'OUT'",
    "SELECT 1 INTO/**/OUTFILE 'OUT'",
    "SELECT 1 INTO -- a comment\n OUTFILE 'OUT'",
    "SELECT 1 INTO # a comment\n OUTFILE 'OUT' FORMAT CSV",
    "SELECT 1 INTO\tOUTFILE\n'OUT' TRUNCATE",
    "SELECT 1 INTO OUTFILE 'OUT' AND STDOUT",
    "SELECT 1 INTO OUTFILE 'OUT' APPEND",
    "SELECT 1 INTO OUTFILE 'OUT' COMPRESSION 'gzip' LEVEL 3",
    "SELECT 1 INTO OUTFILE $$OUT$$",
    "SELECT 1 AS a INTO OUTFILE 'OUT' FORMAT JSON SETTINGS max_threads = 1",
    "WITH 1 AS x SELECT x INTO OUTFILE 'OUT'",
    "(SELECT 1) UNION ALL (SELECT 2) INTO OUTFILE 'OUT'",
    "FROM flows SELECT Bytes INTO OUTFILE 'OUT'",
    "SHOW TABLES INTO OUTFILE 'OUT'",
    "SHOW CREATE TABLE flows INTO OUTFILE 'OUT'",
    "DESCRIBE TABLE flows INTO OUTFILE 'OUT'",
    "EXPLAIN SELECT 1 INTO OUTFILE 'OUT'",
    "EXISTS TABLE flows INTO OUTFILE 'OUT'",
    "SELECT $$'$$ INTO OUTFILE 'OUT'",
    "SELECT '\\'' INTO OUTFILE 'OUT'",
    "SELECT 1 AS \"'\" INTO OUTFILE 'OUT'",
    "SELECT ‘'’ INTO OUTFILE 'OUT'",
]

READS = [
    "SELECT * FROM file('SECRET')",
    "SELECT * FROM FILE('SECRET')",
    "SELECT * FROM `file`('SECRET')",
    "SELECT * FROM \"file\"('SECRET')",
    "SELECT * FROM file ( 'SECRET' , 'CSV' )",
    "SELECT * FROM/**/file/**/(/**/'SECRET')",
    "SELECT * FROM file(concat('SEC', 'RET'))",
    "SELECT * FROM file('SECRET', 'LineAsString')",
    "SELECT * FROM fileCluster('default', 'SECRET')",
    "SELECT * FROM filesystem('FOLDER')",
    "SELECT * FROM 'SECRET'",
    "SELECT * FROM `SECRET`",
    'SELECT * FROM "SECRET"',
    "SELECT * FROM default.`SECRET`",
    "SELECT * FROM flows JOIN `SECRET` AS s ON 1 = 1",
    "SELECT Bytes IN `SECRET` FROM flows",
    "SELECT * FROM merge('default', '.*secret.*')",
    "SELECT * FROM loop(default, `SECRET`)",
    "SELECT * FROM view(SELECT * FROM file('SECRET'))",
    "SELECT * FROM viewExplain('EXPLAIN', '', (SELECT * FROM file('SECRET')))",
    "SELECT * FROM eval('SELECT * FROM file(''SECRET'')')",
    "WITH x AS (SELECT * FROM file('SECRET')) SELECT * FROM x",
    "WITH (SELECT c1 FROM file('SECRET')) AS x SELECT x",
    "SELECT (SELECT c1 FROM file('SECRET'))",
    "SELECT 1 UNION ALL SELECT c1 FROM file('SECRET')",
    "DESCRIBE TABLE file('SECRET')",
    "DESCRIBE 'SECRET'",
    "EXISTS TABLE `SECRET`",
    "EXISTS default.`SECRET`",
    'EXISTS TEMPORARY TABLE "SECRET"',
    "EXPLAIN SELECT * FROM file('SECRET')",
    "SELECT file('SECRET')",
    "SELECT FILE('SECRET')",
    "SELECT `file`('SECRET')",
    "SELECT file/* */('SECRET', 'none')",
    "SELECT $$'$$, file('SECRET'), '1'",
    "SELECT arrayMap(x -> file(x), ['SECRET'])",
    "EXPLAIN SELECT (SELECT file('SECRET'))",
    "DESCRIBE (SELECT file('SECRET'))",
    "SELECT hasColumnInTable('default', 'SECRET', 'c1')",
    "SELECT 1 FORMAT Template SETTINGS format_template_row = 'SECRET'",
    "SELECT 1 FORMAT Template SETTINGS format_template_resultset = 'SECRET'",
    "SELECT 1 FORMAT Protobuf SETTINGS format_schema = 'SECRET:Message'",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT * FROM executable('SECRET', 'LineAsString', 'a String')",
    "SELECT * FROM sqlite('SECRET', 't')",
    "SELECT * FROM icebergLocal('FOLDER')",
    "SELECT * FROM deltaLakeLocal('FOLDER')",
    "SELECT * FROM python('os')",
    "SELECT * FROM Python(os)",
    "SELECT * FROM dictionary('/etc')",
    "SELECT aiGenerate('SECRET')",
    "SELECT AIGenerate('SECRET')",
]

HOSTS = [
    "SELECT * FROM url('http://HOST/x', 'LineAsString')",
    "SELECT * FROM URL('http://HOST/x')",
    "SELECT * FROM urlCluster('default', 'http://HOST/x')",
    "SELECT * FROM s3('http://HOST/b/x', 'CSV')",
    "SELECT * FROM gcs('http://HOST/b/x', 'CSV')",
    "SELECT * FROM azureBlobStorage('http://HOST/b', 'c', 'x')",
    "SELECT * FROM remote('HOST', system.one)",
    "SELECT * FROM remoteSecure('HOST', system.one)",
    "SELECT * FROM cluster('default', system.one)",
    "SELECT * FROM clusterAllReplicas('default', system.one)",
    "SELECT * FROM mysql('HOST', 'd', 't', 'u', 'p')",
    "SELECT * FROM postgresql('HOST', 'd', 't', 'u', 'p')",
    "SELECT * FROM mongodb('HOST', 'd', 't', 'u', 'p', 'a String')",
    "SELECT * FROM redis('HOST', 'k', 'k String')",
    "SELECT * FROM hdfs('hdfs://HOST/x', 'CSV')",
    "SELECT * FROM jdbc('jdbc:x://HOST', 't')",
    "SELECT * FROM odbc('DSN=x', 't')",
    "SELECT * FROM iceberg('http://HOST/b/x')",
    "SELECT * FROM deltaLake('http://HOST/b/x')",
    "SELECT * FROM hudi('http://HOST/b/x')",
    "SELECT * FROM 'http://HOST/x.csv'",
    "SELECT * FROM `s3://HOST/x.csv`",
]

SEVERAL = [
    "SELECT $$'$$; SELECT file('SECRET'); SELECT '1'",
    "SELECT $a$'$a$; KILL QUERY WHERE 1; SELECT '1'",
    "SELECT ‘'’; SYSTEM FLUSH LOGS; SELECT '1'",
    "KILL QUERY WHERE 1",
    "SYSTEM RELOAD CONFIG",
    "INSERT INTO FUNCTION file('OUT') SELECT 1",
    "CREATE TABLE x ENGINE = File(CSV, 'OUT') AS SELECT 1",
    "BACKUP TABLE flows TO File('OUT')",
    "SET readonly = 0",
    "# SELECT 1\nKILL QUERY WHERE 1 ASYNC",
    "# SELECT 1\nSYSTEM FLUSH LOGS",
]

WORD = "of-no-concern-to-sql"


@pytest.fixture
def place(tmp_path):
    """A folder with a file that nobody is to see, and where none is to appear."""
    (tmp_path / "secret.csv").write_text(f"{WORD}\n")
    return tmp_path


@pytest.fixture
def host():
    """A server that nobody is to ask: its address, and who connected, whatever the protocol."""
    asked = []

    class Server(ThreadingHTTPServer):
        def get_request(self):
            connection, address = super().get_request()
            # A client that waits for a greeting in another protocol than HTTP is not to wait for long.
            connection.settimeout(0.5)
            asked.append(address)
            return connection, address

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(404)

        do_HEAD = do_PUT = do_POST = do_GET  # noqa: N815 - as http.server calls them

        def log_message(self, *_):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def put_in(sql, place, host="127.0.0.1:9"):
    marks = {"'OUT'": f"'{place}/out'", "$$OUT$$": f"$${place}/out$$", "SECRET": f"{place}/secret.csv"}
    for mark, text in {**marks, "FOLDER": str(place), "HOST": host}.items():
        sql = sql.replace(mark, text)
    return sql


@pytest.mark.parametrize("sql", [*WRITES, *READS, *SEVERAL])
def test_no_file_is_read_or_written(store, place, sql):
    with pytest.raises(QueryError) as refused:
        store.execute_local(put_in(sql, place), "TSV")
    assert WORD not in str(refused.value)
    assert [path.name for path in place.iterdir()] == ["secret.csv"]


@pytest.mark.parametrize("sql", HOSTS)
def test_nobody_else_is_asked(store, place, host, sql):
    address, asked = host
    with pytest.raises(QueryError):
        store.execute_local(put_in(sql, place, address), "TSV")
    assert not asked


def test_every_table_function_of_the_engine_is_refused_but_those_that_read_the_store(store):
    names = store.execute_local("SELECT lower(name) FROM system.table_functions", "TSV").decode().split()
    assert len(names) > 50
    for name in set(names) - _OWN - _BOTH:
        with pytest.raises(QueryError, match="reads beyond the store"):
            store.execute_local(f"SELECT * FROM {name}('x')", "TSV")


@pytest.mark.parametrize("output", ["CSV INTO OUTFILE '/tmp/x'", "", "TSV SETTINGS readonly = 0"])
def test_an_output_format_is_a_name(store, output):
    with pytest.raises(QueryError, match="not the name of an output format"):
        store.execute_local("SELECT 1", output)


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("SELECT count() FROM flows", "5"),
        ("SELECT count() FROM flows;", "5"),
        ("FROM flows SELECT count()", "5"),
        ("SELECT 'INTO OUTFILE', 'file(' || 'x)' -- INTO OUTFILE 'x'", "INTO OUTFILE\tfile(x)"),
        ("SELECT 1 AS `INTO OUTFILE`, 2 AS file", "1\t2"),
        ("SELECT sum(number) FROM numbers(10)", "45"),
        ("SELECT a FROM VALUES('a Int8', 7)", "7"),
        ("SELECT a FROM view(SELECT 7 AS a)", "7"),
        ("SELECT count() FROM merge('default', '^flows$')", "5"),
        ("SELECT dictGet('protocols', 'name', toUInt8(6))", "TCP"),
        ("SELECT format('{}-{}', 'a', 'b')", "a-b"),
        ("WITH x AS (SELECT 1 AS a) SELECT a FROM x", "1"),
        ("SELECT arrayMap(x -> x + 1, [1]), INTERVAL 1 DAY = toIntervalDay(1), 7::UInt8", "[2]\t1\t7"),
        ("SELECT 'it''s', $$he said \"$$, '\\n', 'é'", "it\\'s\the said \"\t\\n\té"),
        ("SELECT count() > 5 FROM system.tables", "1"),
        ("SELECT hex(unhex('FF'))", "FF"),
        ("EXISTS TABLE flows", "1"),
        ("SELECT 1 FORMAT CSV", "1"),
    ],
)
def test_what_reads_the_store_is_answered(store, sql, answer):
    store.insert(few_keys(5))
    assert store.execute_local(sql, "TSV").decode().rstrip("\n") == answer


@pytest.mark.parametrize("sql", ["SHOW TABLES", "DESCRIBE flows", "EXPLAIN SELECT 1", "SHOW CREATE TABLE flows"])
def test_what_tells_of_the_store_is_answered(store, sql):
    assert store.execute_local(sql, "TSV")


def test_bytes_that_are_no_text_are_refused_with_what_to_write(store):
    with pytest.raises(QueryError, match="unhex"):
        store.execute_local("SELECT hex('\\xff')", "TSV")


def test_a_file_that_is_not_there_is_no_damage_of_the_store(store, place):
    with pytest.raises(QueryError, match="nowhere"):
        store.execute_local(f"SELECT * FROM file('{place}/nowhere.csv', 'CSV', 'a UInt8')", "TSV", outside=True)


def test_who_asks_for_it_gets_outside(open_store, folder, place):
    open_store()
    read = f"SELECT * FROM file('{place}/secret.csv', 'LineAsString') SETTINGS max_threads = 1"
    with pytest.raises(QueryError, match="--outside"):
        local_sql(folder, read, "TSV")
    assert local_sql(folder, read, "TSV", outside=True).decode() == f"{WORD}\n"
    local_sql(folder, f"SELECT 7 INTO OUTFILE '{place}/out' FORMAT TSV", "TSV", outside=True)
    assert (place / "out").read_text() == "7\n"
    for several in SEVERAL:
        with pytest.raises(QueryError):
            local_sql(folder, put_in(several, place), "TSV", outside=True)
