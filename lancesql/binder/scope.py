"""The relations of one SELECT block, and which of them a column belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlglot import exp

__all__ = ["Join", "Relation", "Scope", "find_owner_node", "is_within", "read_scope"]

_OWNERS = (exp.Select, exp.Update, exp.Delete, exp.Merge)


@dataclass(frozen=True)
class Relation:
    """One relation of a FROM clause.

    Attributes:
        alias: Its name in the block, in lower case.
        node: Its tree.
        nullable: Whether an outer join may fill it with NULLs.
        paired: Whether its rows are sampled, paired by position, or the ones ASOF chooses the nearest from, so that
            filtering them would change the choice.
        visible: Whether the rest of the block sees its columns (not so behind SEMI and ANTI JOIN).
    """

    alias: str
    node: exp.Expr
    nullable: bool = False
    paired: bool = False
    visible: bool = True


@dataclass(frozen=True)
class Join:
    """One join of a FROM clause: its tree, and the relations on either side of it."""

    node: exp.Expr
    left: tuple[Relation, ...]
    right: tuple[Relation, ...]


@dataclass(frozen=True)
class Scope:
    """A block's relations in the order of the text, its joins, and the columns its USING clauses merge.

    Attributes:
        reshaped: Whether a function of its SELECT list or ORDER BY makes one row of several, or several of one.
    """

    owner: exp.Expr
    relations: tuple[Relation, ...]
    merged: frozenset[str]
    natural: bool = False
    joins: tuple[Join, ...] = ()
    reshaped: bool = False

    def find(self, alias: str) -> Relation | None:
        """The relation called `alias`, in any case."""
        folded = alias.lower()
        return next((relation for relation in self.relations if relation.alias == folded), None)

    def of(self, node: exp.Expr) -> Relation | None:
        """The relation of a table node."""
        return next((relation for relation in self.relations if relation.node is node), None)


def find_owner_node(node: exp.Expr) -> exp.Expr | None:
    """The SELECT (or UPDATE, DELETE, MERGE) in whose FROM clause a table stands."""
    parent = node.parent
    while parent is not None:
        if isinstance(parent, _OWNERS):
            return parent
        if isinstance(parent, exp.Pivot | exp.Describe | exp.Summarize | exp.Insert | exp.Create | exp.Copy):
            return None
        parent = parent.parent
    return None


def is_within(node: exp.Expr, ancestor: exp.Expr) -> bool:
    """Whether a node is `ancestor`, or stands somewhere below it."""
    current: exp.Expr | None = node
    while current is not None and current is not ancestor:
        current = current.parent
    return current is not None


def read_scope(owner: exp.Expr) -> Scope:
    """Reads the FROM clause of a SELECT, UPDATE, DELETE or MERGE."""
    found: list[Join] = []
    relations: list[Relation] = []
    start = owner.args.get("from_")
    if isinstance(start, exp.From):
        relations = list(_read_item(start.this, found))
    for using in _as_list(owner.args.get("using")):
        relations += list(_read_item(using, found))
    relations = _read_joins(relations, owner, found)
    for lateral in _as_list(owner.args.get("laterals")):
        relations += list(_read_item(lateral, found))
    natural = any(join.args.get("method") == "NATURAL" for join in owner.find_all(exp.Join))
    return Scope(owner, tuple(relations), _read_merged(found), natural, tuple(found))


def _read_merged(joins: list[Join]) -> frozenset[str]:
    return frozenset(column.name.lower() for join in joins for column in join.node.args.get("using") or ())


def _read_item(node: exp.Expr, found: list[Join]) -> Iterator[Relation]:
    if isinstance(node, exp.Paren) or (isinstance(node, exp.Subquery) and not node.alias and _is_join_group(node.this)):
        yield from _read_joins(list(_read_item(node.this, found)), node, found)
        return
    sampled = node.args.get("sample") is not None
    relation = Relation(node.alias_or_name.lower(), node, paired=sampled)
    yield from _read_joins([relation], node, found)  # in `FROM … SELECT` the joins are the first relation's


def _is_join_group(node: exp.Expr) -> bool:
    return isinstance(node, exp.Table | exp.Paren) or (isinstance(node, exp.Subquery) and _is_join_group(node.this))


def _read_joins(relations: list[Relation], node: exp.Expr, found: list[Join]) -> list[Relation]:
    for join in _as_list(node.args.get("joins")):
        right = list(_read_item(join.this, found))
        side, kind, method = (str(join.args.get(key) or "").upper() for key in ("side", "kind", "method"))
        if side in ("RIGHT", "FULL"):
            relations = [replace(relation, nullable=True) for relation in relations]
        if side in ("LEFT", "FULL"):
            right = [replace(relation, nullable=True) for relation in right]
        if kind in ("SEMI", "ANTI"):
            right = [replace(relation, visible=False) for relation in right]
        if method in ("POSITIONAL", "ASOF"):
            right = [replace(relation, paired=True) for relation in right]
        if method == "POSITIONAL":
            relations = [replace(relation, paired=True) for relation in relations]
        found.append(Join(join, tuple(relations), tuple(right)))
        relations = relations + right
    return relations


def _as_list(value: object) -> list[exp.Expr]:
    if value is None or value is False:
        return []
    return list(value) if isinstance(value, list) else [value]  # type: ignore[list-item]
