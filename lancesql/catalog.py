"""What the planner may ask about the world: tables, their columns and indexes, names of the engine."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, Protocol

import pyarrow as pa

from .settings import Settings

__all__ = [
    "MAIN_BRANCH",
    "MAIN_DATABASE",
    "CalibratedEffort",
    "Catalog",
    "DatabaseInfo",
    "EmbeddingInfo",
    "IndexInfo",
    "TableInfo",
    "VersionRef",
    "View",
]

MAIN_BRANCH = "main"
"""What Lance calls the main line of a table."""

MAIN_DATABASE = "lance"
"""What statements call the session's own Lance database."""

VersionRef = int | str
"""A version number, a tag, ``timestamp:`` and an ISO timestamp, ``branch:name`` or ``branch:name@3``."""


@dataclass(frozen=True)
class CalibratedEffort:
    """What `ANALYZE` found that a vector index needs.

    Attributes:
        share: The share of the rows that qualify.
        target: The recall asked for.
        nprobes: The partitions looked at.
        candidates: The rows whose true distance is computed, for k = 10.
        ef: The candidate list of an HNSW index.
        recall: The recall measured.
        milliseconds: The time of a search.
    """

    share: float
    target: float
    nprobes: int
    candidates: int
    ef: int | None
    recall: float
    milliseconds: float


@dataclass(frozen=True)
class IndexInfo:
    """One index of a table at one version.

    Attributes:
        name: The index's name.
        kind: `IVF_PQ`, `IVF_FLAT`, `IVF_HNSW_SQ`, … `INVERTED`, `BTREE`, `BITMAP`, `LABEL_LIST`, …
        columns: The indexed columns; a field of a struct is `column.field`.
        metric: `l2`, `cosine`, `dot` or `hamming` for a vector index.
        partitions: The number of IVF partitions.
        code_bits: Bits the index keeps per dimension (32 means the vector itself).
        positions: Whether a text index can answer phrases.
        text_options: How a text index cuts a text into words, as `CREATE INDEX … WITH (…)` would have it.
        rows_indexed: Rows the index covers.
        rows_unindexed: Rows written after the index was built.
        built_at: When the newest of its parts was built.
        segments: How many parts it has: rows that are written later may be put into parts of their own.
        uuid: What tells this build of it from another.
        calibration: What `ANALYZE` found of just this build.
    """

    name: str
    kind: str
    columns: tuple[str, ...]
    metric: str | None = None
    partitions: int | None = None
    code_bits: float | None = None
    positions: bool = False
    text_options: str | None = None
    rows_indexed: int = 0
    rows_unindexed: int = 0
    size_bytes: int | None = None
    built_at: datetime | None = None
    segments: int = 1
    uuid: str | None = None
    calibration: tuple[CalibratedEffort, ...] = ()

    def covers(self, column: str) -> bool:
        """Whether it is on a column of the table, or on a field within it."""
        return any(one.partition(".")[0] == column for one in self.columns)


@dataclass(frozen=True)
class TableInfo:
    """A Lance table at one version: everything the planner knows of it.

    Attributes:
        name: The name as a statement writes it, with that of its database before it, or the path.
        uri: Where the table lies.
        version: The version this statement reads.
        schema: The Arrow schema as Lance stores it.
        rows: The number of rows that are not deleted.
        indexes: The indexes at this version.
        moves: The version was named by a tag, a branch or a moment, which may mean another one the next time.
        database: What stands before its name; "" for a table of the session's own database.
        place: What tells it from a table that comes in its place.
        branch: The branch whose version it is; "" for the main line.
    """

    name: str
    uri: str
    version: int
    schema: pa.Schema = field(repr=False)
    rows: int
    indexes: tuple[IndexInfo, ...] = ()
    moves: bool = False
    database: str = ""
    place: int = field(default=0, repr=False)
    branch: str = ""

    @property
    def snapshot(self) -> str:
        """What is read of the table, in words: `version 3`, `branch dev, version 3`."""
        return f"branch {self.branch}, version {self.version}" if self.branch else f"version {self.version}"

    @property
    def root(self) -> str:
        """Where the table lies that a branch is of; its own place otherwise."""
        uri = self.uri.rstrip("/")
        return uri.removesuffix(f"/tree/{self.branch}") if self.branch else uri

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(self.schema.names)

    def index_on(self, column: str, kinds: Sequence[str], metric: str | None = None) -> IndexInfo | None:
        """The first index on `column` whose kind starts with one of `kinds`, of that metric where there is one."""
        found = [index for index in self.indexes if index.columns == (column,) and index.kind.startswith(tuple(kinds))]
        return next(
            (index for index in found if metric is not None and index.metric == metric), next(iter(found), None)
        )


@dataclass(frozen=True)
class DatabaseInfo:
    """A database that statements can name.

    Attributes:
        name: What they call it.
        path: Where it lies.
        read_only: Whether writes are refused.
        current: Whether plain names mean its tables.
    """

    name: str
    path: str | None
    read_only: bool
    current: bool = False


@dataclass(frozen=True)
class View:
    """A query of the session under a name.

    Attributes:
        name: The view's name.
        sql: Its query, as it was written.
        columns: The names its columns are given; () for the query's own.
        database: The one that plain names meant when it was made.
    """

    name: str
    sql: str
    columns: tuple[str, ...] = ()
    database: str = MAIN_DATABASE


@dataclass(frozen=True)
class EmbeddingInfo:
    """A function that makes the vectors of a column from texts.

    Attributes:
        table: The table, which need not exist yet.
        column: Its vector column.
        function: The function's name.
        source: The column whose texts it embeds when rows are written; None when rows bring their vectors.
        origin: `session` for one that was registered, `table` for one of the table's own metadata.
        identity: What is equal of two columns that have the same function.
    """

    table: str
    column: str
    function: str
    source: str | None
    origin: Literal["session", "table"]
    identity: Hashable = field(default=None, repr=False)


class Catalog(Protocol):
    """Answers about names. Cheap enough to be asked for every statement that is planned."""

    settings: Settings

    def find_table(self, name: str, version: VersionRef | None = None) -> TableInfo | None:
        """The Lance table called `name` (any case), or at a `.lance` path; None when there is none."""
        ...

    def table_names(self) -> Sequence[str]:
        """Every Lance table, as a statement names it."""
        ...

    def whole_tables(self) -> Sequence[TableInfo]:
        """Every Lance table at its newest version, sorted by name, but for those that are damaged."""
        ...

    def databases(self) -> Sequence[DatabaseInfo]:
        """The Lance databases: the session's own, when it has one, and those that are attached."""
        ...

    def is_database(self, name: str) -> bool:
        """Whether a Lance database is called so, in any case; the session's own always is."""
        ...

    def name_database(self, name: str) -> str:
        """What the database is called in which a table of that name lies, or would lie."""
        ...

    def is_read_only(self, name: str) -> bool:
        """Whether the database of a table of that name refuses writes."""
        ...

    def engine_databases(self) -> Sequence[DatabaseInfo]:
        """The engine's own databases."""
        ...

    def engine_has_schema(self, name: str) -> bool:
        """Whether the engine has a schema or a database of that name."""
        ...

    def engine_has_index(self, name: str) -> bool:
        """Whether the engine has an index of that name."""
        ...

    def find_view(self, name: str) -> View | None:
        """The view of the session called `name` (any case); None when there is none."""
        ...

    def views(self) -> Sequence[View]:
        """The views of the session."""
        ...

    def engine_tables(self, name: str) -> Sequence[str]:
        """The qualified names of the engine's own tables and views called `name`."""
        ...

    def engine_columns(self, name: str) -> Sequence[str] | None:
        """The columns of a table, view or variable the engine can see; None when it sees none."""
        ...

    def read_definition(self, columns: str, halves: Collection[str]) -> pa.Schema:
        """The schema that column definitions mean; `halves` are the columns of float16."""
        ...

    def column_types(self, schema: pa.Schema) -> Sequence[str]:
        """The engine's names for the types of Lance columns, those it lacks widened."""
        ...

    def query_columns(self, sql: str) -> Sequence[str] | None:
        """The columns of a query of the engine's own; None when it cannot be bound as it stands."""
        ...

    def read_moment(self, expression: str) -> datetime | None:
        """The moment that an expression of the engine means, by the session's time zone; None when it is none."""
        ...

    def rejects_nulls(self, predicate: str, alias: str, schema: pa.Schema) -> bool:
        """Whether a predicate on the columns of `alias` is not true where all of them are NULL; false when unknown."""
        ...

    def is_volatile(self, function: str) -> bool:
        """Whether a function may answer differently for the same arguments."""
        ...

    def sample_column(self, table: TableInfo, column: str) -> pa.Array[Any]:
        """Values of a column at equal distances, remembered for the version."""
        ...

    def find_embedding(self, table: TableInfo, column: str) -> EmbeddingInfo | None:
        """The function that embeds texts for a vector column; None when there is none."""
        ...

    def session_embeddings(self) -> Sequence[EmbeddingInfo]:
        """The embedding functions registered with the session, sorted by table and column."""
        ...

    def rerankers(self) -> Sequence[str]:
        """The names of the rerankers registered with the session, sorted."""
        ...

    def embeddings(self) -> Sequence[EmbeddingInfo]:
        """Every embedding function there is, sorted by table and column; looks at every table."""
        ...

    def can_read(self, sql: str) -> bool:
        """Whether the engine's parser reads a text; ours lets some mistakes pass."""
        ...

    def has_function(self, name: str) -> bool:
        """Whether the engine has a function or a macro of that name."""
        ...

    def changes_rows(self, function: str) -> bool:
        """Whether a function makes one row of several, or several of one."""
        ...

    def puts_nulls_last(self) -> bool:
        """Whether ORDER BY … ASC without NULLS FIRST or LAST means NULLS LAST, as a setting of the engine can say."""
        ...

    def orders_descending(self) -> bool:
        """Whether ORDER BY without ASC or DESC means DESC, as a setting of the engine can say."""
        ...

    def chooses_arrays(self) -> bool:
        """Whether a CASE of the engine may choose between arrays: DuckDB 1 has none that does."""
        ...
