"""Everything that is kept besides flows, behind one object."""

from __future__ import annotations

from pathlib import Path

from millrace.state.config import StateSettings
from millrace.state.database import Database
from millrace.state.keys import SigningKey
from millrace.state.links import LinkStore
from millrace.state.records import DashboardContent, FilterContent, ViewContent
from millrace.state.saved import SavedStore
from millrace.state.sessions import SessionStore
from millrace.state.tables import DASHBOARDS, FILTERS, VIEWS
from millrace.state.tokens import TokenStore
from millrace.state.users import UserStore


class State:
    """Users, sessions, tokens and what users save; the constructor opens nothing.

    Parameters
    ----------
    settings : StateSettings
    folder : Path
        Data folder: where the SQLite file lies.
    """

    def __init__(self, settings: StateSettings, folder: Path) -> None:
        self._database = Database(settings, folder)
        self.signing_key = SigningKey(self._database)
        most, length = settings.max_saved_per_user, settings.max_saved_characters_per_user
        self.users = UserStore(self._database, settings.max_users)
        self.sessions = SessionStore(self._database, settings.max_sessions_per_user)
        self.tokens = TokenStore(self._database, settings.max_tokens_per_user)
        self.filters = SavedStore(self._database, FILTERS, FilterContent, "filter", most, length)
        self.views = SavedStore(self._database, VIEWS, ViewContent, "view", most, length)
        self.dashboards = SavedStore(self._database, DASHBOARDS, DashboardContent, "dashboard", most, length)
        self.links = LinkStore(self._database, settings.max_links, settings.max_links_per_user)

    def start(self) -> None:
        """Open the database and bring its tables to the present version.

        Raises
        ------
        ConfigError
            If the driver of PostgreSQL is missing.
        StateError
            If the file cannot be used, or a newer Millrace made the database.
        """
        self._database.start()

    def ping(self) -> None:
        """Ask the database something.

        Raises
        ------
        StateError
            If it does not answer.
        """
        self._database.ping()

    def stop(self) -> None:
        """Close the database."""
        self._database.stop()
