"""The embedding functions of a session, and behind them those of the tables' own metadata."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lancesql.binder.searches.columns import is_text_column, is_vector_column
from lancesql.catalog import EmbeddingInfo, TableInfo
from lancesql.errors import ArgumentError, UnknownColumnError, nearest_name
from lancesql.plan.type_names import name_arrow_type
from lancesql.storage.databases import Databases
from lancesql.storage.embeddings import (
    TableEmbedding,
    TextEmbedder,
    load_embedding,
    read_embeddings,
    wrap_lancedb_function,
)

__all__ = ["Embedding", "Embeddings"]

_MOST = 65_536


@dataclass(frozen=True)
class Embedding:
    """The function of one vector column.

    Attributes:
        load: Makes it ready to be called; what is loaded once is kept.
        batch_size: The most texts it is given at a time.
        place: Its table, whatever plain names mean, when it is one of the session's.
    """

    info: EmbeddingInfo
    load: Callable[[], TextEmbedder]
    batch_size: int = 256
    place: str = ""


class Embeddings:
    """Answers which function embeds the texts of a column: the session's own, else the one of the table's metadata."""

    def __init__(self, database: Databases) -> None:
        self._database = database
        self._registered: dict[tuple[str, str], Embedding] = {}

    def copy(self, databases: Databases) -> Embeddings:
        """The same functions, for another session."""
        other = Embeddings(databases)
        other._registered = dict(self._registered)
        return other

    def register(
        self,
        table: str,
        column: str,
        function: Any,
        *,
        query_function: Any = None,
        source: str | None = None,
        batch_size: int = 256,
    ) -> None:
        """Registers a function; names of a table that exists are checked now, of any other when they are used.

        Raises:
            ArgumentError: When it is no function, or the columns are of the wrong type.
            UnknownColumnError: When the table has no such column.
        """
        embedder = _make_embedder(function, query_function)
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or not 1 <= batch_size <= _MOST:
            raise ArgumentError(f"batch_size is a whole number from 1 to {_MOST:,}, not {batch_size!r}")
        found = self._database.find_table(table)
        if found is not None:
            column = _check_column(found, column, is_text=False)
            source = None if source is None else _check_column(found, source, is_text=True)
        name = found.name if found is not None else table
        info = EmbeddingInfo(name, column, embedder.name, source, "session", (id(function), id(query_function)))
        place = self._database.place_table(name)
        self._registered[self._key(name, column)] = Embedding(info, lambda: embedder, batch_size, place)

    def unregister(self, table: str, column: str) -> None:
        """Takes a registered function away.

        Raises:
            ArgumentError: When there is none.
        """
        if self._registered.pop(self._key(table, column), None) is None:
            names = [f"{one.table}.{one.column}" for one in self.registered()]
            near = nearest_name(f"{table}.{column}", names)
            listed = f"registered: {', '.join(names) or 'none'}"
            raise ArgumentError(
                f"no embedding function is registered for '{table}.{column}'",
                hint=f"did you mean '{near}'? {listed}" if near else listed,
            )

    def find(self, table: TableInfo | str, column: str) -> Embedding | None:
        """The function of a column; None when it has none."""
        name = table if isinstance(table, str) else table.name
        held = self._registered.get(self._key(name, column)) if self._registered else None
        if held is not None or isinstance(table, str):
            return held
        if table.schema.metadata is None:
            return None
        own = read_embeddings(table).get(column)
        return None if own is None else _open_embedding(table, own)

    def find_sources(self, table: TableInfo) -> list[Embedding]:
        """The functions that make vectors of a table's rows when they are written, one for each column that has one."""
        kept = []
        for name in table.schema.names:
            one = self.find(table, name)
            if one is None or one.info.source is None:
                continue
            source = _check_column(table, one.info.source, is_text=True)
            _check_column(table, one.info.column, is_text=False)
            kept.append(replace(one, info=replace(one.info, column=name, source=source)))
        return kept

    def registered(self) -> list[EmbeddingInfo]:
        """The functions of the session, sorted by table and column."""
        listed = self._registered.values()
        return sorted((replace(one.info, table=self._database.name_table(one.place)) for one in listed), key=_order)

    def list(self) -> list[EmbeddingInfo]:
        """All functions: those of the session, and those of the tables that it does not overrule."""
        listed = {self._key(one.table, one.column): one for one in self.registered()}
        for table in self._database.whole_tables():
            for own in read_embeddings(table).values():
                listed.setdefault(self._key(table.name, own.column), _open_embedding(table, own).info)
        return sorted(listed.values(), key=_order)

    def _key(self, table: str, column: str) -> tuple[str, str]:
        return (self._database.place_table(table).lower(), column.lower())


def _order(info: EmbeddingInfo) -> tuple[str, str]:
    return info.table.lower(), info.column.lower()


def _open_embedding(table: TableInfo, own: TableEmbedding) -> Embedding:
    info = EmbeddingInfo(table.name, own.column, own.name, own.source, "table", (own.name, own.model))
    return Embedding(info, lambda: load_embedding(own))


def _make_embedder(function: Any, query_function: Any) -> TextEmbedder:
    own = wrap_lancedb_function(function)
    if own is None and not callable(function):
        raise ArgumentError(
            f"an embedding function takes a list of texts, and {type(function).__name__} cannot be called",
            hint="pass a callable list[str] → vectors, or an instance of LanceDB's EmbeddingFunction",
        )
    if own is None:
        if isinstance(function, type):
            raise ArgumentError(
                f"{function.__name__} is a class, and an embedding function is a callable",
                hint=f"pass an instance: {function.__name__}.create() for a class of LanceDB",
            )
        own = TextEmbedder(_name_function(function), function, function)
    if query_function is None:
        return own
    asked = _make_embedder(query_function, None)
    return TextEmbedder(own.name, asked.embed_queries, own.embed_sources, max(own.retries, asked.retries))


def _name_function(function: Any) -> str:
    name = getattr(function, "__qualname__", None) or type(function).__name__
    return str(name).rpartition("<locals>.")[2]


def _check_column(table: TableInfo, name: str, *, is_text: bool) -> str:
    names: Sequence[str] = table.schema.names
    column = name if name in names else next((one for one in names if one.lower() == name.lower()), None)
    if column is None:
        near = nearest_name(name, names)
        listed = f"columns: {', '.join(names)}"
        raise UnknownColumnError(
            f"table '{table.name}' has no column '{name}'",
            hint=f"did you mean '{near}'? {listed}" if near else listed,
        )
    type_ = table.schema.field(column).type
    if is_text_column(type_) if is_text else is_vector_column(type_):
        return column
    what = "texts" if is_text else "vectors"
    raise ArgumentError(f"column '{column}' of table '{table.name}' holds {name_arrow_type(type_)}, not {what}")
