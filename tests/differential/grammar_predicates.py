"""Random predicates over named columns of known types, for the grammar of statements."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

Column = tuple[str, str]
"""A column as it is written, and its type: i(nteger), s(tring), b(oolean), d(ate), t (a struct), l(ist) or v(ector)."""

TABLE = {"id": "i", "a": "i", "b": "b", "s": "s", "d": "d", "st": "t", "tags": "l", "v": "v"}
OWN = {"p": "i", "q": "i", "r": "s", "w": "v"}
SCALARS = "isbd"

_VALUES = {
    "i": ("1", "2", "3", "20", "2.5", "'2'", "NULL", "-1", "1 + 1"),
    "s": ("'x'", "'xy'", "''", "'y'", "NULL"),
    "d": ("DATE '2020-01-03'", "'2020-01-05'", "TIMESTAMP '2020-01-04 12:00:00'"),
    "b": ("true", "false"),
}
_ANY = (
    "{c} = {x}", "{c} <> {x}", "{c} > {x}", "{c} <= {x}", "{c} IS NULL", "{c} IS NOT NULL", "{c} IN ({x}, {y})",
    "{c} NOT IN ({x}, {y})", "{c} IS DISTINCT FROM {x}", "{c} IS NOT DISTINCT FROM {x}", "{c} IS NOT DISTINCT FROM {e}",
    "{c} = {e}", "{c} < {e}", "coalesce({c}, {x}) = {y}",
)  # fmt: skip
_OF_TYPE = {
    "i": (
        "{c} + 1 > 2", "{c} % 2 = 1", "{c} // 2 = 1", "{c}::VARCHAR LIKE '1%'", "abs({c} - 3) < 2", "-{c} < -2",
        "{c} BETWEEN {x} AND {y}", "{c} NOT BETWEEN {x} AND {y}", "{x} BETWEEN {c} AND {y}", "{c} & 1 = 1",
        "{c}.abs() > 2",
    ),
    "s": (
        "{c} LIKE 'x%'", "{c} NOT LIKE '%y'", "{c} ILIKE 'X'", "{c} || 'q' = 'xq'", "upper({c}) = 'X'",
        "length({c}) = 1", "{c} ~ 'x'", "starts_with({c}, 'x')", "concat({c}, 'x') = 'x'",
        "{c}.upper() = 'X'",
    ),
    "d": ("extract(day FROM {c}) > 3", "{c} + 1 > DATE '2020-01-03'", "{c} BETWEEN {x} AND {y}"),
    "b": (
        "{c}", "NOT {c}", "{c} IS TRUE", "{c} IS NOT TRUE", "{c} IS FALSE", "{c} IS NOT FALSE", "({c} IS NULL) = {c}",
    ),
    "t": ("{c}.k > 1", "{c}.k IS NULL", "{c}.n = 'p'", "{c} IS NOT NULL", "{c}.k IN (1, 2) OR {c}.n <> 'q'"),
    "l": (
        "list_contains({c}, 'a')", "len({c}) > 1", "{c} && ['a']", "{c} = ['a']", "{c}[1] = 'a'", "'b' IN {c}",
        "len(list_filter({c}, lambda e: e = 'a')) = 0", "len([e FOR e IN {c} IF e <> 'b']) > 0",
    ),
    "v": ("{c}[1] > 0", "{c} IS NOT NULL", "array_distance({c}, [0, 0, 0]::FLOAT[3]) > 2"),
}  # fmt: skip
_JOINED = (
    "({l} OR {r})",
    "({l} AND {r})",
    "NOT ({l})",
    "CASE WHEN {l} THEN {r} ELSE false END",
    "CASE WHEN {l} THEN {r} END",
)
_INNER = {
    "i": (("own", "p"), ("own", "q"), ("u", "a")),
    "s": (("own", "r"), ("u", "s")),
    "d": (("u", "d"),),
    "b": (("u", "b"),),
}
_NESTED = (
    "{c} IN (SELECT {z}.{k} FROM {t} {z} WHERE {p})", "{c} NOT IN (SELECT {z}.{k} FROM {t} {z} WHERE {p})",
    "EXISTS (SELECT 1 FROM {t} {z} WHERE {z}.{k} = {c})", "NOT EXISTS (FROM {t} {z} WHERE {z}.{k} = {c} AND {p})",
    "(SELECT count(*) FROM {t} {z} WHERE {z}.{k} = {c}) > 1", "{c} = (SELECT max({z}.{k}) FROM {t} {z} WHERE {p})",
    "{c} = ANY (SELECT {k} FROM {t} {z} WHERE {p})", "{c} <> ALL (SELECT {k} FROM {t} {z} WHERE {p})",
    "{c} IN (FROM {t} {z} SELECT {z}.{k} WHERE {p})",
)  # fmt: skip


class PredicateGrammar:
    """Draws from a seed; `parameters` are those that what was drawn names."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.parameters: dict[str, Any] = {}
        self._names = 0

    def name(self, prefix: str) -> str:
        """A name that was not there before."""
        self._names += 1
        return f"{prefix}{self._names}"

    def choose(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def happens(self, share: float) -> bool:
        return self.random.random() < share

    def draw_value(self, type_: str) -> str:
        if type_ in "is" and self.happens(0.15):
            return self.draw_parameter(self.choose(1, 2, 15) if type_ == "i" else self.choose("x", "y"))
        return self.random.choice(_VALUES[type_])

    def draw_parameter(self, value: Any) -> str:
        name = self.name("p_")
        self.parameters[name] = value
        return f"${name}"

    def draw_predicate(self, columns: Sequence[Column], depth: int = 2) -> str:
        column, type_ = self.random.choice(columns)
        kind = self.random.random()
        if depth and kind < 0.2:
            form = self.random.choice(_JOINED)
            return form.format(l=self.draw_predicate(columns, depth - 1), r=self.draw_predicate(columns, depth - 1))
        if type_ not in SCALARS or kind < 0.5:
            form = self.random.choice(_OF_TYPE[type_])
        elif kind < 0.65:
            return self._draw_nested(column, type_)
        else:
            form = self.random.choice(_ANY)
        others = [name for name, other in columns if other == type_]
        x, y = (self.draw_value(type_), self.draw_value(type_)) if type_ in SCALARS else ("", "")
        return form.format(c=column, e=self.random.choice(others), x=x, y=y)

    def _draw_nested(self, column: str, type_: str) -> str:
        """A predicate with a subquery, whose own condition reads nothing but its table."""
        table, key = self.random.choice(_INNER[type_])
        alias = self.name("z")
        known = OWN if table == "own" else TABLE
        within = [(f"{alias}.{name}", kind) for name, kind in known.items() if kind in SCALARS]
        name, kind = self.random.choice(within)
        condition = f"{name} {self.choose('=', '<>', '>')} {self.draw_value(kind)}"
        return self.random.choice(_NESTED).format(c=column, z=alias, k=key, t=table, p=condition)
