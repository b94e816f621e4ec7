"""Dictionary-coded columns from tables of texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from millrace.batch import Coded
from millrace.batch.arrays import I32

_SHORT = 1024
"""Texts up to which a column carries all of them, used or not."""


class TextCodes:
    """A text for each row of a table; immutable.

    Parameters
    ----------
    texts : sequence of str
        By row; may repeat.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        codes: dict[str, int] = {"": 0}
        self._codes: I32 = np.array([codes.setdefault(text, len(codes)) for text in texts], np.int32)
        self._texts = list(codes)

    def coded(self, rows: I32) -> Coded:
        """Texts of some rows.

        Parameters
        ----------
        rows : ndarray of int32, shape (n,)

        Returns
        -------
        Coded
            Of a long table only the texts that occur: each of a batch's columns is copied with its texts.
        """
        codes = self._codes[rows]
        if len(self._texts) <= _SHORT:
            return Coded(codes, self._texts)
        used = np.flatnonzero(np.bincount(codes, minlength=len(self._texts)))
        position = np.zeros(len(self._texts), np.int32)
        position[used] = np.arange(len(used), dtype=np.int32)
        return Coded(position[codes], [self._texts[code] for code in used.tolist()])
