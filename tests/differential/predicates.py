"""A generator of predicates: what Lance answers and what it must not be asked, as literals and as parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from .literals import is_list, is_writable, write_literal, write_name
from .tables import BY_NAME, COLUMNS, Column

PLAIN = tuple(column for column in COLUMNS if column.plain)
TEXTS = tuple(column for column in COLUMNS if pa.types.is_string(column.type) or pa.types.is_large_string(column.type))
NUMBERS = tuple(column for column in PLAIN if pa.types.is_integer(column.type) or pa.types.is_floating(column.type))
COMPARED = tuple(column for column in COLUMNS if not pa.types.is_nested(column.type))
CONSTANTS = tuple(
    line
    for line in Path(__file__).with_name("constants.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
)
LISTS = tuple(column for column in COLUMNS if is_list(column.type))
PATTERNS = (
    "a%",
    "%",
    "_",
    "%b%",
    "",
    "under_score",
    "back\\slash",
    "new%",
    "%'%",
    "_b_",
    "%本%",
    "a\\%",
    "per\\%cent",
    "[a]",
    ".*",
)


@dataclass(frozen=True)
class Where:
    """A predicate over a table called t (`@t` in its subqueries), and its parameters' values."""

    sql: str
    parameters: dict[str, Any] = field(default_factory=dict)
    conjuncts: int = 1


class _Namer:
    """Gives each parameter of a predicate its own name."""

    def __init__(self, *, strange: bool = True) -> None:
        self.values: dict[str, Any] = {}
        self.strange = strange

    def add(self, value: Any) -> str:
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"${name}"


def values_for(column: Column, names: _Namer) -> st.SearchStrategy[Any]:
    """A value to compare a column with: mostly of its type, sometimes beside it."""
    own = st.sampled_from(column.pool)
    if not names.strange:
        return st.one_of(own, own, own, st.none())
    return st.one_of(own, own, own, own, st.none(), _strange_values(column.type))


def _strange_values(type_: pa.DataType) -> st.SearchStrategy[Any]:
    if pa.types.is_integer(type_) or pa.types.is_floating(type_):
        return st.one_of(
            st.sampled_from(
                [1.5, -0.5, 2**31, 2**63, -(2**63) - 1, 2**64, 1e39, True, "1", "x", Decimal("1.50"), 300, 0.1]
            ),
            st.integers(-(2**70), 2**70),
            st.floats(),
        )
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return st.one_of(st.sampled_from([1, True, date(2024, 1, 1)]), st.text(max_size=4).filter(_is_text))
    if pa.types.is_date(type_) or pa.types.is_timestamp(type_):
        return st.one_of(
            st.sampled_from(
                ["2024-01-01", "2024-01-01 12:30:15", "nonsense", "2024-1-1", "2024-W01-1", date(2024, 1, 1)]
            ),
            st.sampled_from([datetime(2024, 1, 1, 12, 30, 15), datetime(2024, 1, 1)]),
            st.dates(),
            st.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1)),
        )
    return st.sampled_from([1, "a", None])


def _is_text(value: str) -> bool:
    return "\x00" not in value and not any(0xD800 <= ord(letter) < 0xE000 for letter in value)


def spell_value(value: Any, draw: st.DrawFn, names: _Namer) -> str:
    """The value as a literal, or as a parameter of one of the Python types it can have."""
    if is_writable(value) and draw(st.booleans()):
        return write_literal(value)
    return names.add(draw(st.sampled_from(_python_forms(value))) if names.strange else value)


def _python_forms(value: Any) -> list[Any]:
    forms = [value]
    match value:
        case bool():
            forms += [np.bool_(value)]
        case int():
            for kind in (np.int8, np.uint8, np.int64, np.uint64):
                low, high = np.iinfo(kind).min, np.iinfo(kind).max
                if low <= value <= high:
                    forms.append(kind(value))
            if abs(value) < 10**17:
                forms += [Decimal(value), str(value)]
        case float():
            forms += [np.float64(value), np.float32(value) if abs(value) < 1e38 else value]
        case datetime():
            if value.tzinfo is None:
                forms += [np.datetime64(value, "us"), value.isoformat(sep=" ")]
        case date():
            forms += [value.isoformat(), np.datetime64(value, "D")]
        case str():
            forms += [np.str_(value)]
        case timedelta():
            forms += [np.timedelta64(value)]
    return forms


@st.composite
def wheres(draw: st.DrawFn, depth: int = 2, *, strange: bool = True) -> Where:
    """A predicate of up to `depth` levels of AND, OR and NOT; nothing that can fail on some row unless `strange`."""
    names = _Namer(strange=strange)
    conjuncts = draw(st.integers(1, 3)) if depth else 1
    parts = [_draw_predicate(draw, names, depth) for _ in range(conjuncts)]
    text = " AND ".join(f"({part})" if " OR " in part else part for part in parts)
    used = {name: value for name, value in names.values.items() if re.search(rf"\${name}\b", text)}
    return Where(text, used, conjuncts + 1 if " AND " in text or " OR " in text else conjuncts)


def _draw_predicate(draw: st.DrawFn, names: _Namer, depth: int) -> str:
    kind = draw(st.integers(0, 13)) if depth else 99
    if kind == 0:
        return f"NOT ({_draw_predicate(draw, names, depth - 1)})"
    if kind in (1, 2):
        joined = " OR " if kind == 1 else " AND "
        items = [_draw_predicate(draw, names, depth - 1) for _ in range(draw(st.integers(2, 3)))]
        return "(" + joined.join(items) + ")"
    if kind in (3, 4, 5):
        first, second = (_draw_predicate(draw, names, depth - 1) for _ in range(2))
        return draw(st.sampled_from(LOGIC)).format(a=first, b=second)
    return draw(st.sampled_from(_FORMS))(draw, names)


def _name(column: Column, draw: st.DrawFn) -> str:
    name = write_name(column.name)
    return draw(st.sampled_from((name, f"t.{name}", f't."{column.name}"', f'"{column.name.upper()}"')))


def _comparison(draw: st.DrawFn, names: _Namer) -> str:
    column = draw(st.sampled_from(COLUMNS if draw(st.booleans()) else PLAIN))
    operator = draw(st.sampled_from(("=", "<>", "!=", "==", "<", "<=", ">", ">=")))
    left, right = _name(column, draw), spell_value(draw(values_for(column, names)), draw, names)
    return f"{right} {operator} {left}" if draw(st.integers(0, 5)) == 0 else f"{left} {operator} {right}"


def _in_list(draw: st.DrawFn, names: _Namer) -> str:
    column = draw(st.sampled_from(COMPARED))
    values = draw(st.lists(values_for(column, names), min_size=1, max_size=4))
    listed = ", ".join(spell_value(value, draw, names) for value in values)
    return f"{_name(column, draw)} {draw(st.sampled_from(('IN', 'NOT IN')))} ({listed})"


def _between(draw: st.DrawFn, names: _Namer) -> str:
    column = draw(st.sampled_from(COMPARED))
    low, high = (spell_value(draw(values_for(column, names)), draw, names) for _ in range(2))
    return f"{_name(column, draw)} {draw(st.sampled_from(('BETWEEN', 'NOT BETWEEN')))} {low} AND {high}"


def _null(draw: st.DrawFn, names: _Namer) -> str:
    name = _name(draw(st.sampled_from(COLUMNS)), draw)
    return f"{name} {draw(st.sampled_from(('IS NULL', 'IS NOT NULL', 'ISNULL')))}"


def _text_match(draw: st.DrawFn, names: _Namer) -> str:
    name = _name(draw(st.sampled_from(TEXTS)), draw)
    pattern = spell_value(draw(st.sampled_from(PATTERNS)), draw, names)
    operator = draw(
        st.sampled_from(("LIKE", "NOT LIKE", "ILIKE", "starts_with", "ends_with", "contains", "suffix", "prefix"))
    )
    return f"{name} {operator} {pattern}" if operator.isupper() else f"{operator}({name}, {pattern})"


def _list_item(draw: st.DrawFn, names: _Namer) -> str:
    column = draw(st.sampled_from(LISTS))
    elements = sorted({element for value in column.pool for element in value if element is not None}, key=str)
    element = spell_value(draw(st.sampled_from([*elements, None])), draw, names)
    return f"{draw(st.sampled_from(('list_contains', 'array_has')))}({_name(column, draw)}, {element})"


def _boolean(draw: st.DrawFn, names: _Namer) -> str:
    return draw(
        st.sampled_from(("b", "NOT b", "t.b", "b IS TRUE", "b IS NOT FALSE", "true", "false", "NULL", "b = (i32 > 1)"))
    )


def _computed(draw: st.DrawFn, names: _Namer) -> str:
    number = _name(draw(st.sampled_from(NUMBERS)), draw)
    forms = (
        "abs({n}::DOUBLE) > {v}", "{n}::DOUBLE / 2 = {v}", "CASE WHEN {n} > 1 THEN b ELSE true END",
        "coalesce({n}, 0) = 0", "{n} IN (SELECT i32 FROM @t u WHERE u.b)", "{n} IS DISTINCT FROM {v}",
        "{n}::VARCHAR = '1'", "try_cast(s AS INT) = {v}", "{n} > (SELECT avg(id) FROM @t)", "length(s) % 2 = 0",
        "lower(s) = 'a'", "i32 + 1 > {v}", "_rowid % 3 = 0",
        "EXISTS (SELECT 1 FROM @t u WHERE u.id = t.id + 1 AND u.i32 > t.i32)", "nullif({n}, 1) IS NULL",
        "id < 40", "st.a = {v}", "hash(s) % 2 = 0", "len(tags) > 1", "f64 > f32", "date_part('year', d) = 2024",
    )  # fmt: skip
    form = draw(
        st.sampled_from(
            forms if names.strange else [form for form in forms if "+ 1 >" not in form and "_rowid" not in form]
        )
    )
    value = spell_value(draw(values_for(BY_NAME["i32"], names)), draw, names) if "{v}" in form else ""
    return form.format(n=number, v=value)


LOGIC = (
    "({a}) IS TRUE", "({a}) IS NOT TRUE", "({a}) IS FALSE", "({a}) IS NOT FALSE", "({a}) IS NULL",
    "({a}) IS NOT NULL", "coalesce(({a}), true)", "ifnull(({a}), false)", "NOT coalesce(({a}), false)",
    "CASE WHEN {a} THEN {b} END", "CASE WHEN {a} THEN {b} ELSE false END",
    "CASE WHEN {a} THEN NULL WHEN {b} THEN true ELSE b END",
)  # fmt: skip
FIELDS = (
    "{n} = {v}", "{n} <> {v}", "{n} > {v}", "{n} <= {v}", "{n} IN ({v}, 1)", "{n} NOT IN ({v}, 1)", "{n} IS NULL",
    "{n} IS NOT NULL", "{n} BETWEEN {v} AND 2", "{s} = 'x'", "{s} <> 'x'", "{s} LIKE 'it%'", "{s} IS NULL",
    "{s} NOT LIKE '%x%'", "contains({s}, 'x')", "{s} IN ('x', NULL)", "st IS NULL", "st IS NOT NULL",
    "st.n IS NULL", "st.n IS NOT NULL", "{n} IS DISTINCT FROM {v}", "coalesce({n}, 1) = 1",
)  # fmt: skip
ITEMS = (
    "list_has_any({n}, {l})", "list_has_all({n}, {l})", "array_has_any({n}, {l})", "array_has_all({n}, {l})",
    "{n} && {l}", "{n} @> {l}", "{l} <@ {n}", "{e} = ANY({n})", "{e} IN {n}", "NOT ({e} = ANY({n}))",
    "{e} <> ALL({n})", "NOT list_has_any({n}, {l})", "NOT ({n} @> {l})",
)  # fmt: skip
ESCAPED = (
    "under!_score", "per!%cent", "%!%%", "back\\slash", "%\\%", "a!%", "!_%", "%!_s%", "u_der!_%", "re!", "!!%",
    "r_d", "%e", "ABC", "%B%", "A%", "%ÜN%", "b'c", "_", "%\\\\%", "under\\_score",
)  # fmt: skip


def _distinct(draw: st.DrawFn, names: _Namer) -> str:
    column = draw(st.sampled_from(COMPARED))
    value = spell_value(draw(values_for(column, names)), draw, names)
    return f"{_name(column, draw)} {draw(st.sampled_from(('IS DISTINCT FROM', 'IS NOT DISTINCT FROM')))} {value}"


def _field(draw: st.DrawFn, names: _Namer) -> str:
    number = draw(st.sampled_from(("st.a", "t.st.a", "ST.A", "st['a']", "struct_extract(st, 'a')")))
    text = draw(st.sampled_from(("st.n.s", "t.st.n.s", 't."st"."n"."s"', "(st.n).s")))
    form = draw(st.sampled_from(FIELDS))
    value = spell_value(draw(st.sampled_from((1, 2, -1, 0, None))), draw, names) if "{v}" in form else ""
    return form.format(n=number, s=text, v=value)


def _list_items(draw: st.DrawFn, names: _Namer) -> str:
    column = draw(st.sampled_from(LISTS))
    elements = sorted({element for value in column.pool for element in value if element is not None}, key=str)
    chosen = draw(st.lists(st.sampled_from([*elements, elements[0], None]), min_size=0, max_size=3))
    single = spell_value(draw(st.sampled_from(elements)), draw, names)
    items = names.add(chosen) if draw(st.integers(0, 2)) == 0 else write_literal(chosen)
    return draw(st.sampled_from(ITEMS)).format(n=_name(column, draw), l=items, e=single)


def _any_of(draw: st.DrawFn, names: _Namer) -> str:
    column = draw(st.sampled_from(COMPARED))
    values = draw(st.lists(st.one_of(st.sampled_from(column.pool), st.none()), min_size=1, max_size=3))
    whole = draw(st.booleans())
    items = names.add(values) if whole else "[" + ", ".join(spell_value(one, draw, names) for one in values) + "]"
    forms = ("{n} = ANY({l})", "{n} <> ALL({l})", "NOT ({n} = ANY({l}))", "{n} IN {l}", "list_contains({l}, {n})")
    return draw(st.sampled_from(forms)).format(n=_name(column, draw), l=items)


def _escaped(draw: st.DrawFn, names: _Namer) -> str:
    name = _name(draw(st.sampled_from((*TEXTS, BY_NAME["dict"]))), draw)
    pattern = spell_value(draw(st.sampled_from(ESCAPED)), draw, names)
    sign = draw(st.sampled_from(("!", "!", "\\", "%", "_", "")))
    escape = f" ESCAPE '{sign}'" if draw(st.integers(0, 3)) else ""
    return f"{name} {draw(st.sampled_from(('LIKE', 'NOT LIKE', 'ILIKE', 'NOT ILIKE')))} {pattern}{escape}"


def _constant(draw: st.DrawFn, names: _Namer) -> str:
    del names
    return draw(st.sampled_from(CONSTANTS))


_FORMS = (
    _comparison, _comparison, _comparison, _in_list, _between, _null, _text_match, _list_item, _boolean, _computed,
    _distinct, _field, _list_items, _any_of, _escaped, _constant, _constant, _constant,
)  # fmt: skip
