"""LanceDB's rerankers, and those of a session: loaded by name, called with the tables LanceDB would give them."""

from __future__ import annotations

import importlib.util
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lancesql.errors import ArgumentError, LanceSQLError, RerankError, Span
from lancesql.plan.rerankers import RERANKERS, RerankerInfo
from lancesql.plan.sources import DISTANCE, RELEVANCE, ROW_ID, SCORE

__all__ = ["Candidates", "Rerankers"]

_TEXT = "text"
"""What a reranker of LanceDB calls the column it compares when it is not told."""


@dataclass(frozen=True)
class Candidates:
    """The rows of a search as a reranker is given them, best first, each with `_rowid`.

    Attributes:
        kind: `vector`, `text`, `hybrid` (a vector ranking and a text ranking) or `many`.
        rows: All of them.
        rankings: Those that were fused; () for a single one.
        column: The text column among the rows; None when there is none.
    """

    kind: str
    rows: pa.Table
    rankings: tuple[pa.Table, ...] = ()
    column: str | None = None


class Rerankers:
    """The rerankers of a session. One that holds a model is made once."""

    def __init__(self) -> None:
        self._registered: dict[str, Any] = {}
        self._made: dict[tuple[object, ...], Any] = {}

    def copy(self) -> Rerankers:
        """The same rerankers, for another session."""
        other = Rerankers()
        other._registered, other._made = dict(self._registered), dict(self._made)
        return other

    def register(self, name: str, reranker: Any) -> None:
        """Keeps a reranker under a name.

        Raises:
            ArgumentError: When it is none, or the name is LanceDB's.
        """
        folded = name.lower()
        if not folded.isidentifier():
            raise ArgumentError(f"'{name}' is not a name", hint="letters, digits and underscores")
        if folded in RERANKERS:
            raise ArgumentError(f"'{name}' is a reranker of LanceDB's", hint="register yours under another name")
        if not (callable(reranker) or hasattr(reranker, "rerank_hybrid")) or isinstance(reranker, type):
            raise ArgumentError(
                f"{type(reranker).__name__} is no reranker",
                hint="an instance of a lancedb Reranker, or a function of the query's text and an Arrow table that "
                "gives a score for each row",
            )
        self._registered[folded] = reranker

    def names(self) -> Sequence[str]:
        """The names registered, sorted."""
        return sorted(self._registered)

    def score(
        self,
        name: str,
        options: Mapping[str, object],
        query: str,
        candidates: Candidates,
        span: Span | None,
    ) -> pa.Table:
        """`_rowid` and the score of each row the reranker keeps, the greater the better.

        Raises:
            RerankError: When it cannot run, fails, or answers with something else than a score for each row.
        """
        reranker = self._find(name, options, candidates.column, span)
        try:
            if hasattr(reranker, "rerank_hybrid"):
                answer = _call_lancedb(reranker, query, candidates)
            else:
                answer = _call_function(reranker, query, candidates.rows)
        except NotImplementedError:
            raise RerankError(
                f"reranker '{name}' does not order the rows of a single ranking",
                hint=f"rerank(hybrid_search(…), '{name}', …)",
                span=span,
            ) from None
        except Exception as error:
            raise _explain(error, name, span) from None
        return _check_answer(answer, name, candidates.rows, span)

    def _find(self, name: str, options: Mapping[str, object], column: str | None, span: Span | None) -> Any:
        if name in self._registered:
            return self._registered[name]
        info = RERANKERS[name]
        key = (name, column, *((option, repr(value)) for option, value in options.items()))
        if key not in self._made:
            _check_needs(name, info, options, span)
            arguments = {info.options[option]: value for option, value in options.items()}
            if info.reads_text:
                arguments["column"] = column
            if name == "cross_encoder":
                arguments.setdefault("trust_remote_code", False)  # LanceDB's default runs code of the model's author
            try:
                import lancedb.rerankers as lancedb_rerankers

                self._made[key] = getattr(lancedb_rerankers, info.class_name)(**arguments)
            except Exception as error:
                raise _explain(error, name, span) from None
        return self._made[key]


def _check_needs(name: str, info: RerankerInfo, options: Mapping[str, object], span: Span | None) -> None:
    missing = [package for package in info.packages if importlib.util.find_spec(package) is None]
    if missing:
        raise RerankError(
            f"reranker '{name}' needs a package that is not installed: {', '.join(missing)}",
            hint=f"pip install {info.install}",
            span=span,
        )
    if info.key is not None and not options.get("api_key") and not os.environ.get(info.key):
        raise RerankError(
            f"reranker '{name}' needs a key",
            hint=f"set the environment variable {info.key}, or pass a parameter: api_key => $key",
            span=span,
        )


def _call_lancedb(reranker: Any, query: str, candidates: Candidates) -> Any:
    """Calls the method for this kind of rows, with the column where the reranker looks for it."""
    column = getattr(reranker, "column", None)

    def name_column(table: pa.Table) -> pa.Table:
        if candidates.column is None or not isinstance(column, str) or column == candidates.column:
            return table
        return table.rename_columns([column if name == candidates.column else name for name in table.column_names])

    rankings = [name_column(one) for one in candidates.rankings]
    if candidates.kind == "hybrid":
        return reranker.rerank_hybrid(query, *rankings)
    if candidates.kind == "many" and _fuses_many(reranker):
        return reranker.rerank_multivector([one for one in rankings if one.num_rows], query)
    own = [name for name in (ROW_ID, DISTANCE, SCORE, candidates.column) if name in candidates.rows.column_names]
    rows = name_column(candidates.rows.select(own))  # a fused score would stand beside the one LanceDB appends
    if candidates.kind == "text":
        return reranker.rerank_fts(query, rows)
    if DISTANCE not in rows.column_names:
        rows = rows.append_column(DISTANCE, pa.nulls(rows.num_rows, pa.float32()))  # LanceDB's own drop it afterwards
    return reranker.rerank_vector(query, rows)


def _fuses_many(reranker: Any) -> bool:
    """Whether the reranker has its own way with several rankings."""
    from lancedb.rerankers import Reranker

    own = getattr(type(reranker), "rerank_multivector", None)
    return own is not None and own is not Reranker.rerank_multivector


def _call_function(function: Callable[[str, pa.Table], Any], query: str, rows: pa.Table) -> Any:
    scores = function(query, rows)
    if isinstance(scores, pa.Table):
        return scores
    if inspect.isawaitable(scores):
        raise TypeError("the function is asynchronous")
    listed = scores.to_pylist() if hasattr(scores, "to_pylist") else list(scores)
    if len(listed) != rows.num_rows:
        raise ValueError(f"it gave {len(listed)} scores for {rows.num_rows} rows")
    return pa.table({ROW_ID: rows.column(ROW_ID), RELEVANCE: pa.array([float(one) for one in listed], pa.float64())})


def _check_answer(answer: Any, name: str, rows: pa.Table, span: Span | None) -> pa.Table:
    def refuse(what: str) -> RerankError:
        return RerankError(f"reranker '{name}' {what}", span=span)

    if not isinstance(answer, pa.Table) or not {ROW_ID, RELEVANCE} <= set(answer.column_names):
        raise refuse(f"did not answer with a table that has '{ROW_ID}' and '{RELEVANCE}'")
    ids = answer.column(ROW_ID).to_pylist()
    if len(set(ids)) != len(ids):
        raise refuse("answered with a row twice")
    if not set(ids) <= set(rows.column(ROW_ID).to_pylist()):
        raise refuse("answered with a row that it was not given")
    scores = answer.column(RELEVANCE).cast(pa.float64())
    if scores.null_count or any(score != score for score in scores.to_pylist()):
        raise refuse("gave a row no score")
    return pa.table({ROW_ID: answer.column(ROW_ID).cast(pa.uint64()), RELEVANCE: scores})


def _explain(error: Exception, name: str, span: Span | None) -> LanceSQLError:
    if isinstance(error, LanceSQLError):
        return error
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = lines[0][:300] if lines else "it gave no reason"
    hint = "install the package it names" if isinstance(error, ImportError) else None
    return RerankError(f"reranker '{name}' failed: {type(error).__name__}: {reason}", hint=hint, span=span)
