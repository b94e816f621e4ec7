"""The filter language: texts become trees of typed conditions, and trees texts.

`parse` and `text_of` are the two ways; `mask` evaluates a tree on a batch, `tokens` and `complete` serve editors.
"""

from millrace.lang.completion import Completion, complete
from millrace.lang.faults import FilterError
from millrace.lang.highlight import Token, TokenKind, tokens
from millrace.lang.masks import mask
from millrace.lang.names import DEFAULT_NAMES, Country, Names
from millrace.lang.nodes import (
    And,
    ColumnComparison,
    Comparison,
    Condition,
    Everything,
    Filter,
    Item,
    Membership,
    Not,
    Or,
    Prefix,
    Span,
    Value,
    columns_of,
    conjunction,
)
from millrace.lang.offers import Option
from millrace.lang.operators import operators_of
from millrace.lang.parser import parse
from millrace.lang.reverse import reversed_filter
from millrace.lang.text import text_of, value_text
from millrace.lang.zones import unix_seconds, zone

__all__ = [
    "DEFAULT_NAMES",
    "And",
    "ColumnComparison",
    "Comparison",
    "Completion",
    "Condition",
    "Country",
    "Everything",
    "Filter",
    "FilterError",
    "Item",
    "Membership",
    "Names",
    "Not",
    "Option",
    "Or",
    "Prefix",
    "Span",
    "Token",
    "TokenKind",
    "Value",
    "columns_of",
    "complete",
    "conjunction",
    "mask",
    "operators_of",
    "parse",
    "reversed_filter",
    "text_of",
    "tokens",
    "unix_seconds",
    "value_text",
    "zone",
]
