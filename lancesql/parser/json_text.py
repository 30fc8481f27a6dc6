"""JSON read with the place of every value, so that an error can point at it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from lancesql.errors import Span

__all__ = ["JsonError", "JsonValue", "parse_json", "wrap_json"]

_SPACE = re.compile(r"[ \t\n\r]*")
_SCALAR = re.compile(r"true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_DEEPEST = 100
_DECODER = json.JSONDecoder(strict=False)


@dataclass(frozen=True)
class JsonValue:
    """A value and its place; None where it was not written as text.

    Attributes:
        value: A text, a number, a truth value, None, a tuple of `JsonValue`, or a tuple of `(key, JsonValue)`.
        kind: `object`, `list` or `scalar`.
    """

    value: object
    kind: str
    span: Span | None = None

    @property
    def items(self) -> tuple[JsonValue, ...]:
        """The values of a list."""
        return self.value if self.kind == "list" else ()  # type: ignore[return-value]

    @property
    def members(self) -> tuple[tuple[JsonValue, JsonValue], ...]:
        """The keys and values of an object."""
        return self.value if self.kind == "object" else ()  # type: ignore[return-value]


class JsonError(ValueError):
    """The text is no JSON from `span` on."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.message = message
        self.span = span


def parse_json(text: str) -> JsonValue:
    """Reads a JSON text.

    Example:
        >>> [(key.value, item.value, item.span) for key, item in parse_json('{"a": 1}').members]
        [('a', 1, Span(start=6, end=7))]

    Raises:
        JsonError: When it is none.
    """
    value, at = _read(text, _skip(text, 0), 0)
    at = _skip(text, at)
    if at < len(text):
        raise JsonError("nothing more is expected here", Span(at, len(text)))
    return value


def wrap_json(held: object, depth: int = 0) -> JsonValue:
    """A Python value as what the same JSON text would give, without places.

    Raises:
        JsonError: When it nests too deep.
    """
    if depth > _DEEPEST:
        raise JsonError("it is nested too deep", Span(0, 0))
    if isinstance(held, dict):
        members = tuple((wrap_json(str(key)), wrap_json(item, depth + 1)) for key, item in held.items())
        return JsonValue(members, "object")
    if isinstance(held, list | tuple):
        return JsonValue(tuple(wrap_json(item, depth + 1) for item in held), "list")
    return JsonValue(held, "scalar")


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match is not None else at


def _read(text: str, at: int, depth: int) -> tuple[JsonValue, int]:
    if depth > _DEEPEST:
        raise JsonError("it is nested too deep", Span(at, at + 1))
    start = at
    letter = text[at : at + 1]
    if letter == '"':
        return _read_string(text, at)
    if letter == "[":
        items: list[JsonValue] = []
        at = _skip(text, at + 1)
        while text[at : at + 1] != "]":
            if items:
                at = _expect(text, at, ",")
            item, at = _read(text, at, depth + 1)
            items.append(item)
            at = _skip(text, at)
        return JsonValue(tuple(items), "list", Span(start, at + 1)), at + 1
    if letter == "{":
        members: list[tuple[JsonValue, JsonValue]] = []
        at = _skip(text, at + 1)
        while text[at : at + 1] != "}":
            if members:
                at = _expect(text, at, ",")
            if text[at : at + 1] != '"':
                raise _miss(text, at, "a key in quotation marks")
            key, at = _read_string(text, at)
            item, at = _read(text, _expect(text, _skip(text, at), ":"), depth + 1)
            members.append((key, item))
            at = _skip(text, at)
        return JsonValue(tuple(members), "object", Span(start, at + 1)), at + 1
    match = _SCALAR.match(text, at)
    if match is None:
        raise _miss(text, at, "a value")
    return JsonValue(json.loads(match.group()), "scalar", Span(*match.span())), match.end()


def _read_string(text: str, at: int) -> tuple[JsonValue, int]:
    try:
        value, end = _DECODER.raw_decode(text, at)
    except ValueError:
        raise JsonError("the text is not closed, or an escape in it is none", Span(at, at + 1)) from None
    return JsonValue(value, "scalar", Span(at, end)), end


def _expect(text: str, at: int, sign: str) -> int:
    if text[at : at + 1] != sign:
        raise _miss(text, at, f"'{sign}'")
    return _skip(text, at + 1)


def _miss(text: str, at: int, what: str) -> JsonError:
    at = min(at, max(len(text) - 1, 0))
    return JsonError(f"{what} is expected here", Span(at, at + 1))
