"""A file system of its own, which can be filled."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class Disk:
    """A folder on a small ext4 file system in a sparse file, where the right to mount one is given.

    Without the right (or without ``mkfs.ext4``) it is an ordinary folder, and `reason` says why nothing can be filled.
    """

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self.folder = folder / "disk"
        self.reason = ""
        self._image = folder / "disk.img"
        self._size_bytes = size_bytes

    def open(self) -> None:
        """Make and mount it."""
        self.folder.mkdir()
        with self._image.open("wb") as file:
            file.truncate(self._size_bytes)
        for command in (
            ["mkfs.ext4", "-q", "-F", "-m", "0", self._image],
            ["mount", "-o", "loop", self._image, self.folder],
        ):
            try:
                done = subprocess.run(command, capture_output=True, check=False, text=True)
            except FileNotFoundError as error:
                self.reason = str(error)
                return
            if done.returncode:
                self.reason = f"{command[0]}: {' '.join(done.stderr.split())[:200]}"
                return

    def close(self) -> None:
        """Unmount it."""
        if not self.reason:
            subprocess.run(["umount", self.folder], capture_output=True, check=False)
        self._image.unlink(missing_ok=True)

    @property
    def used_bytes(self) -> int:
        """What is occupied, the ballast included."""
        answer = os.statvfs(self.folder)
        return (answer.f_blocks - answer.f_bfree) * answer.f_frsize

    def fill(self, leave_bytes: int) -> None:
        """Occupy all but `leave_bytes` of what is free."""
        answer = os.statvfs(self.folder)
        size = answer.f_bavail * answer.f_frsize - leave_bytes
        with (self.folder / "ballast").open("wb") as file:
            # The collector writes at the same time: what does not fit any more is tried in smaller pieces.
            piece = max(size, 0)
            at = 0
            while piece >= 4096:
                try:
                    os.posix_fallocate(file.fileno(), at, piece)
                except OSError:
                    piece //= 2
                else:
                    at += piece
                    if leave_bytes:
                        return

    def release(self) -> None:
        """Give it back."""
        (self.folder / "ballast").unlink(missing_ok=True)
