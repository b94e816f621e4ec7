"""The lock file pins everything by hash, and the rules that look for unsafe code stay on."""

import importlib.util
import inspect
import re
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from pip._internal.resolution.resolvelib import resolver

ROOT = Path(__file__).parents[2]
HASH = "--hash=sha256:" + "0" * 64


@pytest.fixture(scope="module")
def lock():
    spec = importlib.util.spec_from_file_location("check_lock", ROOT / "scripts" / "check_lock.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_lock"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["check_lock"]


@pytest.fixture(scope="module")
def installed(lock):
    return {lock.canonicalize_name(found.metadata["Name"]): found for found in distributions()}


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture
def text():
    return (ROOT / "requirements.lock").read_text()


def test_the_lock_of_the_project_is_whole(lock, text, project, installed):
    entries, wrong = lock.read_lock(text)
    assert wrong == []
    assert list(lock.check_needs(entries, project, installed)) == []
    assert len(entries) > 50


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("numpy==1.0", "no sha256"),
        ("numpy==1.0 --hash=md5:abc", "no sha256"),
        (f"numpy==1.0 {HASH} --no-binary=numpy", "something else"),
        (f"numpy>=1.0 {HASH}", "not pinned"),
        (f"numpy==1.* {HASH}", "not pinned"),
        (f"numpy {HASH}", "not pinned"),
        (f"numpy @ https://example.org/numpy.whl {HASH}", "not pinned"),
        ("--index-url https://example.org/simple", "is an option"),
        ("--extra-index-url https://example.org/simple", "is an option"),
        ("-e .", "is an option"),
        ("./numpy.whl", "no requirement"),
        (f"numpy==1.0 {HASH}\nNumPy==2.0 {HASH}", "locked twice"),
    ],
)
def test_what_is_not_pinned_by_hash_is_found(lock, line, said):
    _, wrong = lock.read_lock(f"{line}\n")
    assert len(wrong) == 1
    assert said in wrong[0]


def without(text, name):
    lines = text.replace("\\\n", " ").splitlines()
    return "\n".join(line for line in lines if not line.startswith(f"{name}=="))


@pytest.mark.parametrize("name", ["uvicorn", "h11", "joserfc", "psycopg-binary", "hypothesis"])
def test_what_is_missing_is_found_also_what_is_needed_by_others(lock, text, project, installed, name):
    entries, _ = lock.read_lock(without(text, name))
    wrong = list(lock.check_needs(entries, project, installed))
    assert any(sentence.startswith(f"{name} is not locked") for sentence in wrong)


def test_what_nothing_needs_and_what_does_not_fit_is_found(lock, text, project, installed):
    entries, _ = lock.read_lock(f"{without(text, 'starlette')}\nleft-pad==1.0 {HASH}\nstarlette==0.1 {HASH}\n")
    wrong = list(lock.check_needs(entries, project, installed))
    assert "left-pad is locked, but nothing needs it" in wrong
    assert any(sentence.startswith("starlette is locked at 0.1, but fastapi needs") for sentence in wrong)
    told = list(lock.check_installed(entries, installed))
    assert any(sentence.startswith("starlette is installed at") for sentence in told)
    assert "left-pad is locked, but not installed" in told


def advisories():
    return tomllib.loads((ROOT / "scripts" / "advisories.toml").read_text())


def test_no_locked_version_has_a_hole_that_is_known(lock, text):
    entries, _ = lock.read_lock(text)
    assert list(lock.check_advisories(entries, advisories())) == []
    # What is no longer locked needs no entry.
    assert set(advisories()) <= {entry.name for entry in entries}


@pytest.mark.parametrize(
    ("line", "advisory"),
    [
        ("h11==0.14.0", "GHSA-vqfr-h8mv-ghfj"),
        ("H11==0.15.0", "GHSA-vqfr-h8mv-ghfj"),
        ("starlette==0.47.1", "GHSA-2c2j-9gv5-cj73"),
        ("starlette==1.0.0rc1", "PYSEC-2026-161"),
        ("pyarrow==23.0.0 ; sys_platform == 'atari'", "GHSA-rgxp-2hwp-jwgg"),
    ],
)
def test_a_version_with_a_known_hole_is_found(lock, line, advisory):
    entries, wrong = lock.read_lock(f"{line} {HASH}\n")
    assert wrong == []
    assert any(advisory in sentence for sentence in lock.check_advisories(entries, advisories()))


@pytest.mark.parametrize("line", ["h11==0.16.0", "pyarrow==23.0.1", "pydantic==2.4.0", "left-pad==0.1"])
def test_one_in_which_it_is_mended_is_not(lock, line):
    entries, _ = lock.read_lock(f"{line} {HASH}\n")
    assert list(lock.check_advisories(entries, advisories())) == []


def test_every_advisory_names_versions_that_it_affects():
    for name, known in advisories().items():
        for advisory, affected in known.items():
            assert re.fullmatch(r"(GHSA|PYSEC|CVE)-[0-9a-z-]+", advisory), name
            assert "<" in str(SpecifierSet(affected)), advisory


def test_a_version_that_was_withdrawn_is_found_by_what_pip_says(lock):
    said = (
        "WARNING: something else\nWARNING: The candidate selected for download or install is a yanked version: 'h11' "
        "candidate (version 0.15.0 at https://example.org/h11.whl)\nReason for being yanked: broken\n"
    )
    assert list(lock.check_withdrawn(said)) == ["h11 0.15.0 was withdrawn from the index (yanked)"]
    assert list(lock.check_withdrawn("")) == []
    # pip still says it in these words, and the Makefile keeps them.
    words = "".join(inspect.getsource(resolver).split())
    assert '"yankedversion:{name!r}candidate(version{version}"' in words
    assert "2> $(VENV)/install.txt" in (ROOT / "Makefile").read_text()


def test_packages_of_the_console_have_an_integrity(lock):
    packages = {"": {}, "a": {"integrity": "sha512-x"}, "b": {"inBundle": True}, "c": {"integrity": "sha1-x"}, "d": {}}
    assert [sentence[0] for sentence in lock.check_console({"packages": packages})] == ["c", "d"]


def test_rules_that_look_for_unsafe_code_stay_on(project):
    rules = project["tool"]["ruff"]["lint"]
    assert "S" in rules["select"]
    assert {rule for rule in rules["ignore"] if rule.startswith("S") and rule[1:].isdigit()} == {"S101"}
    excepted = {path: {rule for rule in ignored if rule == "S" or rule.startswith(("S1", "S2", "S3", "S4", "S5", "S6"))}
                for path, ignored in rules["per-file-ignores"].items()}  # fmt: skip
    assert {path: ignored for path, ignored in excepted.items() if ignored} == {
        "tests/**": {"S"}, "src/millrace/store/**": {"S608"}, "scripts/**": {"S"},
    }  # fmt: skip
