"""Values of Python as SQL."""

from __future__ import annotations

from typing import Any

__all__ = ["write_literal"]


def write_literal(value: Any) -> str:
    """A value as SQL: numbers, texts, and lists, arrays and dicts of them.

    Example:
        >>> write_literal({"title": 3, "text": [1, "it's", None, True]})
        "{'title': 3, 'text': [1, 'it''s', NULL, true]}"
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).lower()
        case float() if value - value != 0:
            return f"'{value}'::DOUBLE"
        case int() | float():
            return repr(value)
        case dict():
            return (
                "{" + ", ".join(f"{write_literal(str(key))}: {write_literal(one)}" for key, one in value.items()) + "}"
            )
        case list() | tuple():
            return f"[{', '.join(map(write_literal, value))}]"
        case _:
            return "'" + str(value).replace("'", "''") + "'"
