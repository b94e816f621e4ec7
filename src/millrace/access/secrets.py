"""Secrets that we make: sessions, tokens, proofs against forged requests."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

TOKEN_PREFIX = "mlr_"  # noqa: S105 - what tokens begin with, not one
_TOKEN = re.compile(r"mlr_([a-z0-9]{12})_([A-Za-z0-9_-]{43})")
_ID_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def new_secret() -> str:
    """256 random bits, as text."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is kept of a secret. It is random and long, so that a plain hash cannot be reversed by guessing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def csrf_token(session: str) -> str:
    """Proof that a request knows the session's page: derived, so that nothing more has to be kept."""
    return hmac.new(session.encode(), b"millrace csrf", hashlib.sha256).hexdigest()


def signed(key: bytes, purpose: str, text: str) -> str:
    """A text with a signature after its last dot, for a browser to keep; of one purpose, worthless for another."""
    return f"{text}.{_signature(key, purpose, text)}"


def unsigned(key: bytes, purpose: str, kept: str) -> str | None:
    """The text of what `signed` gave; None if we did not."""
    text, _, signature = kept.rpartition(".")
    return text if same(signature, _signature(key, purpose, text)) else None


def _signature(key: bytes, purpose: str, text: str) -> str:
    # The purpose is a word of ours, without a NUL: no two pairs are written alike.
    return hmac.new(key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


def same(first: str, second: str) -> bool:
    """Compare in a time that says nothing of where they differ."""
    return hmac.compare_digest(first.encode(), second.encode())


def new_token_id() -> str:
    """Public part of an API token."""
    return "".join(secrets.choice(_ID_LETTERS) for _ in range(12))


def token_text(token_id: str, secret: str) -> str:
    """An API token as its user gets it."""
    return f"{TOKEN_PREFIX}{token_id}_{secret}"


def split_token(text: str) -> tuple[str, str] | None:
    """Id and secret of an API token; None if it is none."""
    found = _TOKEN.fullmatch(text)
    return (found[1], found[2]) if found else None
