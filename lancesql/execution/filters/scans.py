"""What a table scan reads: the Lance filter, and the keys of small sides that narrow it further."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lancesql.engines.inspection import inspect_query
from lancesql.execution.run import Run, read_count
from lancesql.optimizer.choose_keys import cost_full_scan, cost_listing, cost_matching, cost_taking
from lancesql.parser import read_tokens
from lancesql.plan.sources import Conjunct, KeyQuery, TableScan, list_key_queries
from lancesql.storage.scan import serialize_row_ids

from .index_use import uses_index
from .keys import estimate_share, list_keys, match_row_ids, plan_keys, read_keys
from .resolve import join_filters, render_conjuncts
from .text_matches import settle_matches

__all__ = ["ScanFilter", "resolve_scan"]

_PROBE = 3e6
"""Nanoseconds it takes to look at a small side and to find its keys not worth anything."""
_READ_KEY = 30.0
_WORTH_TRYING = 0.1
"""The part of a full scan that may be spent in vain."""
_WORTH = 0.7
"""A narrowed scan has to cost less than so much of a full one."""
_SMALL = 2
"""A small side has at most so small a part of the table's rows."""


@dataclass(frozen=True)
class ScanFilter:
    """How a scan is narrowed.

    Attributes:
        text: Lance filter text, or None.
        row_ids: Serialised ids of the rows outside which nothing is read, or None.
        limit: At most so many rows, or None.
        pushed: What Lance evaluates, with its text.
        left: What DuckDB evaluates, with the reason.
        keys: Small side → what became of its keys.
        matched: What the text index found, with how many rows.
        use_index: Whether scalar indexes are asked.
    """

    text: str | None
    row_ids: bytes | None
    limit: int | None
    pushed: tuple[tuple[Conjunct, str], ...]
    left: tuple[tuple[Conjunct, str], ...]
    keys: tuple[tuple[KeyQuery, str], ...] = ()
    matched: tuple[tuple[Conjunct, str], ...] = ()
    use_index: bool = True


def resolve_scan(source: TableScan, run: Run) -> ScanFilter:
    """Renders the filter; where small sides are known, reads their keys first if that makes the scan cheaper."""
    queries = list_key_queries(source)
    if not queries:
        return _render(source, run)
    name = f"{source.placeholder}/scan"  # a search that this scan answers for has a filter of its own
    held: ScanFilter | None = run.filters.get(name)
    if held is None:
        run.filters[name] = _render(source, run)  # a small side that reads this very scan reads all of it
        held = run.filters[name] = _narrow(source, queries, run)
    return held


def _render(source: TableScan, run: Run) -> ScanFilter:
    pushed, others = render_conjuncts(source.filter, run)
    matched = settle_matches(others, run)
    limit = sum(read_count(value, run, "LIMIT", least=0) for value in source.limit) if source.limit else None
    return ScanFilter(
        text=join_filters([text for _, text in pushed]),
        row_ids=None if matched.row_ids is None else serialize_row_ids(matched.row_ids),
        limit=None if matched.left else limit,
        pushed=tuple(pushed),
        left=tuple(matched.left),
        matched=tuple(matched.found),
        use_index=matched.row_ids is not None or uses_index(source, pushed, run),
    )


def _narrow(source: TableScan, queries: tuple[KeyQuery, ...], run: Run) -> ScanFilter:
    plain = _render(source, run)
    texts = [text for _, text in plain.pushed]
    full = cost_full_scan(source.table, source.columns, len(texts))
    budget = full * _WORTH_TRYING
    row_ids = settle_matches(render_conjuncts(source.filter, run)[1], run).row_ids
    notes: list[tuple[KeyQuery, str]] = []
    for query in queries:
        decision = _decide(source, query, join_filters(texts), full, budget, run)
        if isinstance(decision, str):
            budget -= _PROBE
            notes.append((query, f"not pushed: {decision}"))
        elif isinstance(decision, _Listed):
            texts.append(decision.text)
            notes.append((query, f"{decision.keys:,} pushed as IN on {query.column}"))
        else:
            found = decision.row_ids
            row_ids = found if row_ids is None else row_ids.filter(pc.is_in(row_ids, value_set=found))
            notes.append((query, f"{decision.keys:,} pushed as row ids: {len(found):,} rows"))
    blob = None if row_ids is None else serialize_row_ids(pa.chunked_array([row_ids]))
    narrowed = blob is not None or len(texts) > len(plain.pushed)
    use_index = narrowed or plain.use_index
    return replace(plain, text=join_filters(texts), row_ids=blob, keys=tuple(notes), use_index=use_index)


@dataclass(frozen=True)
class _Listed:
    text: str
    keys: int


@dataclass(frozen=True)
class _Matched:
    row_ids: pa.Array[Any]
    keys: int


_Decision = str | _Listed | _Matched


def _decide(source: TableScan, query: KeyQuery, text: str | None, full: float, budget: float, run: Run) -> _Decision:
    """The keys as a list, as row ids, or the reason why they are not worth it.

    Args:
        source: The scan.
        query: The small side.
        text: The Lance filter so far.
        full: What the scan costs as it is, in nanoseconds.
        budget: What may be spent on finding out.
        run: The run.
    """
    table = source.table
    if budget < _PROBE:
        return "reading every row costs little"
    reason = _find_objection(query, table.rows // _SMALL, int((budget - _PROBE) / _READ_KEY), run)
    if reason is not None:
        return reason
    keys = read_keys(query, table, run)
    if isinstance(keys, str):
        return keys
    share = estimate_share(table, query.column, keys, run)
    taking = share * table.rows * cost_taking(table, source.columns)
    listing, matching = cost_listing(table, query.column, len(keys)), cost_matching(table)
    listed = list_keys(query, keys) if listing < matching and listing + taking < _WORTH * full else None
    if listed is not None:
        return _Listed(listed[1], len(keys))
    if len(keys) and matching + taking > _WORTH * full:
        return f"{len(keys):,} keys, and {share:.0%} of the rows have one of them"
    at_most = full / cost_taking(table, source.columns) / max(table.rows, 1)
    row_ids = match_row_ids(table, query.column, keys, text, run, at_most=at_most)
    if row_ids is None:
        return f"{len(keys):,} keys, and too many rows have one of them"
    return _Matched(pa.array(row_ids, pa.uint64()), len(keys))


def _find_objection(query: KeyQuery, at_most: int, affordable: int, run: Run) -> str | None:
    """Why the small side is not read ahead of the statement, which reads it again.

    Args:
        query: The small side.
        at_most: The most rows it may have.
        affordable: The most rows that may be read for the sake of their keys.
        run: The run.
    """
    from lancesql.execution.query import offer_relation

    plan = plan_keys(query, run)
    scans = [one for one in plan.sources if isinstance(one, TableScan) and f'"{one.placeholder}"' in plan.relation]
    if sum(scan.table.rows for scan in scans) > affordable:
        return "reading its keys costs too much beside the scan"
    with offer_relation(run.within(plan), ahead=False) as (sql, parameters, given, namespace):
        inspection = inspect_query(run.engine, sql, parameters, given, namespace)
    if inspection is None:
        return "its query does not run alone"
    if inspection.doubt is not None:
        return f"{inspection.doubt} might answer differently when it is asked twice"
    known = [size for token in read_tokens(sql) if (size := _count_rows(token.text, given, run)) is not None]
    if inspection.arrow_scans > len(known):
        return "it reads something that might be read once only"
    rows = max(inspection.rows, *known, 0)
    if rows > at_most:
        return "it is not small beside the table"
    if rows > affordable:
        return "reading its keys costs too much beside the scan"
    return None


def _count_rows(name: str, given: Mapping[str, object], run: Run) -> int | None:
    """The rows of an object that can be read again and again; None for anything else."""
    scan = next((one for one in run.plan.sources if one.placeholder == name), None)
    if isinstance(scan, TableScan):
        text = resolve_scan(scan, run).text
        if text is None:
            return scan.table.rows
        return run.ask_storage(scan.table, lambda: run.database.count_matches(scan.table, text))
    found = given.get(name, run.namespace.find(name))
    if isinstance(found, pa.Table | pa.RecordBatch):
        return found.num_rows
    height = getattr(found, "height", None)  # a Polars frame
    return height if isinstance(height, int) else None
