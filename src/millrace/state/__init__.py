"""What is kept besides flows: users, sessions, API tokens, filters, views, dashboards, short links."""

from millrace.state.config import StateSettings
from millrace.state.records import (
    C,
    DashboardContent,
    FilterContent,
    Mode,
    NewUser,
    Role,
    Saved,
    Session,
    Token,
    User,
    UserChange,
    ViewContent,
)
from millrace.state.saved import SavedStore
from millrace.state.state import State
from millrace.state.texts import new_id, user_name

__all__ = [
    "C",
    "DashboardContent",
    "FilterContent",
    "Mode",
    "NewUser",
    "Role",
    "Saved",
    "SavedStore",
    "Session",
    "State",
    "StateSettings",
    "Token",
    "User",
    "UserChange",
    "ViewContent",
    "new_id",
    "user_name",
]
