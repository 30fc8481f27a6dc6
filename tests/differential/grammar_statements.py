"""Random statements over small tables, each with its meaning: the same with every search written out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lancesql.parser import read_tokens
from lancesql.parser.blocks import TokenTree, split_conjuncts

from .grammar_predicates import OWN, SCALARS, TABLE, Column, PredicateGrammar
from .written_out import QUERY, write_out, write_out_query

_ALIAS = re.compile(r"\b(t_\d+)\.")
_ARITHMETIC = re.compile(r"\b(AND|OR)\b")
_BASES = (
    ("id, a, s, b", {"id": "i", "a": "i", "s": "s", "b": "b"}),
    ("id, a + 1 AS e, s", {"id": "i", "e": "i", "s": "s"}),
    ("id AS a, a id", {"a": "i", "id": "i"}),
    ("id, f: b", {"id": "i", "f": "b"}),
)


_JOINS = (
    "JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", ",", "CROSS JOIN", "SEMI JOIN", "ANTI JOIN",
)  # fmt: skip
_GROUPS = ("", " GROUP BY {}", " GROUP BY ALL", " GROUP BY ROLLUP ({})", " GROUP BY {} HAVING count(*) > 1")


@dataclass
class Relation:
    """One relation of a block.

    Attributes:
        meant: What it means, given the predicates that choose among a search's rows.
        search: Whether it is a search, and has a distance.
        each_row: Whether it is one for each row of the relations before it.
        nullable: Whether an outer join may fill it with NULLs.
        visible: Whether the rest of the block sees it.
    """

    alias: str
    columns: dict[str, str]
    asked: str
    meant: Callable[[Sequence[str]], str]
    search: bool = False
    each_row: bool = False
    nullable: bool = False
    visible: bool = True

    def list_columns(self) -> list[Column]:
        return [(f"{self.alias}.{name}", type_) for name, type_ in self.columns.items()]


@dataclass(frozen=True)
class Conjunct:
    """A predicate as it is written, and what it means when aliases of the SELECT list are written out."""

    written: str
    meaning: str

    def list_aliases(self, alone: str) -> set[str]:
        """The relations it reads; `alone` is the one that names without a relation mean."""
        named = set(_ALIAS.findall(self.meaning))
        return named or {alone}


@dataclass(frozen=True)
class Query:
    """A query, what it means, and its columns."""

    asked: str
    meant: str
    columns: dict[str, str]


class StatementGrammar(PredicateGrammar):
    """Draws statements.

    Args:
        seed: Equal seeds give equal statements.
        rejects: Whether a predicate on a relation of these columns is not true of a row of NULLs.
    """

    def __init__(self, seed: int, rejects: Callable[[str, Relation], bool]) -> None:
        super().__init__(seed)
        self._rejects = rejects
        self._tables: list[tuple[str, dict[str, str]]] = []

    def draw_statement(self) -> Query:
        """A whole statement."""
        head_asked = head_meant = ""
        if self.happens(0.3):
            cte, name = self.draw_block(1), self.name("cte_")
            kind = self.choose("AS", "AS MATERIALIZED", "AS NOT MATERIALIZED")
            head_asked, head_meant = (f"WITH {name} {kind} ({text}) " for text in (cte.asked, cte.meant))
            self._tables.append((name, cte.columns))
        one = self.draw_block(self.choose(0, 1, 1, 2))
        asked, meant = one.asked, one.meant
        if self.happens(0.2):
            operator = self.choose("UNION ALL", "UNION", "EXCEPT", "INTERSECT", "UNION ALL BY NAME")
            two = self.draw_block(1)
            left, right = (self._pick_integer(arm.columns) for arm in (one, two))
            asked, meant = (
                f"SELECT {left} AS n FROM ({first}) {operator} SELECT {right} AS n FROM ({second})"
                for first, second in ((one.asked, two.asked), (one.meant, two.meant))
            )
        return Query(head_asked + asked, head_meant + meant, one.columns)

    def _pick_integer(self, columns: dict[str, str]) -> str:
        return next((name for name, type_ in columns.items() if type_ == "i"), "NULL::BIGINT")

    def draw_relation(self, depth: int) -> Relation:
        """A search, a table, or a query of one block."""
        alias, kind = self.name("t_"), self.random.random()
        if kind < 0.45:
            return self._draw_search(alias)
        if kind < 0.56:
            return self._take(alias, self.choose("t", "u"), TABLE)
        if kind < 0.58:
            return Relation(alias, dict(TABLE), f"t AT (VERSION => 1) {alias}", lambda _: f"t_before {alias}")
        if kind < 0.6:
            return self._take(alias, "hits", {"id": "i", "f": "b", "s": "s"})
        if kind < 0.68:
            return self._take(alias, "own", OWN)
        if kind < 0.72:
            values = f"(VALUES (1, 'x'), (2, NULL), (NULL, 'y')) {alias}(g, h)"
            return Relation(alias, {"g": "i", "h": "s"}, values, lambda _: values)
        if self._tables and kind < 0.85:
            return self._take(alias, *self.random.choice(self._tables))
        if depth <= 0:
            return self._take(alias, "t", TABLE)
        query = self.draw_block(depth - 1)
        return Relation(alias, query.columns, f"({query.asked}) {alias}", lambda _: f"({query.meant}) {alias}")

    def _take(self, alias: str, table: str, columns: dict[str, str]) -> Relation:
        text = f"{table} {self.choose('', 'AS ')}{alias}"
        return Relation(alias, dict(columns), text, lambda _: text)

    def _draw_search(self, alias: str) -> Relation:
        table, k = self.choose("t", "t", "u"), self.choose(1, 2, 3, 5, 8, 30)
        shown = self.draw_parameter(k) if self.happens(0.3) else str(k)
        if self.happens(0.2):
            listed, columns = self.random.choice(_BASES)
            plain = [(name, type_) for name, type_ in TABLE.items() if type_ in SCALARS]
            where = f" WHERE {self.draw_predicate(plain)}" if self.happens(0.5) else ""
            base = f"FROM {table} {self.name('y')}{where}"
            searched = f"(SELECT {listed} {base})"
            if self.happens(0.2):
                table, searched, listed, base = (
                    "t",
                    "'late'",
                    "id, a + 1 AS e, s",
                    f"FROM t {self.name('y')} WHERE id > 3",
                )
                columns = {"id": "i", "e": "i", "s": "s"}
            asked = f"vector_search({searched}, {QUERY}, k => {shown}) {alias}"
            return Relation(
                alias,
                dict(columns),
                asked,
                lambda where: f"{write_out_query(listed, base, table, k, _join(where), alias)} {alias}",
                search=True,
            )
        asked = f"vector_search('{table}', {QUERY}, k => {shown}) {alias}"
        meant = f"{QUERY}::FLOAT[3]"
        return Relation(
            alias,
            dict(TABLE),
            asked,
            lambda where: f"{write_out(table, k, _join(where), meant, alias)} {alias}",
            search=True,
        )

    def _draw_lateral(self, vector: str, word: str) -> Relation:
        """A search for each row: its query is a vector of a relation before it."""
        alias, table, k = self.name("t_"), self.choose("t", "u"), self.choose(1, 2, 3, 8)
        return Relation(
            alias,
            dict(TABLE),
            f"{word}vector_search('{table}', {vector}, k => {k}) {alias}",
            lambda where: f"LATERAL {write_out(table, k, _join(where), vector, alias)} {alias}",
            search=True,
            each_row=True,
        )

    def draw_block(self, depth: int) -> Query:
        """One SELECT."""
        relations = [self.draw_relation(depth)]
        joins: list[tuple[str, Relation, list[str]]] = []
        for _ in range(self.choose(0, 0, 0, 1, 1, 2) if depth else self.choose(0, 0, 0, 1)):
            joins.append(self._draw_join(relations, depth))
            relations.append(joins[-1][1])
        visible = [one for one in relations if one.visible]
        head, tail, columns, aliases = self._draw_outputs(visible)
        where = [self._draw_conjunct(visible, aliases) for _ in range(self.choose(0, 1, 1, 2, 3))]
        inner = [
            Conjunct(one, one) for kind, _, on in joins if kind == "JOIN" for one in on if not one.startswith("USING")
        ]
        chosen = {one.alias: self._choose_filter(one, relations, [*where, *inner]) for one in relations}
        for kind, one, on in joins:
            if kind == "LEFT JOIN" and one.each_row:
                chosen[one.alias] += [text for text in on if f"{one.alias}." in text]
        asked, meant = relations[0].asked, relations[0].meant(chosen[relations[0].alias])
        for kind, one, on in joins:
            condition = f" {on[0]}" if on and on[0].startswith("USING") else f" ON {_join(on)}" if on else ""
            asked += f"{kind if kind == ',' else f' {kind}'} {one.asked}{condition}"
            meant += f"{kind if kind == ',' else f' {kind}'} {one.meant(chosen[one.alias])}{condition}"
        written = " AND ".join(_bracket(one.written) for one in where)
        clause = f" WHERE {self.choose('{}', '{}', '({})').format(written)}" if where else ""
        if self.happens(0.1) and not asked.startswith("(VALUES") and "DISTINCT" not in head:
            return Query(f"FROM {asked} {head}{clause}{tail}", f"FROM {meant} {head}{clause}{tail}", columns)
        return Query(f"{head} FROM {asked}{clause}{tail}", f"{head} FROM {meant}{clause}{tail}", columns)

    def _draw_join(self, relations: list[Relation], depth: int) -> tuple[str, Relation, list[str]]:
        before = [column for one in relations if one.visible for column in one.list_columns()]
        vectors = [name for name, type_ in before if type_ == "v"]
        if vectors and self.happens(0.25):
            kind = self.choose(",", "JOIN", "LEFT JOIN")
            new = self._draw_lateral(
                self.random.choice(vectors), "LATERAL " if kind != "," else self.choose("", "LATERAL ")
            )
        else:
            new = self.draw_relation(depth)
            kind = self.random.choice(_JOINS)
        on = [] if kind in (",", "CROSS JOIN") else self._draw_condition(before, new, kind)
        if kind in ("RIGHT JOIN", "FULL JOIN"):
            for one in relations:
                one.nullable = True
        new.nullable = kind in ("LEFT JOIN", "FULL JOIN")
        new.visible = kind not in ("SEMI JOIN", "ANTI JOIN")
        return kind, new, on

    def _draw_condition(self, before: list[Column], new: Relation, kind: str) -> list[str]:
        names = {name.split(".")[1]: type_ for name, type_ in before}
        shared = [name for name, type_ in new.columns.items() if names.get(name) == type_ and type_ in SCALARS]
        if shared and len({name.split(".")[0] for name, _ in before}) == 1 and not new.each_row and self.happens(0.2):
            return [f"USING ({self.random.choice(shared)})"]
        pairs = [
            f"{left} = {right}"
            for left, type_ in before
            for right, other in new.list_columns()
            if type_ == other and type_ in SCALARS
        ]
        on = [self.random.choice(pairs)] if pairs else ["true"]
        # DuckDB has no subquery in the ON of a LATERAL join, and none in that of an outer one that reads both sides.
        own = new.list_columns() if self.happens(0.6) else before
        extra = self.draw_predicate([one for one in own if one[1] in SCALARS] or own)
        if self.happens(0.4) and "SELECT" not in extra and "FROM" not in extra:
            on.append(extra)
        return on

    def _draw_outputs(self, visible: list[Relation]) -> tuple[str, str, dict[str, str], list[tuple[str, str, str]]]:
        """The SELECT list, what stands behind WHERE, the columns, and (alias, expression, type) of the list."""
        columns = [column for one in visible for column in one.list_columns()]
        scalars = [column for column in columns if column[1] in SCALARS] or columns
        if self.happens(0.2):
            (key, type_), (other, _) = self.random.choice(scalars), self.random.choice(scalars)
            group = self.random.choice(_GROUPS).format(key)
            shown = {"g": type_, "m": "i"} if group else {"m": "i"}
            first = f"{key} AS g" if group else f"max({other}) AS {self.name('c_')}"
            return f"SELECT {first}, count(*) AS m", group, shown, []
        columns += [(f"{one.alias}._distance", "f") for one in visible if one.search]
        items: dict[str, tuple[str, str]] = {}
        for _ in range(self.choose(1, 2, 3)):
            expression, type_ = self.random.choice(columns)
            if type_ == "i" and self.happens(0.2):
                expression += " + 1"
            if len(visible) == 1 and self.happens(0.3):
                expression = expression.split(".", 1)[1]
            name = self.choose(
                "E", "F", "G", *(name for name, other in TABLE.items() if other == type_), self.name("c_")
            )
            items = {key: value for key, value in items.items() if key.lower() != name.lower()}
            items[name] = (expression, type_)
        if all(type_ == "f" for _, type_ in items.values()):
            items["n"] = self.random.choice(scalars)
        listed = [
            self.choose("{e} AS {n}", "{e} {n}", "{n}: {e}", '{e} AS "{n}"').format(e=expression, n=name)
            for name, (expression, _) in items.items()
        ]
        tail, word = "", "SELECT DISTINCT" if self.happens(0.1) else "SELECT"
        if word == "SELECT" and self.happens(0.12):
            every = ", ".join(name for name, type_ in columns if type_ != "f")
            tail = f" QUALIFY row_number() OVER (PARTITION BY {self.random.choice(scalars)[0]} ORDER BY {every}) <= 2"
        elif self.happens(0.15):
            tail = f" ORDER BY ALL LIMIT {self.choose('3', '5 OFFSET 1')}"
        types = {name: type_ for name, (_, type_) in items.items()}
        aliases = [(name, expression, type_) for name, (expression, type_) in items.items()]
        shown = {name: type_ for name, type_ in types.items() if type_ != "f"}
        return f"{word} {', '.join(listed)}", tail, shown, aliases

    def _draw_conjunct(self, visible: list[Relation], aliases: list[tuple[str, str, str]]) -> Conjunct:
        kind = self.random.random()
        known = {name.lower() for one in visible for name in (*one.columns, "_distance")}
        named = [one for one in aliases if one[0].lower() not in known and one[2] in SCALARS]
        searches = [one for one in visible if one.search]
        if kind < 0.05 and aliases and (meant := self._find_column(self.random.choice(aliases)[0], visible)):
            (name, type_), column = meant
            form = f"{{}} {self.choose('=', '<>', '>')} {self.draw_value(type_)}"
            return Conjunct(form.format(name), form.format(column))
        if kind < 0.2 and named:
            name, expression, type_ = self.random.choice(named)
            form = f"{{}} {self.choose('=', '<>', '>', 'IS DISTINCT FROM')} {self.draw_value(type_)}"
            return Conjunct(form.format(name), form.format(f"({expression})"))
        if kind < 0.3 and searches:
            one = self.random.choice(searches)
            other = self.draw_predicate(one.list_columns())
            text = self.choose("{a}._distance > 2", "{a}._distance + {a}.{c} > 9", "({a}._distance < 3 OR {p})")
            return _same(text.format(a=one.alias, p=other, c=self._pick_name(one)))
        if kind < 0.4 and len(visible) > 1:
            left, right = (self.random.choice(self.random.choice(visible).list_columns()) for _ in range(2))
            if left[1] == right[1] and left[1] in SCALARS:
                return _same(f"{left[0]} {self.choose('=', '<>', '<')} {right[0]}")
        one = self.random.choice(searches or visible)
        columns = one.list_columns()
        if len(visible) == 1 and self.happens(0.5):
            spell = self.choose(str, str.upper, '"{}"'.format)
            columns = [(spell(name), type_) for name, type_ in one.columns.items()]
        return _same(self.draw_predicate(columns))

    def _find_column(self, alias: str, visible: list[Relation]) -> tuple[Column, str] | None:
        """The column that an alias of the SELECT list does not hide, with its type, and the same with its relation."""
        holders = [one for one in visible if alias.lower() in one.columns]
        if len(holders) != 1 or (type_ := holders[0].columns.get(alias.lower(), "")) not in [*SCALARS]:
            return None
        return (alias, type_), f"{holders[0].alias}.{alias}"

    def _pick_name(self, relation: Relation) -> str:
        return next((name for name, type_ in relation.columns.items() if type_ == "i"), "_distance")

    def _choose_filter(self, one: Relation, relations: list[Relation], conjuncts: Sequence[Conjunct]) -> list[str]:
        """The conjuncts that choose among a search's rows: of its own columns, and of rows that are given to it."""
        if not one.search or not one.visible:
            return []
        before = {other.alias for other in relations[: relations.index(one)]} if one.each_row else set()
        found = []
        for conjunct in _split(conjuncts) if one.nullable else conjuncts:  # each is asked for NULLs by itself
            read = conjunct.list_aliases(relations[0].alias)
            if "._distance" in conjunct.meaning or one.alias not in read or not read <= {one.alias, *before}:
                continue
            if not one.nullable or self._rejects(conjunct.meaning, one):
                found.append(conjunct.meaning)
        return found


def _split(conjuncts: Sequence[Conjunct]) -> list[Conjunct]:
    """The same, each AND as two; `written` is not asked for again."""
    parts = []
    for one in conjuncts:
        tokens = read_tokens(one.meaning)
        spans = split_conjuncts(TokenTree(tokens), 0, len(tokens))
        parts += [_same(one.meaning[span.start : span.end]) for span in spans]
    return parts


def _same(text: str) -> Conjunct:
    return Conjunct(text, text)


def _join(conjuncts: Sequence[str]) -> str:
    return " AND ".join(map(_bracket, conjuncts)) or "true"


def _bracket(text: str) -> str:
    return f"({text})" if _ARITHMETIC.search(text) else text
