"""A query that is not run: whether the engine can bind it, and how many rows it would give."""

from __future__ import annotations

from collections.abc import Sequence

from lancesql.engines.parsed import find_syntax_error
from lancesql.errors import ParseError
from lancesql.plan.sources import RowCount, TableScan
from lancesql.plan.spelling import quote_name

from .query import find_direct_answer, offer_relation
from .retries import find_read_once
from .run import Run

__all__ = ["count_answer", "find_answer_columns"]


def find_answer_columns(run: Run, aliases: Sequence[str] = ()) -> list[str] | None:
    """The columns of the answer of a run's query; None where only reading would tell.

    Args:
        run: The run.
        aliases: What the columns are going to be called.

    Raises:
        LanceSQLError: As running it would: a name that does not exist, types that do not go together.
    """
    plan = run.plan
    if "pivot" in plan.relation.lower() or (plan.embeds and not plan.returns_rows):
        return None  # a pivot's columns are values; a call of constants runs while DuckDB plans COPY
    if not aliases and (direct := find_direct_answer(run)) is not None:
        return [column.name for column in direct.output]
    named = f" AS bound ({', '.join(map(quote_name, aliases))})" if aliases else ""
    with offer_relation(run, ahead=False, empty=True) as (relation, parameters, sources, namespace):
        text = f"EXPLAIN {relation}"
        if plan.returns_rows:
            text = f"DESCRIBE SELECT * FROM (\n{relation}\n){named}"
        try:
            answer = run.ask_engine(lambda: run.engine.run(text, parameters, sources, namespace))
        except ParseError:
            mistake = find_syntax_error(relation, run.engine.connection)
            if mistake is None:
                return None  # a statement that cannot stand within another one
            raise mistake from None
    return [str(name) for name in answer.column(0).to_pylist()] if plan.returns_rows else None


def count_answer(run: Run) -> int | None:
    """How many rows the query gives; None when counting them would search, ask a model, or take them away."""
    plan = run.plan
    reads = all(isinstance(source, TableScan | RowCount) for source in plan.sources)
    if not reads or plan.embeds or plan.functions or plan.scalars or not plan.returns_rows:
        return None
    if find_read_once(plan.sql, run.namespace, run.registered) is not None:
        return None
    with offer_relation(run, ahead=True) as (relation, parameters, sources, namespace):
        text = f"SELECT count(*) FROM (\n{relation}\n)"
        counted = run.ask_engine(lambda: run.engine.run(text, parameters, sources, namespace))
    return int(counted.column(0)[0].as_py())
