"""A statement cut in two: the sources that LanceDB answers, and the relation over them that DuckDB runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from lancesql.errors import Span

from .embeddings import EmbedFunction
from .expansion import Expansion
from .sources import Conjunct, Source
from .text_functions import TextFunction
from .values import ScalarQuery, Value

__all__ = ["Asked", "DirectAnswer", "OutputColumn", "QueryPlan", "QueryShape", "SettledPlan", "Usage"]


@dataclass(frozen=True)
class Usage:
    """What the relation may ask of one source.

    Attributes:
        placeholder: The source.
        names: Lower-case names that stand in the statement; a column that is not among them is not needed.
        everything: A star, a whole-row reference or the like may ask for every column.
        places: Name → where in the statement it stands; a name that is missing here is needed for another reason.
    """

    placeholder: str
    names: frozenset[str]
    everything: bool = False
    places: Mapping[str, frozenset[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """A conjunct of a scan's filter that the relation asks too, though it need not when Lance has answered it.

    Attributes:
        placeholder: The scan.
        span: Where it stands in the statement.
        place: Where it stands in the relation.
    """

    placeholder: str
    span: Span
    place: Span


@dataclass(frozen=True)
class OutputColumn:
    """A result column that is a source's column passed through: `type` is what Lance stores."""

    name: str
    source_column: str
    type: pa.DataType


@dataclass(frozen=True)
class QueryShape:
    """A statement that is one SELECT block over one source, without anything that changes its rows but LIMIT.

    Attributes:
        output: Its columns when every one is a column of the source; None otherwise.
        limit: LIMIT, or None.
        offset: OFFSET, or None.
        keeps_order: Nothing asks for an order other than the source's own.
        filtered: The WHERE says nothing beyond the source's filter.
    """

    output: tuple[OutputColumn, ...] | None
    limit: Value | None = None
    offset: Value | None = None
    keeps_order: bool = True
    filtered: bool = True


@dataclass(frozen=True)
class DirectAnswer:
    """The relation is a plain projection of its one source: it is answered without the engine.

    Attributes:
        output: The result's columns, in order.
        limit: LIMIT, or None.
        offset: OFFSET, or None.
    """

    output: tuple[OutputColumn, ...]
    limit: Value | None = None
    offset: Value | None = None


@dataclass(frozen=True)
class QueryPlan:
    """What runs.

    Attributes:
        sql: The user's text.
        relation: The user's text with each source's span replaced by its placeholder.
        sources: The sources, in the order of the text.
        parameters: The parameters the relation still needs.
        used_parameters: Every parameter the statement names.
        output: The result columns known to be passed through, for those types DuckDB changes; None when unknown.
        usage: What the relation may ask of each source.
        shape: Set when the statement is one plain block over one source.
        direct: Set when the engine is not needed.
        returns_rows: Whether the relation is a query (not an INSERT, COPY, …).
        expansion: What the views of the session stood for; None when the statement names none.
        condenses: Whether the relation aggregates, so that its rows are few, and takes long to plan.
        scalars: Expressions evaluated once, whose values the relation reads by their placeholders.
        functions: What the relation, or a predicate of a source, may call by its placeholder.
        embeds: The functions that stand in the place of `embed()`.
        asked: The conjuncts that are asked twice.
        settled: The plan in which they are asked once, for values with which Lance answers them.
    """

    sql: str
    relation: str
    sources: tuple[Source, ...] = ()
    parameters: tuple[str, ...] = ()
    used_parameters: tuple[str, ...] = ()
    output: tuple[OutputColumn | None, ...] | None = None
    usage: tuple[Usage, ...] = ()
    shape: QueryShape | None = None
    direct: DirectAnswer | None = None
    returns_rows: bool = True
    condenses: bool = False
    expansion: Expansion | None = None
    scalars: tuple[ScalarQuery, ...] = ()
    functions: tuple[TextFunction, ...] = ()
    embeds: tuple[EmbedFunction, ...] = ()
    asked: tuple[Asked, ...] = ()
    settled: SettledPlan | None = None


@dataclass(frozen=True)
class SettledPlan:
    """A plan whose relation leaves out what Lance answers exactly, and whose scans leave out what only that named.

    Attributes:
        plan: The plan.
        conjuncts: What Lance has to answer.
    """

    plan: QueryPlan
    conjuncts: tuple[Conjunct, ...]
