"""What is wrong with a filter, and where."""

from __future__ import annotations

from millrace.errors import QueryError


class FilterError(QueryError):
    """A filter is not understood, names something unknown or exceeds a bound.

    Parameters
    ----------
    problem : str
        What is wrong.
    text : str
        The whole filter.
    start, end : int
        Part of the text that is wrong, in characters; they are equal where something is missing.
    expected : tuple of str
        What may stand there, in users' words.
    suggestion : str
        The nearest thing that exists, or empty.

    Attributes
    ----------
    problem, start, end, expected, suggestion
        As given.
    line, column : int
        Where `start` is, counted from 1.
    """

    def __init__(
        self, problem: str, text: str, start: int, end: int, expected: tuple[str, ...] = (), suggestion: str = ""
    ) -> None:
        self.problem = problem
        self.start = start
        self.end = end
        self.line = text.count("\n", 0, start) + 1
        self.column = start - (text.rfind("\n", 0, start) + 1) + 1
        self.expected = expected
        self.suggestion = suggestion
        hint = f"; did you mean {suggestion!r}?" if suggestion else ""
        super().__init__(f"line {self.line}, column {self.column}: {problem}{hint}")
