"""Logs: an event and key/values, for people or as JSON."""

from __future__ import annotations

import logging
import math
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Literal, TextIO, cast

import structlog
from pydantic import SecretBytes, SecretStr
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

Format = Literal["auto", "console", "json"]

_SECRET_WORDS = ("password", "passphrase", "secret", "token", "community", "credential", "authorization", "api_key")
_MASK = "**********"
_MAX_DEPTH = 4
_MINUTE_S = 60.0

# Without local variables (which structlog shows by default): they hold secrets, and whole batches.
_TRACEBACK_AS_DATA = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))


def setup_logging(level: str = "info", format: Format = "auto", stream: TextIO | None = None) -> None:  # noqa: A002 - the setting's name
    """Send the logs of Millrace and of its libraries to one stream.

    May be called again; the last call counts.

    Parameters
    ----------
    level : str
        ``debug``, ``info``, ``warning`` or ``error``.
    format : {"auto", "console", "json"}
        ``auto``: console if the stream is a terminal, else JSON.
    stream : text file, optional
        Standard error if None.
    """
    out = sys.stderr if stream is None else stream
    as_json = format == "json" or (format == "auto" and not out.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        mask_secrets,
    ]
    ending: list[Processor] = (
        [_TRACEBACK_AS_DATA, structlog.processors.JSONRenderer(default=str)]
        if as_json
        else [structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)]
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    root = logging.getLogger()
    for old in [h for h in root.handlers if isinstance(h.formatter, structlog.stdlib.ProcessorFormatter)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        # Loggers are made at import, before the settings are read.
        cache_logger_on_first_use=False,
    )


class Brake:
    """Has a line written some times a minute, and counts the rest: for lines that strangers cause.

    Parameters
    ----------
    lines : int
        In a minute.
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, lines: int = 60, clock: Callable[[], float] = time.monotonic) -> None:
        self._lines = lines
        self._clock = clock
        self._guard = threading.Lock()
        self._began = -math.inf
        self._written = 0
        self._left_out = 0

    def write(self, write: Callable[..., object], event: str, **said: object) -> None:
        """Write a line unless there were too many; ``left_out`` says how many were not written since the last one.

        Parameters
        ----------
        write : callable
            Such as ``log.warning``.
        event : str
        said : keywords
        """
        with self._guard:
            now = self._clock()
            if now - self._began >= _MINUTE_S:
                self._began, self._written = now, 0
            if self._written >= self._lines:
                self._left_out += 1
                return
            self._written += 1
            left_out, self._left_out = self._left_out, 0
        write(event, **said, **({"left_out": left_out} if left_out else {}))


def mask_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide values that are secrets by type or by the name of their key."""
    return cast("EventDict", _masked(event, _MAX_DEPTH))


def _masked(value: object, depth: int) -> object:
    if isinstance(value, SecretStr | SecretBytes):
        return _MASK
    if depth == 0:
        return value
    if isinstance(value, Mapping):
        return {key: _MASK if _is_secret(key) else _masked(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, depth - 1) for item in value]
    return value


def _is_secret(key: object) -> bool:
    return isinstance(key, str) and any(word in key.casefold() for word in _SECRET_WORDS)
