"""Who may use Millrace: passwords, sessions, API tokens, OpenID Connect, a proxy's word; roles and limits."""

from millrace.access.access import Access, Presented
from millrace.access.config import AccessSettings
from millrace.access.filters import filter_check
from millrace.access.identity import Identity
from millrace.access.logins import Login
from millrace.access.secrets import csrf_token, same
from millrace.access.tokens import NewToken
from millrace.access.users import CheckFilter

__all__ = [
    "Access",
    "AccessSettings",
    "CheckFilter",
    "Identity",
    "Login",
    "NewToken",
    "Presented",
    "csrf_token",
    "filter_check",
    "same",
]
