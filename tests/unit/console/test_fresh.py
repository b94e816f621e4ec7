"""The built console is of the sources beside it."""

import importlib.util
import re
from pathlib import Path

import pytest

from millrace.api.console import CONSOLE_PAGES
from millrace.console import DIST

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.skipif(not (ROOT / "frontend").is_dir(), reason="the sources of the console are not here")


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("console_source_hash", ROOT / "scripts/console_source_hash.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def built_files(folder=DIST):
    for entry in folder.iterdir():
        yield from built_files(entry) if entry.is_dir() else [entry]


def test_the_built_console_is_of_the_sources_beside_it(script):
    built = (DIST / "source.sha256").read_text(encoding="ascii").strip()

    assert built == script.source_hash(), "run: make console"


def test_the_hash_changes_with_a_byte_or_a_name_but_not_with_a_test(script, tmp_path):
    for name in (*script._FILES, "src/a.ts", "public/x", "scripts/y"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("one")
    before = script.source_hash(tmp_path)

    (tmp_path / "src/a.test.ts").write_text("a test")
    with_test = script.source_hash(tmp_path)
    (tmp_path / "src/a.ts").write_text("two")
    changed = script.source_hash(tmp_path)
    (tmp_path / "src/a.ts").write_text("one")
    (tmp_path / "src/a.ts").rename(tmp_path / "src/b.ts")
    renamed = script.source_hash(tmp_path)

    assert before == with_test
    assert len({before, changed, renamed}) == 3


def test_no_built_file_names_this_machine_or_a_registry():
    for entry in built_files():
        text = entry.read_bytes().decode("utf-8", "replace")
        assert str(ROOT) not in text, entry.name
        assert not re.search(r"registry\.[a-z]+js|node_modules/|/home/|/root/", text), entry.name


def test_every_page_of_the_router_is_served():
    router = (ROOT / "frontend/src/router/pages.ts").read_text(encoding="utf-8")
    first_parts = {path.split("/")[1] for path in re.findall(r'path: "(/[^"]*)"', router)}

    assert {part for part in first_parts if part and not part.startswith(":")} == set(CONSOLE_PAGES)
