"""The audit of the lock fails where a version has a known hole, and says so where nobody can be asked."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FINE = {"name": "anyio", "version": "1", "vulns": []}
BAD = {"name": "h11", "version": "0.14.0", "vulns": [{"id": "GHSA-vqfr-h8mv-ghfj", "fix_versions": ["0.16.0"]}]}
SKIPPED = {"name": "anyio", "skip_reason": "Dependency not found"}


@pytest.fixture(scope="module")
def audit():
    spec = importlib.util.spec_from_file_location("audit_lock", ROOT / "scripts" / "audit_lock.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def lock(tmp_path):
    path = tmp_path / "requirements.lock"
    path.write_text("# a lock\nanyio==1 \\\n    --hash=sha256:0\nh11==0.14.0 \\\n    --hash=sha256:1\n")
    return path


@pytest.fixture
def says(tmp_path):
    """A pip-audit that says something of one requirement, and something of several; it notes of which it was asked."""

    def says(of_one, of_all, code=0):
        program = tmp_path / "pip-audit"
        answers = {"1": of_one, "2": of_all}
        program.write_text(
            f"#!{sys.executable}\nimport sys\ntext = open(sys.argv[-1]).read()\n"
            f"open({str(tmp_path / 'asked')!r}, 'a').write(f\"{{text.count('==')}} \")\n"
            f"print({answers!r}[str(text.count('=='))])\nsys.stderr.write('first\\nlast\\n')\nsys.exit({code})\n"
        )
        program.chmod(0o700)
        return program

    return says


def told(*entries):
    return json.dumps({"dependencies": entries, "fixes": []})


def test_a_known_hole_fails_and_says_what_mends_it(audit, lock, says, capsys):
    assert audit.main(says(told(FINE), told(FINE, BAD), code=1), lock) == 1
    output = capsys.readouterr().out
    assert "h11 0.14.0 has a known hole: GHSA-vqfr-h8mv-ghfj, mended in 0.16.0" in output
    assert "2 packages of requirements.lock were audited: 1 known holes" in output


def test_without_a_known_hole_it_passes(audit, lock, says, capsys):
    assert audit.main(says(told(FINE), told(FINE, FINE)), lock) == 0
    assert "2 packages of requirements.lock were audited: no known holes" in capsys.readouterr().out


def test_an_index_without_advisories_is_asked_once(audit, lock, says, capsys, tmp_path):
    assert audit.main(says(told(SKIPPED), told(SKIPPED, SKIPPED)), lock) == 0
    assert "was not audited: there are no advisories where the packages come from" in capsys.readouterr().out
    assert (tmp_path / "asked").read_text() == "1 "


@pytest.mark.parametrize("answer", ["", "no JSON", "[]", "{}"])
def test_one_that_fails_is_no_audit(audit, lock, says, capsys, answer):
    assert audit.main(says(answer, answer, code=1), lock) == 0
    assert "was not audited: pip-audit fails: last" in capsys.readouterr().out


def test_one_that_is_not_there_is_no_audit(audit, lock, tmp_path, capsys):
    assert audit.main(tmp_path / "nothing", lock) == 0
    assert "was not audited: pip-audit does not run" in capsys.readouterr().out


def test_ci_asks():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    made = {word for line in lines if line.startswith("make ") for word in line.split()}
    assert {"lock-check", "audit"} <= made
