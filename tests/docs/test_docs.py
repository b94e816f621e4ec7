"""The documentation's examples run, its links lead somewhere, and its generated pages are fresh."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from millrace.access.config import ProxySettings

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "SECURITY.md", *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("page", ["docs/tutorial/captures-in-python.md"])
def test_python_examples_run_in_order(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL):
        exec(compile(block, page, "exec"), names)
    assert names["table"].num_rows > 4000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_generated_reference_pages_are_fresh():
    script = ROOT / "scripts" / "make_reference.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_metrics_that_pages_name_are_metrics():
    known = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    for page in PAGES:
        for name in re.findall(r"\bmillrace_[a-z]+_[a-z_]+", page.read_text()):
            assert f"`{name}`" in known, f"{page.name}: {name}"


SETTINGS_OF_OPERATORS = (
    "swapped_sampling_rates", "reverse_in_23_24", "stop_timeout_s", "allow_shorter_retention", "allow_newer_store",
    "max_bytes", "when_full", "min_free_bytes", "source_ports", "allow:",
)  # fmt: skip


@pytest.mark.parametrize("setting", SETTINGS_OF_OPERATORS)
def test_a_setting_that_decides_what_is_lost_or_wrong_has_a_how_to(setting):
    assert any(setting in page.read_text() for page in ROOT.glob("docs/how-to/*.md"))


def test_configuration_examples_are_valid(tmp_path):
    from millrace.app.settings import Settings
    from millrace.app.sinks import make_sinks
    from millrace.config import load

    sections = "|".join(field.alias or name for name, field in Settings.model_fields.items())
    for page in PAGES:
        for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)):
            if not re.match(rf"(#.*\n)*({sections}):", block):
                continue
            path = tmp_path / f"{page.stem}-{number}.yaml"
            path.write_text(block)
            make_sinks(load(Settings, path, {}))


def test_settings_and_commands_of_access_that_pages_name_exist():
    settings = (ROOT / "docs" / "reference" / "configuration.md").read_text()
    commands = (ROOT / "docs" / "reference" / "command-line.md").read_text()
    pages = "".join(
        page.read_text() for page in [ROOT / "SECURITY.md", ROOT / "README.md", *ROOT.glob("docs/how-to/*.md")]
    )
    named = set(re.findall(r"`(access(?:\.[a-z_]+)+)[`:]", pages))
    assert len(named) > 15
    assert [name for name in sorted(named) if f"`{name}`" not in settings] == []
    used = set(re.findall(r"millrace (?:user|token) [a-z]+", pages))
    assert len(used) > 8
    assert [command for command in sorted(used) if f"$ {command} " not in commands] == []


def test_the_sample_of_a_proxy_sets_or_clears_every_header_that_is_believed():
    """What the proxy does not set, it passes on as a client sent it."""
    page = (ROOT / "docs" / "how-to" / "log-in.md").read_text()
    sample = re.search(r"```nginx\n(.*?)```", page, re.DOTALL)[1]
    said = {name.lower() for name in re.findall(r"proxy_set_header (\S+)", sample)}
    examples = dict(re.findall(r"(\w+_header): (\S+)", page))
    headers = {
        examples.get(name, field.default).lower()
        for name, field in ProxySettings.model_fields.items()
        if name.endswith("_header")
    }
    sources = "".join((ROOT / "src" / "millrace" / path).read_text() for path in ("access/proxy.py", "api/gate.py"))
    forwarded = set(re.findall(r'"((?:x-)?forwarded[a-z-]*)"', sources))
    assert {"remote-user", "remote-filter", "x-proxy-secret"} <= headers
    assert forwarded >= {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}
    assert headers | forwarded <= said
    # The names that the example of the configuration sets are those of the sample.
    assert "filter_required: true" in page


def test_no_other_page_has_a_sample_of_a_proxy_of_its_own():
    """It would be copied without the lines that clear what clients send."""
    samples = {
        str(page.relative_to(ROOT)): block
        for page in PAGES
        for block in re.findall(r"```\w*\n(.*?)```", page.read_text(), re.DOTALL)
        if "proxy_pass" in block and len(block.strip().splitlines()) > 1
    }
    assert list(samples) == ["docs/how-to/log-in.md"]


def test_every_reason_of_the_decoders_is_explained():
    source = "".join(
        path.read_text()
        for path in ROOT.glob("src/millrace/decode/**/*.py")
        if "raw" not in path.parts and path.name != "result.py"
    )
    labels = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', source)) | {"truncated"}
    manners = {"all-records", "data-sets", "flow-sets"}
    others = {"utf-8", "line-card", "observation-domain", *manners}
    page = (ROOT / "docs" / "reference" / "reasons.md").read_text()
    missing = sorted(label for label in labels - others if f"`{label}`" not in page)
    assert missing == []


def test_every_reason_of_the_pipeline_is_explained():
    source = "".join(path.read_text() for path in ROOT.glob("src/millrace/pipeline/*.py"))
    labels = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', source)) | {"stopped"}
    pages = "".join(
        (ROOT / "docs" / page).read_text() for page in ("reference/reasons.md", "how-to/lose-no-datagram.md")
    )
    missing = sorted(
        label for label in labels - {"utf-8", "queue-full", "millrace-decoder"} if f"`{label}`" not in pages
    )
    assert missing == []
