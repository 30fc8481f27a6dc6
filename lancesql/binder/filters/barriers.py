"""What stands between a query's rows and a filter on them: where a filter may not move into the query, and why."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Set as AbstractSet

from sqlglot import exp

from .lineage import Lineage

__all__ = ["find_barrier", "find_clause_barrier", "find_combination_barrier"]

_HARMLESS = frozenset(
    {"with_", "expressions", "from_", "joins", "laterals", "where", "group", "having", "windows", "qualify", "order",
     "distinct"}
)  # fmt: skip
_COMBINED = frozenset({"with_", "this", "expression", "distinct", "order"})
_NAMES = {"limit": "LIMIT", "offset": "OFFSET", "sample": "a sample"}


def find_barrier(select: exp.Select, columns: AbstractSet[tuple[int, str]], lineage: Lineage) -> str:
    """Why a filter on these columns of a block's rows may not be applied to the block's relations; "" when it may.

    Args:
        select: The block.
        columns: The columns the filter reads, as the block's relations have them: identity of the node, name.
        lineage: What the block's columns are.
    """
    clause = find_clause_barrier(select, _HARMLESS)
    if clause:
        return clause
    distinct = select.args.get("distinct")
    if isinstance(distinct, exp.Distinct) and distinct.args.get("on"):
        return "DISTINCT ON comes before it"
    if not _are_grouping_keys(select, columns, lineage):
        return "the rows are grouped by something else before it"
    if not _are_partition_keys(select, columns, lineage):
        return "a window function counts rows before it"
    return ""


def find_clause_barrier(query: exp.Expr, harmless: Collection[str]) -> str:
    """The first clause of a query outside `harmless`; "" when there is none."""
    clause = next((key for key, value in query.args.items() if value and key not in harmless), None)
    return f"{_NAMES.get(clause, clause.strip('_').upper())} comes before it" if clause is not None else ""


def _are_grouping_keys(select: exp.Select, columns: AbstractSet[tuple[int, str]], lineage: Lineage) -> bool:
    group = select.args.get("group")
    if group is None:
        return select.args.get("having") is None and not _aggregates(select)
    if group.args.get("all"):
        return True  # the filter reads columns of the SELECT list that are not aggregates
    keys: set[tuple[int, str]] = set()
    for key in group.expressions:
        if isinstance(key, exp.Rollup | exp.Cube | exp.GroupingSets):
            return False
        keys |= _resolve(_name_item(select, key, lineage), select, lineage)
    return not any(group.args.get(kind) for kind in ("rollup", "cube", "grouping_sets", "totals")) and columns <= keys


def _aggregates(select: exp.Select) -> bool:
    return any(
        found.find_ancestor(exp.Select) is select and found.find_ancestor(exp.Window) is None
        for item in select.expressions
        for found in item.find_all(exp.AggFunc)
    )


def _name_item(select: exp.Select, key: exp.Expr, lineage: Lineage) -> exp.Expr:
    """What a key of GROUP BY means: an item of the SELECT list by its place or by its alias, or itself."""
    if isinstance(key, exp.Literal) and not key.is_string and key.name.isdigit():
        at = int(key.name) - 1
        stars = any(item.is_star for item in select.expressions)
        key = select.expressions[at] if 0 <= at < len(select.expressions) and not stars else key
    elif isinstance(key, exp.Column) and not key.table and lineage.resolve(key, lineage.scope_of(select)) is None:
        aliased = [item for item in select.expressions if isinstance(item, exp.Alias) and item.alias == key.name]
        key = aliased[0] if len(aliased) == 1 else key
    return key.unalias().unnest()


def _are_partition_keys(select: exp.Select, columns: AbstractSet[tuple[int, str]], lineage: Lineage) -> bool:
    own = [window for window in select.find_all(exp.Window) if window.find_ancestor(exp.Select) is select]
    for window in own:
        if window.args.get("alias") is not None:
            return False  # OVER a window that is defined elsewhere
        keys = [key for part in window.args.get("partition_by") or () for key in _resolve(part, select, lineage)]
        if not columns <= set(keys):
            return False
    return True


def _resolve(key: exp.Expr, select: exp.Select, lineage: Lineage) -> set[tuple[int, str]]:
    found = lineage.resolve(key, lineage.scope_of(select)) if isinstance(key, exp.Column) else None
    return set() if found is None else {(id(found[0].node), found[1])}


def find_combination_barrier(combination: exp.SetOperation, positions: AbstractSet[int], lineage: Lineage) -> str:
    """Why a filter on these columns of a UNION, INTERSECT or EXCEPT may not be applied to its arms; "" when it may."""
    clause = find_clause_barrier(combination, _COMBINED)
    if clause:
        return clause
    if any(lineage.type_of(combination, position) is None for position in positions):
        return "the combined queries are not sure to have one type"
    return ""
