"""Where flows are kept: an embedded ClickHouse in a folder, its rollups and its dictionaries."""

from millrace.store.audit import AuditLog, Entry
from millrace.store.cancel import Cancel
from millrace.store.config import StoreSettings
from millrace.store.doomed import Doomed, Forecast
from millrace.store.embedded import EmbeddedStore
from millrace.store.folder import require_folder
from millrace.store.metrics import StoreMetrics, publish_store, store_condition
from millrace.store.pruning import Prunable, named
from millrace.store.resolutions import COUNTER_TABLE, RAW_TABLE, RESOLUTIONS, Resolution
from millrace.store.sql_socket import local_sql
from millrace.store.store import Maintenance, Store, StoreStatus, TableStatus

__all__ = [
    "COUNTER_TABLE",
    "RAW_TABLE",
    "RESOLUTIONS",
    "AuditLog",
    "Cancel",
    "Doomed",
    "EmbeddedStore",
    "Entry",
    "Forecast",
    "Maintenance",
    "Prunable",
    "Resolution",
    "Store",
    "StoreMetrics",
    "StoreSettings",
    "StoreStatus",
    "TableStatus",
    "local_sql",
    "named",
    "publish_store",
    "require_folder",
    "store_condition",
]
