"""The leaves that LanceDB answers: table scans, counts and searches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from lancesql.catalog import TableInfo
from lancesql.errors import Span

from .fusion import Fusion
from .predicates import Predicate
from .text_functions import TextMatch
from .text_options import TextOptions
from .values import Value
from .vector_options import Diversity, Examples, Grouping, VectorOptions

__all__ = [
    "CANDIDATES",
    "COUNT",
    "DISTANCE",
    "MIN_BY",
    "RANK",
    "RANK_TEXT",
    "RANK_VECTOR",
    "RELEVANCE",
    "ROW_ID",
    "SCORE",
    "Conjunct",
    "FullTextSearch",
    "FusedSearch",
    "KeyQuery",
    "Nearest",
    "OuterValue",
    "RerankedSearch",
    "RowCount",
    "Search",
    "Source",
    "TableScan",
    "VectorSearch",
    "is_key_type",
    "list_key_queries",
    "score_fields",
]

DISTANCE, SCORE, RELEVANCE, ROW_ID = "_distance", "_score", "_relevance_score", "_rowid"
RANK, RANK_VECTOR, RANK_TEXT = "_rank_", "_rank_vector", "_rank_text"
MIN_BY = "min_by"
"""The origin of a k that an aggregate names: 0 is a mistake there, and a question in LIMIT."""
CANDIDATES = "candidates"
"""The origin of a leg's k when the leg names none."""
COUNT = "count"


@dataclass(frozen=True)
class KeyQuery:
    """A query whose one column holds every value that `column` can have in a row that matters.

    Whether it is run before the source, and how its keys narrow the source, is decided when the sizes are known.

    Attributes:
        column: The source's column.
        sql: The query, able to stand alone behind its prelude.
        label: What EXPLAIN calls its rows.
        prelude: The `WITH …` the query needs, or "".
        parameters: The parameters the query names.
    """

    column: str
    sql: str
    label: str
    prelude: str = ""
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Conjunct:
    """One conjunct of a source's filter.

    Attributes:
        sql: The user's text of it, its aliases expanded.
        columns: The base columns it reads.
        predicate: What Lance evaluates, when it is proved equal; None when DuckDB evaluates it.
        reason: Why Lance does not evaluate it.
        prelude: The `WITH …` the text needs when it stands alone, or "".
        parameters: The parameters the text names.
        explicit: Whether it came from `filter => '…'`.
        subquery: Whether it holds a subquery.
        keys: The subquery alone, when the predicate is `column IN (SELECT …)`.
        match: What the predicate asks of the table's texts, when it is one `match()` alone.
        barred: Whether it may not be evaluated here, for `reason`; it is only shown.
    """

    sql: str
    columns: tuple[str, ...]
    span: Span | None = None
    predicate: Predicate | None = None
    reason: str = ""
    prelude: str = ""
    parameters: tuple[str, ...] = ()
    explicit: bool = False
    subquery: bool = False
    keys: KeyQuery | None = None
    match: TextMatch | None = None
    barred: bool = False


@dataclass(frozen=True)
class Nearest:
    """What a block asks of its one scan: no rows but the k nearest to a vector.

    Attributes:
        column: The vector column.
        metric: The metric that orders the rows as the distance does.
        distance: The function or operator, as it is called.
        k: The values whose sum is the number of rows.
        origin: What says so.
        bounds: Conjuncts of the filter that bound the distance: the k nearest within them are among the k nearest.
        required: What a row has to satisfy besides the filter to matter.
    """

    column: str
    query: Value
    metric: str
    distance: str
    k: tuple[Value, ...]
    origin: str
    bounds: tuple[Span, ...] = ()
    required: tuple[Conjunct, ...] = ()


@dataclass(frozen=True)
class OuterValue:
    """A value that a search takes from the relations around it: the text of it, and the parameter that holds it."""

    parameter: str
    sql: str


@dataclass(frozen=True)
class FirstRows:
    """What a block asks of its one scan: no rows but the first of an order.

    Attributes:
        order: The list of ORDER BY, over the table's columns alone.
        columns: The columns it reads.
        limit: The values whose sum is the number of rows.
    """

    order: str
    columns: tuple[str, ...]
    limit: tuple[Value, ...]


@dataclass(frozen=True)
class TableScan:
    """Rows of a Lance table.

    Attributes:
        placeholder: The name the relation knows the source by.
        alias: The name the user's SQL knows it by.
        table: The table, at its version.
        columns: The columns it offers to the relation, in order, `_rowid` included when it is named.
        filter: Conjuncts to evaluate while reading; the relation of the plan still holds every one of them.
        limit: At most so many rows are needed.
        semi_joins: Other relations of the statement whose keys a row must have to matter.
        nearest: Set when no rows are needed but those nearest to a vector.
        refusal: Why rows ordered by a distance are not searched for.
        first: Set when no rows are needed but the first of an order.
        defers: Whether those rows are found by the columns of the order, before any other column is read.
    """

    placeholder: str
    alias: str
    table: TableInfo
    columns: tuple[str, ...]
    filter: tuple[Conjunct, ...] = ()
    limit: tuple[Value, ...] = ()
    span: Span | None = None
    semi_joins: tuple[KeyQuery, ...] = ()
    nearest: Nearest | None = None
    refusal: str = ""
    first: FirstRows | None = None
    defers: bool = False


@dataclass(frozen=True)
class RowCount:
    """One row with one number, `count`: how many rows of a Lance table the filter keeps.

    Attributes:
        name: What the statement calls the number.
        filter: All of the block's WHERE; the relation holds none of it.
    """

    placeholder: str
    alias: str
    table: TableInfo
    columns: tuple[str, ...]
    name: str
    filter: tuple[Conjunct, ...] = ()
    span: Span | None = None


@dataclass(frozen=True)
class VectorSearch:
    """The k rows of a table nearest to a query vector, among those the filter keeps.

    Attributes:
        k: The values whose sum is the number of rows (`LIMIT n OFFSET m` gives two), or () for every row in range.
        metric: `l2`, `cosine`, `dot`, `hamming` or `l1`: always explicit.
        selection: What is made of the ranking; None for its first k rows.
        scan: The scan it stands in for, which answers when the search cannot give every row asked for.
        required: What a row has to satisfy besides the filter to matter to that scan's block.
        outer: What it takes from other relations: it is carried out for each of their rows.
    """

    placeholder: str
    alias: str
    table: TableInfo
    columns: tuple[str, ...]
    column: str
    query: Value | Examples
    k: tuple[Value, ...]
    k_origin: str
    metric: str
    metric_origin: str
    options: VectorOptions = field(default_factory=VectorOptions)
    lower_bound: Value | None = None
    upper_bound: Value | None = None
    selection: Grouping | Diversity | None = None
    filter: tuple[Conjunct, ...] = ()
    function: str = "vector_search"
    outer: tuple[OuterValue, ...] = ()
    span: Span | None = None
    scan: TableScan | None = None
    required: tuple[Conjunct, ...] = ()


@dataclass(frozen=True)
class FullTextSearch:
    """The rows of a table that match a text query, best first, among those the filter keeps.

    Attributes:
        text_columns: The columns searched.
        k: As in `VectorSearch`; () for every match.
        options: How the query is read.
        undecided: Whether no column is named and several could be meant: those are searched that the query names.
        fast_search: Rows that the index does not cover yet are left out.
    """

    placeholder: str
    alias: str
    table: TableInfo
    columns: tuple[str, ...]
    text_columns: tuple[str, ...]
    query: Value
    k: tuple[Value, ...] = ()
    k_origin: str = "every match"
    options: TextOptions = field(default_factory=TextOptions)
    undecided: bool = False
    fast_search: bool = False
    filter: tuple[Conjunct, ...] = ()
    function: str = "fts"
    outer: tuple[OuterValue, ...] = ()
    span: Span | None = None


@dataclass(frozen=True)
class FusedSearch:
    """Several rankings of one table, fused into one: `hybrid_search` and `rrf`.

    Attributes:
        legs: The searches; the filter is part of each one's. One whose k comes from `CANDIDATES` ranks so many rows.
        k: The number of fused rows.
        rank_columns: The names of the columns that hold a row's rank in each leg.
        score_column: The name of the fused score.
        oversample: Each leg ranks so many times the page, in the place of the candidates.
    """

    placeholder: str
    alias: str
    table: TableInfo
    columns: tuple[str, ...]
    legs: tuple[VectorSearch | FullTextSearch | FusedSearch | RerankedSearch, ...]
    k: tuple[Value, ...]
    k_origin: str
    fusion: Fusion
    rank_columns: tuple[str, ...]
    score_column: str = RELEVANCE
    oversample: Value | None = None
    filter: tuple[Conjunct, ...] = ()
    function: str = "hybrid_search"
    outer: tuple[OuterValue, ...] = ()
    span: Span | None = None


@dataclass(frozen=True)
class RerankedSearch:
    """The rows of a search, ordered anew by a reranker.

    Attributes:
        search: The search whose rows are the candidates; the filter is part of it.
        reranker: The name of one of LanceDB's rerankers, or of one the session has registered.
        query: The text the rows are compared with; None when there is none.
        column: The text column that is compared; None when the reranker looks at ranks and scores alone.
        options: The reranker's own arguments.
        k: The number of rows kept.
    """

    placeholder: str
    alias: str
    table: TableInfo
    columns: tuple[str, ...]
    search: VectorSearch | FullTextSearch | FusedSearch | RerankedSearch
    reranker: str
    query: Value | None
    column: str | None
    options: tuple[tuple[str, Value], ...]
    k: tuple[Value, ...]
    k_origin: str
    filter: tuple[Conjunct, ...] = ()
    function: str = "rerank"
    outer: tuple[OuterValue, ...] = ()
    span: Span | None = None


Search = VectorSearch | FullTextSearch | FusedSearch | RerankedSearch
Source = TableScan | RowCount | Search


def is_key_type(type_: pa.DataType) -> bool:
    """Whether keys of this type are equal in Lance exactly when they are in DuckDB.

    Example:
        >>> is_key_type(pa.int32()), is_key_type(pa.float64())
        (True, False)
    """
    return bool(
        pa.types.is_integer(type_)
        or pa.types.is_string(type_)
        or pa.types.is_large_string(type_)
        or pa.types.is_date32(type_)
        or (pa.types.is_timestamp(type_) and type_.unit == "us" and type_.tz is None)
    )


def list_key_queries(scan: TableScan) -> tuple[KeyQuery, ...]:
    """The queries whose keys may narrow a scan: those of its filter, then those of its joins."""
    return (*(one.keys for one in scan.filter if one.keys is not None), *scan.semi_joins)


def score_fields(source: Source) -> tuple[pa.Field[Any], ...]:
    """The columns a source adds behind the table's own."""
    match source:
        case TableScan():
            return ()
        case RowCount():
            return (pa.field(COUNT, pa.int64()),)
        case VectorSearch(scan=TableScan()):
            return ()
        case VectorSearch():
            return (pa.field(DISTANCE, pa.float32()),)
        case FullTextSearch():
            return (pa.field(SCORE, pa.float32()),)
        case FusedSearch():
            offered = [field.name for leg in source.legs for field in score_fields(leg)]
            return (
                pa.field(source.score_column, pa.float64()),
                *(pa.field(name, pa.float32()) for name in (DISTANCE, SCORE) if offered.count(name) == 1),
                *_rank_fields(source),
            )
        case RerankedSearch():
            inner = [field for field in score_fields(source.search) if field.name in (DISTANCE, SCORE)]
            return (pa.field(RELEVANCE, pa.float64()), *inner, *_rank_fields(source.search))


def _rank_fields(source: Source) -> tuple[pa.Field[Any], ...]:
    """The columns that hold a row's rank in each leg of a fusion."""
    match source:
        case FusedSearch():
            return tuple(pa.field(name, pa.int64()) for name in source.rank_columns)
        case RerankedSearch():
            return _rank_fields(source.search)
        case _:
            return ()
