"""A filter → a predicate of SQL: over a column where the table has one of that name, else over JSON.

A key that is missing, or NULL, is equal to nothing, and unequal to everything.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from lancesql.errors import ArgumentError, UnknownColumnError, nearest_name
from lancesql.plan.spelling import quote_name

from .filters import Condition, Filter, Group, SQLText

__all__ = ["Predicate"]

_SIGNS = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_NUMBER_KINDS = "('BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT')"


class Predicate:
    """Writes filters, and collects the values that go with them.

    Attributes:
        values: The values by the names of the parameters.
    """

    def __init__(self, columns: pa.Schema, json_column: str | None) -> None:
        self.values: dict[str, Any] = {}
        self._columns = columns
        self._json = None if json_column is None else quote_name(json_column)

    def write(self, filter: Filter) -> str:
        """The predicate in SQL, in brackets where it has to be."""
        match filter:
            case SQLText(text):
                return f"({text})"
            case Group("not", parts):
                return f"({self._join(parts, 'OR')}) IS NOT TRUE" if parts else "true"
            case Group(word, parts):
                return f"({self._join(parts, word.upper())})" if parts else "true"
            case Condition(key, "between", value):
                low, high = _read_pair(key, value)
                return self.write(Group("and", (Condition(key, "gte", low), Condition(key, "lte", high))))
            case Condition(key, "ne", value):
                return f"({self.write(Condition(key, 'eq', value))}) IS NOT TRUE"
            case Condition(key, "nin", value):
                return f"({self.write(Condition(key, 'in', value))}) IS NOT TRUE"
            case Condition(key, "any" | "all" as word, value):
                parts = tuple(Condition(key, "contains", one) for one in _read_list(key, word, value))
                return (
                    self.write(Group("or" if word == "any" else "and", parts)) if parts else str(word == "all").lower()
                )
            case Condition(key, "exists", value):
                missing = Condition(key, "eq", None)
                return self.write(Group("not", (missing,)) if value else missing)
            case Condition(key) if key in self._columns.names:
                return self._write_column(filter)
            case Condition(key):
                return self._write_json(filter)
        raise AssertionError(filter)

    def _join(self, parts: Sequence[Filter], word: str) -> str:
        return f" {word} ".join(map(self.write, parts))

    def _bind(self, value: object) -> str:
        name = f"f{len(self.values)}"
        self.values[name] = value
        return f"${name}"

    def _write_column(self, condition: Condition) -> str:
        column, value = quote_name(condition.key), condition.value
        match condition.operator:
            case "eq" if value is None:
                return f"{column} IS NULL"
            case "in":
                values = [one for one in _read_list(condition.key, "in", value) if one is not None]
                parts = [f"{column} IS NULL"] if len(values) < len(value) else []
                parts += [f"{column} IN ({', '.join(map(self._bind, values))})"] if values else []
                return f"({' OR '.join(parts)})" if parts else "false"
            case "contains":
                if _is_list(self._columns.field(condition.key).type):
                    return f"list_contains({column}, {self._bind(value)})"
                return f"contains({column}, {self._bind(_read_text(condition))})"
            case "empty":
                return f"({column} IS NULL OR len({column}) = 0)"
            case "like" | "ilike":
                return f"{column} {condition.operator.upper()} {self._bind(_read_text(condition))}"
            case "part":
                return f"contains({column}, {self._bind(_read_text(condition))})"
            case "ipart":
                return f"contains(lower({column}), {self._bind(_read_text(condition).lower())})"
        return f"{column} {_SIGNS[condition.operator]} {self._bind(value)}"

    def _write_json(self, condition: Condition) -> str:
        if self._json is None:
            near = nearest_name(condition.key, self._columns.names)
            listed = f"columns: {', '.join(self._columns.names)}"
            raise UnknownColumnError(
                f"the filter names '{condition.key}', which is no column of the table",
                hint=f"did you mean '{near}'? {listed}" if near else listed,
            )
        path = "'/" + condition.key.replace("~", "~0").replace("/", "~1").replace("'", "''") + "'"
        kind, text = f"json_type({self._json}, {path})", f"json_extract_string({self._json}, {path})"
        value = condition.value
        match condition.operator:
            case "in":
                values = _read_list(condition.key, "in", value)
                parts = [self._write_json(Condition(condition.key, "eq", one)) for one in values]
                return f"({' OR '.join(parts)})" if parts else "false"
            case "eq" if value is None:
                return f"coalesce({kind}, 'NULL') = 'NULL'"
            case "eq" if isinstance(value, list | tuple):
                return f"json_extract({self._json}, {path})::VARCHAR = {self._bind(_write_json(value))}"
            case "contains":
                listed = f"json_contains(json_extract({self._json}, {path}), {self._bind(_write_json(value))})"
                if not isinstance(value, str):
                    return f"({kind} = 'ARRAY' AND {listed})"
                inside = f"{kind} = 'VARCHAR' AND contains({text}, {self._bind(value)})"
                return f"(({kind} = 'ARRAY' AND {listed}) OR ({inside}))"
            case "empty":
                return f"(coalesce({kind}, 'NULL') = 'NULL' OR {text} IN ('', '[]'))"
            case "like" | "ilike":
                sign = condition.operator.upper()
                return f"({kind} = 'VARCHAR' AND {text} {sign} {self._bind(_read_text(condition))})"
            case "part":
                return f"({kind} = 'VARCHAR' AND contains({text}, {self._bind(_read_text(condition))}))"
            case "ipart":
                wanted = self._bind(_read_text(condition).lower())
                return f"({kind} = 'VARCHAR' AND contains(lower({text}), {wanted}))"
        sign = _SIGNS[condition.operator]
        if isinstance(value, bool):
            return f"({kind} = 'BOOLEAN' AND ({text} = 'true') {sign} {self._bind(value)})"
        if isinstance(value, int | float):
            name = self._bind(value)
            whole = f"{kind} IN {_NUMBER_KINDS} AND TRY_CAST({text} AS HUGEINT) {sign} {name}"
            return f"(({whole}) OR ({kind} = 'DOUBLE' AND TRY_CAST({text} AS DOUBLE) {sign} {name}))"
        if isinstance(value, str):
            return f"({kind} = 'VARCHAR' AND {text} {sign} {self._bind(value)})"
        raise ArgumentError(
            f"a filter on '{condition.key}' compares a {type(value).__name__}, which JSON has not",
            hint="compare a text or a number, or give the key a column of its own",
        )


def _is_list(type_: Any) -> bool:
    return pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_)


def _write_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _read_list(key: str, word: str, value: object) -> list[Any]:
    if not isinstance(value, list | tuple | set | frozenset):
        raise ArgumentError(f"'{word}' on '{key}' takes a list, not {type(value).__name__}")
    return list(value)


def _read_pair(key: str, value: object) -> tuple[Any, Any]:
    pair = _read_list(key, "between", value)
    if len(pair) != 2:
        raise ArgumentError(f"'between' on '{key}' takes the lowest and the highest value, not {len(pair)} values")
    return pair[0], pair[1]


def _read_text(condition: Condition) -> str:
    if not isinstance(condition.value, str):
        kind = type(condition.value).__name__
        raise ArgumentError(f"'{condition.operator}' on '{condition.key}' takes a text, not {kind}")
    return condition.value
