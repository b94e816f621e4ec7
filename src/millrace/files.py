"""What this program keeps is for its own user only: folders 0700, files 0600, whatever the umask was.

Stored flows tell who talks to whom, and the state database holds hashes of passwords and tokens: no other user of
the machine may read them. The engine makes its files by the umask of the process, and at any time, so that is set.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

ENGINE_FOLDER = "clickhouse"
"""What the engine keeps, in the data folder."""

LOCK_FILE = "millrace.lock"
SOCKET_FILE = "millrace.sock"
AUDIT_FILE = "audit.jsonl"
STATE_DATABASE = "state.db"
STATE_FILE = "state.json"

_NEW = ".new"
_NAMES = frozenset(
    {
        ENGINE_FOLDER, LOCK_FILE, SOCKET_FILE, AUDIT_FILE,
        STATE_DATABASE, f"{STATE_DATABASE}-wal", f"{STATE_DATABASE}-shm", f"{STATE_DATABASE}-journal",
        STATE_FILE, f"{STATE_FILE}{_NEW}", f"{STATE_FILE}.unused",
        "state.new",  # of earlier versions
    }
)  # fmt: skip
_NOBODYS = frozenset({"lost+found"})
"""What a file system of its own has in its root."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def private_umask() -> None:
    """Whatever this process makes from now on, others may not look into."""
    before = os.umask(_OTHERS)
    os.umask(before | _OTHERS)


def private_folder(folder: Path) -> None:
    """Make a data folder that only this user can look into; one that is there is tightened, or warned about.

    Sets the umask of the process to 077 at least: the engine and SQLite make files later. A folder that holds
    anything else than ours is not changed itself (it may be somebody's home), only what is ours in it.

    Parameters
    ----------
    folder : Path
        With the folders above it, as far as they are missing.

    Raises
    ------
    OSError
        If it cannot be made or looked into.
    """
    private_umask()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = {path.name for path in folder.iterdir()}
    # Whose the engine's folder is, only the lock tells.
    ours_alone = _NAMES if LOCK_FILE in names else _NAMES - {ENGINE_FOLDER}
    for path in _tightened(folder / name for name in sorted(names & ours_alone)):
        log.warning("other users of this machine could read what is stored here; no more", path=str(path))
    ours = folder.stat()
    if os.geteuid() == 0 and ours.st_uid != 0:
        log.warning(
            "root makes files in the data folder of another user now, who cannot use them; run this as that user",
            folder=str(folder), owner=_user(ours.st_uid),
        )  # fmt: skip
    if not ours.st_mode & _OTHERS:
        return
    mixed = names - ours_alone - _NOBODYS
    if mixed or ours.st_mode & stat.S_ISVTX or not any(_tightened([folder.resolve()])):
        log.warning(
            "other users of this machine can look into the data folder; it is left as it is, as it holds other things "
            "or belongs to somebody else. Better: a folder of its own (data, --data), mode 0700",
            folder=str(folder), mode=oct(stat.S_IMODE(ours.st_mode)),
        )  # fmt: skip
        return
    log.warning("other users of this machine could look into the data folder; no more", folder=str(folder))


def make_private_folder(folder: Path) -> None:
    """Make a folder that only this user can look into, with those above it, where it is missing.

    One that is there is left as it is: whoever made it may let others look into it.

    Raises
    ------
    OSError
        If it cannot be made, or something else has its name.
    """
    for missing in [path for path in (*reversed(folder.parents), folder) if not path.exists()]:
        missing.mkdir(mode=0o700, exist_ok=True)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def create_private(path: Path) -> int:
    """Create a file that only this user can read, and open it for writing; never one that is there.

    Returns
    -------
    int
        Its descriptor.

    Raises
    ------
    FileExistsError
        If something has that name.
    OSError
        When the device refuses.
    """
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def replace_private(path: Path, pieces: Iterator[str]) -> None:
    """Replace a file as a whole by a text that only this user can read; a crash leaves the old or the new one.

    Parameters
    ----------
    path : Path
    pieces : iterator of str
        The text.

    Raises
    ------
    OSError
        When the device refuses.
    """
    fresh = path.with_name(path.name + _NEW)
    fresh.unlink(missing_ok=True)
    with os.fdopen(create_private(fresh), "w", encoding="utf-8") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _tightened(paths: Iterator[Path] | list[Path]) -> Iterator[Path]:
    """Take from others what they may do with files and folders of ours; those that were changed."""
    for path in paths:
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISLNK(found.st_mode):
            # The data folder may be named by a link; in it, one leads elsewhere.
            continue
        wide = found.st_mode & _OTHERS and (stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode))
        if wide and found.st_uid == os.geteuid():
            path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
            yield path


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
