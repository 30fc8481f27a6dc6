"""The structured form of a text query: LanceDB's `{"match": …}`, `{"boolean": …}`, read into the same tree."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from lancesql.errors import ArgumentError, nearest_name
from lancesql.plan.text import (
    AllOf,
    AnyOf,
    Boosted,
    Demoting,
    Excluding,
    InColumn,
    Phrase,
    Preferring,
    TextQuery,
    TextReading,
    Words,
)

from .json_text import JsonError, JsonValue, parse_json, wrap_json

__all__ = ["parse_text_json", "replace_surrogates"]

_DEFAULTS = {"max_expansions": 50, "prefix_length": 0}
"""Options of a match that LanceDB writes out and nothing else can be asked of."""


def parse_text_json(query: str | Mapping[str, Any], reading: TextReading | None = None) -> TextQuery:
    """Reads a structured query, a JSON text or the same as a dict.

    Example:
        >>> parse_text_json('{"phrase": {"terms": "deep sea", "slop": 1}}')
        Phrase(text='deep sea', slop=1)

    Raises:
        ArgumentError: When it is no JSON, or no query; the span is one of the text.
    """
    reader = _Reader(query if isinstance(query, str) else None, reading or TextReading())
    try:
        value = parse_json(query) if isinstance(query, str) else wrap_json(dict(query))
    except JsonError as error:
        raise reader.refuse(f"no JSON: {error.message}", JsonValue(None, "scalar", error.span)) from None
    return reader.read(value)


def replace_surrogates(text: str) -> str:
    """The text as it can be written in UTF-8: halves of letters that stand alone are replaced."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class _Reader:
    def __init__(self, text: str | None, reading: TextReading) -> None:
        self.text = text
        self.reading = reading
        self.kinds: dict[str, Callable[[JsonValue], TextQuery]] = {
            "match": self._read_match,
            "phrase": self._read_phrase,
            "boolean": self._read_boolean,
            "boost": self._read_boost,
            "multi_match": self._read_multi_match,
        }

    def refuse(self, message: str, at: JsonValue, hint: str | None = None) -> ArgumentError:
        span = at.span if self.text is not None else None
        hint = hint or 'write {"match": {"column": "title", "terms": "deep sea"}}'
        return ArgumentError(f"text query: {message}", hint=hint, span=span, sql=self.text if span else None)

    def read(self, value: JsonValue) -> TextQuery:
        if value.kind != "object" or len(value.members) != 1:
            raise self.refuse(f"a query is an object with one key: {', '.join(self.kinds)}", value)
        key, body = value.members[0]
        read = self.kinds.get(str(key.value))
        if read is None:
            raise self._refuse_key(key, list(self.kinds), "there is no query")
        return read(body)

    def _read_match(self, body: JsonValue) -> TextQuery:
        held = self._read_object(body, "match", ("terms",), ("column", "operator", "fuzziness", "boost", *_DEFAULTS))
        for name, only in _DEFAULTS.items():
            if name in held and held[name].value != only:
                raise self.refuse(f"'{name}' of a match is always {only} here", held[name], f"leave '{name}' out")
        words = Words(
            self._read_text(held["terms"], "terms"),
            self._read_operator(held.get("operator")),
            self._read_fuzziness(held),
        )
        return self._boost(self._place(words, held.get("column")), held.get("boost"))

    def _read_phrase(self, body: JsonValue) -> TextQuery:
        held = self._read_object(body, "phrase", ("terms",), ("column", "slop"))
        slop = held.get("slop")
        moves = self.reading.slop if slop is None else slop.value
        if isinstance(moves, bool) or not isinstance(moves, int) or moves < 0:
            raise self.refuse("'slop' is a whole number, 0 or more", held["slop"])
        return self._place(Phrase(self._read_text(held["terms"], "terms"), moves), held.get("column"))

    def _read_boolean(self, body: JsonValue) -> TextQuery:
        held = self._read_object(body, "boolean", (), ("must", "should", "must_not"))
        must, should, must_not = (self._read_queries(held.get(name), name) for name in ("must", "should", "must_not"))
        if not must and not should:
            raise self.refuse("what is excluded has to be taken from something: 'must' and 'should' are empty", body)
        if must:
            required = _join(must, AllOf)
            wanted = Preferring(required, tuple(should)) if should else required
        else:
            wanted = _join(should, AnyOf)
        return Excluding(wanted, tuple(must_not)) if must_not else wanted

    def _read_boost(self, body: JsonValue) -> TextQuery:
        held = self._read_object(body, "boost", ("positive", "negative"), ("negative_boost",))
        factor = 0.5
        if "negative_boost" in held:
            factor = self._read_number(held["negative_boost"], "negative_boost")
        return Demoting(self.read(held["positive"]), self.read(held["negative"]), factor)

    def _read_multi_match(self, body: JsonValue) -> TextQuery:
        held = self._read_object(body, "multi_match", ("query", "columns"), ("boost", "operator"))
        columns, boosts = held["columns"], held.get("boost")
        if columns.kind != "list" or not columns.items:
            raise self.refuse("'columns' is a list of column names", columns)
        if boosts is not None and len(boosts.items) != len(columns.items):
            raise self.refuse("'boost' is a list of one number for each of 'columns'", boosts)
        words = Words(
            self._read_text(held["query"], "query"), self._read_operator(held.get("operator")), self.reading.fuzziness
        )
        factors = boosts.items if boosts is not None else (None,) * len(columns.items)
        return _join(
            [self._boost(self._place(words, one), factor) for one, factor in zip(columns.items, factors, strict=True)],
            AnyOf,
        )

    def _read_object(
        self, body: JsonValue, kind: str, required: tuple[str, ...], optional: tuple[str, ...]
    ) -> dict[str, JsonValue]:
        if body.kind != "object":
            raise self.refuse(f"'{kind}' takes an object", body)
        held: dict[str, JsonValue] = {}
        for key, item in body.members:
            name = str(key.value)
            if name not in (*required, *optional):
                raise self._refuse_key(key, [*required, *optional], f"'{kind}' has no")
            if name in held:
                raise self.refuse(f"'{name}' is given twice", key, "leave one of them out")
            held[name] = item
        for name in required:
            if name not in held:
                raise self.refuse(f"'{kind}' needs '{name}'", body, f"keys: {', '.join((*required, *optional))}")
        return held

    def _read_queries(self, value: JsonValue | None, name: str) -> list[TextQuery]:
        if value is None:
            return []
        if value.kind == "scalar":
            raise self.refuse(f"'{name}' is a list of queries", value)
        return [self.read(item) for item in (value.items if value.kind == "list" else (value,))]

    def _read_text(self, value: JsonValue, name: str) -> str:
        if not isinstance(value.value, str):
            raise self.refuse(f"'{name}' is a text", value)
        return replace_surrogates(value.value)

    def _read_number(self, value: JsonValue, name: str) -> float:
        number = value.value
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1e6:
            raise self.refuse(
                f"'{name}' is a number, 0 or more, up to a million", value, f"leave '{name}' out, or give a number"
            )
        return float(number)

    def _read_operator(self, value: JsonValue | None) -> Any:
        if value is None:
            return self.reading.operator
        word = str(value.value).lower()
        if word not in ("or", "and"):
            raise self.refuse('\'operator\' is "Or" or "And"', value, "leave 'operator' out, or give one of them")
        return word

    def _read_fuzziness(self, held: Mapping[str, JsonValue]) -> Any:
        if "fuzziness" not in held:
            return self.reading.fuzziness
        value = held["fuzziness"].value
        if value is None or value == "auto":
            return "auto"
        if isinstance(value, bool) or value not in (0, 1, 2):
            raise self.refuse(
                "'fuzziness' is 0, 1, 2 or \"auto\"", held["fuzziness"], "a word may differ by so many letters"
            )
        return value

    def _place(self, query: TextQuery, column: JsonValue | None) -> TextQuery:
        if column is None or column.value is None:
            return query
        name = self._read_text(column, "column")
        found = [one for one in self.reading.columns if one.lower() == name.lower()]
        if name not in self.reading.columns and len(found) != 1 and self.reading.columns:
            near = nearest_name(name, self.reading.columns)
            did = f"did you mean '{near}'? " if near is not None else ""
            listed = ", ".join(self.reading.columns)
            raise self.refuse(f"there is no column '{name}' among those searched", column, f"{did}searched: {listed}")
        return InColumn(name if name in self.reading.columns or not found else found[0], query)

    def _boost(self, query: TextQuery, value: JsonValue | None) -> TextQuery:
        if value is None:
            return query
        factor = self._read_number(value, "boost")
        if not math.isfinite(factor) or factor <= 0:
            raise self.refuse("'boost' is a number above 0", value, "leave 'boost' out, or give a number")
        return query if factor == 1 else Boosted(query, factor)

    def _refuse_key(self, key: JsonValue, known: list[str], what: str) -> ArgumentError:
        near = nearest_name(str(key.value), known)
        did = f"did you mean '{near}'? " if near is not None else ""
        return self.refuse(f"{what} '{key.value}'", key, f"{did}keys: {', '.join(known)}")


def _join(items: list[TextQuery], joined: Any) -> TextQuery:
    return items[0] if len(items) == 1 else joined(tuple(items))
