"""Threads that are looked after: errors are told and counted, what died is begun anew, and a recovery is told too."""

from millrace.threads.kept import kept
from millrace.threads.metrics import Supervised, publish_threads
from millrace.threads.ticker import Job, Ticker
from millrace.threads.trouble import Trouble
from millrace.threads.watched import Watched

__all__ = ["Job", "Supervised", "Ticker", "Trouble", "Watched", "kept", "publish_threads"]
