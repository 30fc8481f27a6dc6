"""A Lance table of documents: written, read and searched by SQL."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

import lancesql
from lancesql.catalog import TableInfo
from lancesql.connection import Connection
from lancesql.engines.namespace import Namespace
from lancesql.errors import ArgumentError, UnknownColumnError, nearest_name
from lancesql.plan.spelling import quote_name

from .filters import Filter, parse_filter
from .predicates import Predicate
from .searches import SCORES, Search, make_search, write_call

__all__ = ["Document", "DocumentTable", "open_connection"]


@dataclass(frozen=True)
class Document:
    """A row.

    Attributes:
        score: What the search says of it: a distance, the smaller the better, or a score, the greater the better.
    """

    id: str
    text: str
    metadata: dict[str, Any] = field(default_factory=dict)
    score: float | None = None
    vector: Sequence[float] | None = None


def open_connection(target: Any) -> Connection:
    """The connection of lancesql itself, or one to the database at that path."""
    return target if isinstance(target, Connection) else lancesql.connect(target)


class DocumentTable:
    """A table with a column each for the id, the text and the vector of a document.

    Metadata of a key that is a column goes there, all other into a column of JSON. A table that has none keeps metadata
    in its other columns alone. A table that does not exist is made when the first documents are written.

    Args:
        connection: The database.
        name: The table.
        id: The column of the id.
        text: The column of the text.
        vector: The column of the vector.
        metadata: The column of JSON.
        columns: Keys of the metadata that get columns when the table is made, with their types in SQL.
        metric: How vectors are compared; as the index of the column does unless given, else by cosine.
    """

    def __init__(
        self,
        connection: Connection,
        name: str,
        *,
        id: str = "id",
        text: str = "text",
        vector: str = "vector",
        metadata: str = "metadata",
        columns: Mapping[str, str] | None = None,
        metric: str | None = None,
    ) -> None:
        self.connection = connection
        self.name = name
        self.vector = vector
        self._id, self._text, self._vector, self._metadata = id, text, vector, metadata
        self._wanted = dict(columns or {})
        self._metric = metric
        self._quoted = ".".join(quote_name(part) for part in name.split("."))

    @property
    def metric(self) -> str:
        """How vectors are compared."""
        if self._metric is not None:
            return self._metric
        table = self._find()
        index = None if table is None else table.index_on(self._vector, ("IVF",))
        return "cosine" if index is None or index.metric is None else index.metric

    def write(
        self,
        texts: Sequence[str],
        vectors: Sequence[Sequence[float]],
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        ids: Sequence[str | None] | None = None,
    ) -> list[str]:
        """Writes documents, in place of those with the same ids; of two with one id the last counts. Returns the ids.

        Raises:
            ArgumentError: There are not as many of one as of the others, or a value does not fit.
        """
        given = [{}] * len(texts) if metadatas is None else metadatas
        wanted = [None] * len(texts) if ids is None else ids
        for name, values in (("vectors", vectors), ("metadatas", given), ("ids", wanted)):
            if len(values) != len(texts):
                raise ArgumentError(f"there are {len(texts)} texts and {len(values)} {name}")
        named = [uuid.uuid4().hex if one is None else str(one) for one in wanted]
        if not named:
            return []
        table = self._find() or self._create(len(vectors[0]))
        last = {one: at for at, one in enumerate(named)}
        chosen = sorted(last.values())
        rows = self._make_rows(table, [(named[at], texts[at], vectors[at], given[at]) for at in chosen])
        names = [quote_name(name) for name in rows.column_names]
        key = quote_name(self._id)
        sets = ", ".join(f"{name} = given.{name}" for name in names if name != key)
        values = ", ".join(f"given.{name}" for name in names)
        self._run(
            f"MERGE INTO {self._quoted} AS kept USING __lancesql_given AS given ON kept.{key} = given.{key} "
            f"WHEN MATCHED THEN UPDATE SET {sets} WHEN NOT MATCHED THEN INSERT ({', '.join(names)}) VALUES ({values})",
            __lancesql_given=rows,
        )
        return named

    def delete(self, ids: Sequence[str] | None = None, filter: object = None) -> None:
        """Deletes the documents with these ids that the filter keeps; all of them when neither is given."""
        table = self._find()
        if table is None:
            return
        where, values = self._write_where(table, ids, parse_filter(filter))
        self._run(f"DELETE FROM {self._quoted}{where}" if where else f"TRUNCATE {self._quoted}", values)

    def read(self, ids: Sequence[str] | None = None, filter: object = None) -> list[Document]:
        """The documents with these ids, in their order, that the filter keeps; what is not there is left out."""
        table = self._find()
        if table is None:
            return []
        where, values = self._write_where(table, ids, parse_filter(filter))
        rows = self._run(f"SELECT {self._write_columns(table)} FROM {self._quoted}{where}", values)
        found = self._read_rows(rows, table)
        if ids is None:
            return found
        order = {str(self._find_id(one, table)): at for at, one in reversed(list(enumerate(ids)))}
        return sorted(found, key=lambda one: order[one.id])

    def search(self, mode: str, **given: Any) -> list[Document]:
        """The best documents, best first.

        Args:
            mode: `vector`, `text`, `hybrid`, or `mmr` for rows near to the query and unlike each other.
            given: What else is given of a `Search`; anything more is an argument of the search function.
        """
        prepared = self._prepare_search(make_search(mode, given))
        if prepared is None:
            return []
        sql, values, table = prepared
        return self._read_rows(self._run(sql, values), table, SCORES[mode])

    async def search_async(self, mode: str, **given: Any) -> list[Document]:
        """As `search`, awaited; whoever cancels the task stops the search."""
        prepared = self._prepare_search(make_search(mode, given))
        if prepared is None:
            return []
        sql, values, table = prepared
        result = await self.connection.run_async(sql, values, Namespace(None))
        return self._read_rows(result.to_arrow(), table, SCORES[mode])

    def _prepare_search(self, search: Search) -> tuple[str, dict[str, Any], TableInfo] | None:
        """The statement, its values, and the table; None when nothing can be found."""
        table = self._find()
        if table is None or search.k <= 0:
            return None
        where, values = self._write_where(table, search.ids, parse_filter(search.filter))
        call, given = write_call(search, self.name, self._text, self._vector, self.metric)
        score = SCORES[search.mode]
        order = "ASC" if score == "_distance" else "DESC"
        sql = f"SELECT {self._write_columns(table)}, {score} FROM {call}{where} ORDER BY {score} {order}"
        return sql, {**values, **given}, table

    def _find(self) -> TableInfo | None:
        table = self.connection.contents().find_table(self.name)
        if table is None:
            return None
        for role, column in (("id", self._id), ("text", self._text), ("vector", self._vector)):
            if column not in table.schema.names:
                near = nearest_name(column, table.schema.names)
                raise UnknownColumnError(
                    f"table '{self.name}' has no column '{column}' for the {role}",
                    hint=f"did you mean '{near}'?" if near else f"columns: {', '.join(table.schema.names)}",
                )
        return table

    def _create(self, dimensions: int) -> TableInfo:
        columns = [f"{quote_name(self._id)} VARCHAR PRIMARY KEY", f"{quote_name(self._text)} VARCHAR"]
        columns += [f"{quote_name(name)} {type_}" for name, type_ in self._wanted.items()]
        columns += [f"{quote_name(self._metadata)} VARCHAR", f"{quote_name(self._vector)} FLOAT[{dimensions}]"]
        self._run(f"CREATE TABLE IF NOT EXISTS {self._quoted} ({', '.join(columns)})")
        table = self._find()
        assert table is not None
        return table

    def _list_keys(self, table: TableInfo) -> list[str]:
        """The columns that are metadata, each under its own key."""
        own = (self._id, self._text, self._vector, self._metadata)
        return [one.name for one in table.schema if one.name not in own and not _is_bulk(one.type)]

    def _make_rows(
        self, table: TableInfo, documents: Sequence[tuple[str, str, Sequence[float], Mapping[str, Any]]]
    ) -> pa.Table:
        keys = self._list_keys(table)
        has_json = self._metadata in table.schema.names
        columns: dict[str, list[Any]] = {self._id: [], self._text: [], self._vector: []}
        columns |= {key: [] for key in keys} | ({self._metadata: []} if has_json else {})
        for one, text, vector, metadata in documents:
            columns[self._id].append(self._convert_id(one, table))
            columns[self._text].append(text)
            columns[self._vector].append(vector)
            rest = {key: value for key, value in metadata.items() if key not in keys}
            for key in keys:
                columns[key].append(metadata.get(key))
            if has_json:
                columns[self._metadata].append(_write_metadata(rest))
            elif rest:
                unknown = next(iter(rest))
                near = nearest_name(unknown, keys)
                raise ArgumentError(
                    f"table '{self.name}' has no column for the metadata '{unknown}', and none of JSON",
                    hint=f"did you mean '{near}'?" if near else f"columns of metadata: {', '.join(keys) or 'none'}",
                )
        arrays = [_make_array(name, values, table.schema.field(name).type) for name, values in columns.items()]
        return pa.table(arrays, names=list(columns))

    def _convert_id(self, one: str, table: TableInfo) -> Any:
        found = self._find_id(one, table)
        if found is None:
            raise ArgumentError(f"'{one}' is no id of table '{self.name}', whose ids are whole numbers")
        return found

    def _find_id(self, one: str, table: TableInfo) -> Any:
        """The id as the table has it; None where it cannot have it."""
        if not pa.types.is_integer(table.schema.field(self._id).type):
            return one
        try:
            return int(one)
        except ValueError:
            return None

    def _write_columns(self, table: TableInfo) -> str:
        names = [self._text, *self._list_keys(table)]
        if self._metadata in table.schema.names:
            names.append(self._metadata)
        listed = [f"CAST({quote_name(self._id)} AS VARCHAR) AS {quote_name(self._id)}", *map(quote_name, names)]
        return ", ".join(listed)

    def _write_where(
        self, table: TableInfo, ids: Sequence[str] | None, filter: Filter | None
    ) -> tuple[str, dict[str, Any]]:
        has_json = self._metadata in table.schema.names
        keys = set(self._list_keys(table)) | (set() if has_json else {self._id, self._text})
        searched = [one for one in table.schema if one.name in keys]
        predicate = Predicate(pa.schema(searched), self._metadata if has_json else None)
        parts: list[str] = []
        if ids is not None:
            known = [self._find_id(one, table) for one in dict.fromkeys(ids)]
            wanted = [one for one in known if one is not None]
            names = []
            for at, one in enumerate(wanted):
                predicate.values[f"id{at}"] = one
                names.append(f"$id{at}")
            parts.append(f"{quote_name(self._id)} IN ({', '.join(names)})" if names else "false")
        if filter is not None:
            parts.append(predicate.write(filter))
        return (f" WHERE {' AND '.join(parts)}" if parts else ""), predicate.values

    def _read_rows(self, rows: pa.Table, table: TableInfo, score: str | None = None) -> list[Document]:
        keys = self._list_keys(table)
        documents = []
        for row in rows.to_pylist():
            metadata = json.loads(row.get(self._metadata) or "{}")
            metadata |= {key: row[key] for key in keys if row[key] is not None}
            found = None if score is None else float(row[score])
            documents.append(Document(row[self._id], row[self._text] or "", metadata, found))
        return documents

    def _run(self, sql: str, values: dict[str, Any] | None = None, **tables: object) -> pa.Table:
        result = self.connection.run(sql, values or None, Namespace(None).extend(tables))
        return result.to_arrow()


def _is_bulk(type_: Any) -> bool:
    """Whether a column holds vectors or blobs, which are no metadata."""
    return pa.types.is_fixed_size_list(type_) or pa.types.is_binary(type_) or pa.types.is_large_binary(type_)


def _write_metadata(metadata: Mapping[str, Any]) -> str:
    try:
        return json.dumps(metadata, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"the metadata cannot be written as JSON: {error}",
            hint="write it as text, or give its key a column when the table is made",
        ) from None


def _make_array(name: str, values: Sequence[Any], type_: Any) -> Any:
    try:
        return pa.array(values, type_)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise ArgumentError(f"a value of '{name}' does not fit {type_}: {str(error).splitlines()[0]}") from None
