"""The HTTP interface: questions, state, health, metrics, and a page that shows them."""

from millrace.api.app import create_app
from millrace.api.config import ApiSettings
from millrace.api.server import ApiServer
from millrace.api.services import Services

__all__ = ["ApiServer", "ApiSettings", "Services", "create_app"]
