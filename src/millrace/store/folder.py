"""Whose a folder is: the engine would take what another program made of it for its own, and change it."""

from __future__ import annotations

from pathlib import Path

from millrace.errors import StoreError
from millrace.files import ENGINE_FOLDER, LOCK_FILE


def refuse_foreign(folder: Path) -> None:
    """Refuse a folder with data that no store of ours was ever in.

    Raises
    ------
    StoreError
        Nothing was changed.
    """
    engine = folder / ENGINE_FOLDER
    if (folder / LOCK_FILE).exists() or not engine.exists() or (engine.is_dir() and not any(engine.iterdir())):
        return
    raise StoreError(
        f"{folder} seems to be a folder of another program: it has {ENGINE_FOLDER!r}, but no file {LOCK_FILE!r}. "
        "Nothing was changed. Choose another folder (data, --data); or, if it is a copy of a data folder of millrace, "
        "make an empty file of that name in it"
    )


def require_folder(folder: Path) -> None:
    """Refuse what is no data folder.

    Raises
    ------
    StoreError
        Nothing was changed.
    """
    if not (folder / ENGINE_FOLDER).is_dir():
        raise StoreError(f"{folder} is not a data folder of millrace: it has no folder {ENGINE_FOLDER!r}")
    refuse_foreign(folder)
