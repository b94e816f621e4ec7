"""Commands on the configuration: check, show, schema."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Annotated

import structlog
import typer

from millrace.app.settings import Settings
from millrace.app.sinks import make_sinks
from millrace.config import load, schema, secrets_in, show

log = structlog.get_logger(__name__)

app = typer.Typer(help="Check, show and describe the configuration.", no_args_is_help=True)

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", "-c", exists=True, dir_okay=False, readable=True, help="YAML file; defaults if absent."),
]

DataFolder = Annotated[Path | None, typer.Option("--data", help="Data folder; the configuration's if absent.")]


def collector_settings(config: Path | None, data: Path | None) -> Settings:
    """Settings of a collector, with another data folder if one is given."""
    settings = settings_from(config)
    return settings if data is None else settings.model_copy(update={"data": data})


def warn_of_readable_secrets(config: Path | None) -> None:
    """Say so if every user of the machine can read secrets in a configuration file: none are they then."""
    if config is None or not config.stat().st_mode & stat.S_IROTH:
        return
    secrets = secrets_in(Settings, config)
    if secrets:
        log.warning(
            "every user of this machine can read secrets in the configuration file",
            file=str(config), settings=", ".join(secrets), fix="chmod o= it, or give them by the environment",
        )  # fmt: skip


def settings_from(config: Path | None) -> Settings:
    """Settings of a file and the environment (``MILLRACE_…``)."""
    return load(Settings, config, os.environ)


@app.command()
def check(config: ConfigFile = None) -> None:
    """Read the configuration and say what is wrong with it, if anything."""
    make_sinks(settings_from(config))
    typer.echo("the configuration is right")


@app.command(name="show")
def show_settings(config: ConfigFile = None) -> None:
    """Print the settings in force: defaults, file and environment together."""
    typer.echo(show(settings_from(config)), nl=False)


@app.command(name="schema")
def json_schema() -> None:
    """Print the JSON Schema of the configuration file, for editors."""
    typer.echo(json.dumps(schema(Settings), indent=2))
