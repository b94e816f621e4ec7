"""Flows to files: JSON lines or Parquet, a new file every so often."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np

from millrace.batch import FlowBatch
from millrace.errors import SinkError
from millrace.schema import Schema
from millrace.sinks.config import FileFormat
from millrace.sinks.folder import SinkFolder
from millrace.sinks.part import PartFile
from millrace.sinks.tables import FlowTables

_ROWS_AT_ONCE = 16_384
"""Rows that are turned into text at the same time: about 16 MB of JSON."""

_TRANSIENT = frozenset(
    {
        errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EMFILE, errno.ENFILE,
        errno.EAGAIN, errno.EINTR, errno.ETIMEDOUT, errno.ESTALE,
    }
)  # fmt: skip
"""Errors of the device after which the same may succeed later."""

_ADVICE = {
    errno.ENOSPC: "make room on the device",
    errno.EDQUOT: "make room, or raise the quota",
    errno.EACCES: "let the user who runs this write there, or choose another folder",
    errno.EPERM: "let the user who runs this write there, or choose another folder",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.EFBIG: "files may not be so large here; choose a smaller rotate_mib",
    errno.ENOTDIR: "something that is no folder has its name; choose another folder",
}


class FileSink:
    """Writes flows to files that are finished by size and by age; see `Sink`.

    Parameters
    ----------
    name : str
        Begins the names of the files.
    folder : Path
    file_format : FileFormat
    schema : Schema
        Columns to write, in their order.
    rotate_bytes : int
        A file that has reached this size is finished.
    rotate_s : float
        A file that is this old is finished.
    """

    def __init__(
        self, name: str, folder: Path, file_format: FileFormat, schema: Schema, rotate_bytes: int, rotate_s: float
    ) -> None:
        self._folder = SinkFolder(folder, name, file_format)
        self._format = file_format
        self._tables = FlowTables(schema)
        self._rotate_bytes = rotate_bytes
        self._rotate_s = rotate_s
        self._file: PartFile | None = None
        self._flows: FlowBatch | None = None
        """What is being written, up to row `_row`."""
        self._row = 0

    @property
    def unfinished(self) -> int:
        """Flows in the file that is being written, without those of a batch that was not taken as a whole."""
        if self._file is None:
            return 0
        return max(self._file.rows - (0 if self._flows is None else self._row), 0)

    def open(self) -> None:
        """See `Sink.open`; what an earlier process left unfinished is set aside."""
        try:
            self._folder.prepare()
        except OSError as error:
            raise self._refusal(error) from error

    def write(self, flows: FlowBatch) -> None:
        """See `Sink.write`."""
        if flows is not self._flows:
            self._flows, self._row = flows, 0
        try:
            self._write_rest(flows)
        except OSError as error:
            raise self._refusal(error) from error
        self._flows = None

    def tend(self) -> bool:
        """See `Sink.tend`: ends a file that is old enough."""
        if self._file is None or not self._due(self._file):
            return False
        self.close()
        return True

    def close(self) -> None:
        """See `Sink.close`: ends the file that is being written; the next batch would begin another."""
        try:
            if self._file is not None:
                self._finish(self._file)
        except OSError as error:
            raise self._refusal(error) from error

    def _write_rest(self, flows: FlowBatch) -> None:
        while self._row < len(flows):
            which = np.arange(self._row, min(self._row + _ROWS_AT_ONCE, len(flows)))
            # Before anything is touched: rows that are wrong in themselves cost no file.
            table = self._tables.of(flows if len(which) == len(flows) else flows.take(which))
            file = self._ready()
            try:
                file.put(table)
            except Exception as error:
                raise self._spoiled(error) from error
            self._row += len(which)
            file.flush()
        if self._file is not None:
            self._file.flush()

    def _ready(self) -> PartFile:
        """A file for more rows, with nothing held."""
        if self._file is not None:
            self._file.flush()
            if self._due(self._file):
                self._finish(self._file)
        if self._file is None:
            self._file = PartFile(*self._folder.create(), self._format, self._tables.arrow)
        return self._file

    def _due(self, file: PartFile) -> bool:
        return file.ended or file.nbytes >= self._rotate_bytes or file.age_s >= self._rotate_s

    def _finish(self, file: PartFile) -> None:
        file.end()
        self._folder.publish(file.path)
        self._file = None
        file.close()

    def _refusal(self, error: OSError) -> SinkError:
        """What an error of the device means. After one that lasts the file is given up."""
        place = error.filename or self._folder.path
        advice = _ADVICE.get(error.errno or 0, "look at the folder and its device")
        text = f"{place}: {error.strerror or error}; {advice}"
        if error.errno in _TRANSIENT:
            return SinkError(text, transient=True)
        return SinkError(text, transient=False, lost=self._give_up_file())

    def _spoiled(self, error: Exception) -> SinkError:
        """The library that makes the file failed in the middle of it."""
        text = f"{self._folder.path}: {type(error).__name__}: {error}; a defect, please report it"
        return SinkError(text, transient=False, lost=self._give_up_file())

    def _give_up_file(self) -> int:
        """Set the file aside; how many flows of earlier batches are lost with it."""
        file, lost = self._file, self.unfinished
        self._file = self._flows = None
        if file is not None:
            file.close()
            self._folder.set_aside(file.path)
        return lost
