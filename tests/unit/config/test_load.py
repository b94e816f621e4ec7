"""Loading settings: defaults, file, environment, and what is said about mistakes."""

from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field, SecretStr, model_validator

from millrace.config import ExportersSettings, Section, load, static_metadata, variable_name
from millrace.errors import ConfigError


class Listener(Section):
    host: str = "::"
    port: int = Field(default=2055, ge=1, le=65535)


class Receive(Section):
    listeners: tuple[Listener, ...] = (Listener(),)
    buffer_bytes: int = 1 << 20


class Store(Section):
    password: SecretStr = SecretStr("")
    kind: Literal["embedded", "server"] = "embedded"
    folder: Path = Path("data")

    @model_validator(mode="after")
    def _check(self):
        if self.kind == "server" and not self.password.get_secret_value():
            raise ValueError("A server needs a password")
        return self


class Root(Section):
    receive: Receive = Receive()
    store: Store = Store()
    exporters: ExportersSettings = Field(default_factory=dict)
    optional: Receive | None = None
    workers: int = 1
    columns: Receive = Field(default=Receive(), alias="schema")


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return path

    return write


def problems(path, environ=None):
    with pytest.raises(ConfigError) as caught:
        load(Root, path, environ or {})
    return str(caught.value).splitlines()


def test_defaults_without_a_file():
    assert load(Root, None, {}) == Root()


def test_empty_file_gives_the_defaults(write):
    assert load(Root, write("# nothing\n"), {}) == Root()


def test_environment_wins_over_file_and_file_over_defaults(write):
    path = write("receive: {buffer_bytes: 5, listeners: [{port: 1}, {port: 2}]}\nworkers: 3\n")
    settings = load(Root, path, {"MILLRACE_RECEIVE__LISTENERS__1__PORT": "9", "MILLRACE_WORKERS": "4"})
    assert [listener.port for listener in settings.receive.listeners] == [1, 9]
    assert settings.receive.buffer_bytes == 5
    assert settings.workers == 4


def test_environment_makes_sections_and_items_that_the_file_lacks():
    environ = {"MILLRACE_OPTIONAL__LISTENERS__0__PORT": "7", "MILLRACE_OPTIONAL__LISTENERS__1__PORT": "8"}
    assert [listener.port for listener in load(Root, None, environ).optional.listeners] == [7, 8]


def test_environment_values_may_be_json():
    settings = load(Root, None, {"MILLRACE_RECEIVE__LISTENERS": '[{"port": 1}, {"port": 2}]'})
    assert [listener.port for listener in settings.receive.listeners] == [1, 2]


def test_text_settings_are_taken_from_the_environment_as_they_are():
    environ = {"MILLRACE_STORE__PASSWORD": "0123", "MILLRACE_STORE__FOLDER": "12", "MILLRACE_STORE__KIND": "server"}
    store = load(Root, None, environ).store
    assert store.password.get_secret_value() == "0123"
    assert store.folder == Path("12")


def test_keys_may_differ_from_the_fields(write):
    """The word `schema` is pydantic's, so its field has another name."""
    path = write("schema: {buffer_bytes: 3}\n")
    assert load(Root, path, {}).columns.buffer_bytes == 3
    assert load(Root, path, {"MILLRACE_SCHEMA__BUFFER_BYTES": "4"}).columns.buffer_bytes == 4
    assert problems(write("schema: {bufer_bytes: 3}\n")) == [
        "schema.bufer_bytes: unknown key (config.yaml line 1, column 10); did you mean 'buffer_bytes'?"
    ]
    assert problems(write("columns: {}\n"))[0].startswith("columns: unknown key")


def test_variables_of_kubernetes_services_are_no_settings():
    assert load(Root, None, {"MILLRACE_SERVICE_HOST": "10.0.0.1", "MILLRACE_PORT": "tcp://1", "PATH": "x"}) == Root()


def test_unknown_key_names_file_line_and_the_nearest_one(write):
    assert problems(write("receive:\n  buffer_bytes: 1\n  listners: []\n")) == [
        "receive.listners: unknown key (config.yaml line 3, column 3); did you mean 'listeners'?"
    ]


def test_unknown_key_without_a_value_is_named_too(write):
    assert problems(write("recieve:\n"))[0].startswith("recieve: unknown key (config.yaml line 1, column 1); did you")


def test_unknown_key_of_the_environment_names_the_variable():
    (problem,) = problems(None, {"MILLRACE_RECEIVE__BUFER_BYTES": "1"})
    expected = "receive.bufer_bytes: unknown key (MILLRACE_RECEIVE__BUFER_BYTES); did you mean 'buffer_bytes'?"
    assert problem == expected


def test_unknown_key_inside_json_of_the_environment_is_found():
    (problem,) = problems(None, {"MILLRACE_RECEIVE__LISTENERS": '[{"prot": 1}]'})
    assert problem == "receive.listeners.0.prot: unknown key (MILLRACE_RECEIVE__LISTENERS); did you mean 'port'?"


def test_every_problem_is_told_at_once(write):
    path = write(
        "receive:\n  listeners:\n    - port: 70000\n    - hots: x\nstore:\n  kind: tape\nexporters:\n  1.2.3.4/8: {}\n"
    )
    found = problems(path, {"MILLRACE_WORKERS": "many", "MILLRACE_RECEIVE__LISTENERS__7__PORT": "1"})
    assert len(found) == 6
    text = "\n".join(found)
    assert (
        "receive.listeners.0.port: input should be less than or equal to 65535, not 70000 (config.yaml line 3" in text
    )
    assert "did you mean 'host'?" in text
    assert "store.kind: input should be 'embedded' or 'server', not 'tape' (config.yaml line 6" in text
    assert "exporters.1.2.3.4/8: 1.2.3.4/8 has host bits set" in text
    assert "workers: input should be a valid integer" in text
    assert "(MILLRACE_WORKERS)" in text
    assert "MILLRACE_RECEIVE__LISTENERS__7__PORT: receive.listeners has 2 items; the next index is 2" in text


def test_rules_over_several_keys_are_told_with_their_section(write):
    assert problems(write("store:\n  kind: server\n")) == [
        "store: a server needs a password (config.yaml line 1, column 1)"
    ]


def test_wrong_secret_is_not_repeated():
    (problem,) = problems(None, {"MILLRACE_STORE": '{"password": 12345}'})
    assert "12345" not in problem
    assert problem.startswith("store.password: ")


def test_key_twice_is_refused_with_both_places(write):
    assert problems(write("workers: 1\nworkers: 2\n")) == [
        "workers: set twice (config.yaml line 1, column 1 and config.yaml line 2, column 1)"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("receive: [1\n", "config.yaml line 2, column 1"),
        ("- 1\n", "a mapping of sections is expected"),
        ("a: &a\n  b: *a\n", "nested too deeply"),
        ("a: !!python/object/apply:os.system [ls]\n", "is not known"),
        ("a: !!python/name:os.system\n", "could not determine a constructor"),
        ("{? [1]: 2}", "a key must be a text or a number"),
        ("a: \x00", "config.yaml"),
    ],
)
def test_broken_file_is_told_with_its_place(write, text, said):
    (problem,) = problems(write(text))
    assert said in problem


def test_aliases_that_multiply_are_refused(write):
    """A few lines of aliases can stand for 10⁹ values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    assert "too much of it" in problems(write("\n".join(lines)))[0]


def test_merge_keys_work_and_own_keys_win(write):
    path = write("optional: &base {buffer_bytes: 5}\nreceive:\n  <<: *base\n  buffer_bytes: 6\n")
    settings = load(Root, path, {})
    assert (settings.optional.buffer_bytes, settings.receive.buffer_bytes) == (5, 6)


def test_missing_file_is_told(tmp_path):
    assert "cannot be read: No such file" in problems(tmp_path / "none.yaml")[0]


def test_variable_name_is_the_one_that_sets_the_path():
    name = variable_name(("receive", "listeners", 0, "port"))
    assert load(Root, None, {name: "99"}).receive.listeners[0].port == 99


def test_exporters_become_static_metadata(write):
    path = write(
        "exporters:\n  192.0.2.0/24: {name: edge, interfaces: {1: {name: xe-0, boundary: external}}}\n"
        "  2001:db8::/32: {}\n"
    )
    metadata = static_metadata(load(Root, path, {}).exporters)
    assert metadata.exporters[1].name == "edge"
    assert metadata.exporters[1].interfaces[1].boundary == "external"


def test_same_subnet_in_two_spellings_is_refused(write):
    settings = load(Root, write("exporters: {192.0.2.1: {}, 192.0.2.1/32: {}}\n"), {})
    with pytest.raises(ConfigError, match="same prefix as"):
        static_metadata(settings.exporters)
