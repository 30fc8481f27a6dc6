"""Engines: URLs, connections, transactions, errors, and what is built upon them: the ORM and pandas."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

import lancesql
from lancesql import dbapi
from lancesql.sqlalchemy import LanceDialect, Vector


def test_a_url_without_a_database() -> None:
    engine = sa.create_engine("lancesql://")
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT 40 + :n"), {"n": 2}).scalar() == 42
        assert sa.inspect(connection).get_schema_names() == ["main"]
        assert sa.inspect(connection).default_schema_name == "main"
    engine.dispose()


def test_urls(tmp_path: Path) -> None:
    def read(url: str) -> tuple[list[Any], dict[str, Any]]:
        return LanceDialect().create_connect_args(sa.make_url(url))

    assert read("lancesql:///a/b")[0] == ["a/b"]
    assert read("lancesql:////a/b")[0] == ["/a/b"]
    assert read("lancesql://")[0] == [None]
    options = read("lancesql:///x?read_only=true&duckdb=side.db&storage.region=eu&storage.key=k")[1]
    assert options == {"read_only": True, "duckdb": "side.db", "storage_options": {"region": "eu", "key": "k"}}
    for url, message in [
        ("lancesql://host/db", "three slashes"),
        ("lancesql:///db?read_onyl=1", "did you mean 'read_only'"),
        ("lancesql:///db?read_only=maybe", "'maybe'"),
        ("lancesql:///db?read_only=1&read_only=0", "twice"),
    ]:
        with pytest.raises(sa.exc.ArgumentError, match=message):
            read(url)
    engine = sa.create_engine(f"lancesql:///{tmp_path}?read_only=true")
    with engine.connect() as connection, pytest.raises(sa.exc.NotSupportedError, match="for reading only"):
        connection.execute(sa.text("CREATE TABLE t (a INTEGER)"))
    engine.dispose()


def test_connections_of_an_engine_share_the_tables_of_duckdb(engine: sa.Engine) -> None:
    with engine.connect() as first, engine.connect() as second:
        first.execute(sa.text("CREATE TABLE lance_side (a INTEGER)"))
        first.execute(
            sa.text("CREATE TABLE memory.main.duck_side (a INTEGER)") if False else sa.text("CREATE SCHEMA s")
        )
        first.execute(sa.text("CREATE TABLE s.duck_side AS SELECT 7 AS a"))
        first.commit()
        assert second.execute(sa.text("SELECT a FROM s.duck_side")).scalar() == 7
        assert second.execute(sa.text("SELECT count(*) FROM lance_side")).scalar() == 0


def test_threads_have_connections_of_their_own(engine: sa.Engine, docs: sa.Table) -> None:
    found: list[int] = []

    def ask() -> None:
        for _ in range(5):
            with engine.connect() as connection:
                found.append(connection.scalar(select(sa.func.count()).select_from(docs)) or 0)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [5] * 20


def test_each_statement_is_committed(engine: sa.Engine, docs: sa.Table) -> None:
    delete = docs.delete().where(docs.c.id == 0)
    with engine.connect() as connection:
        assert connection.get_isolation_level() == "AUTOCOMMIT"
        connection.execute(delete)
        with pytest.warns(dbapi.Warning, match="does not undo what a statement wrote"):
            connection.rollback()
        assert connection.scalar(select(sa.func.count()).select_from(docs)) == 4
    with pytest.warns(dbapi.Warning, match="does not undo"), engine.connect() as connection:
        connection.execute(delete)  # and no commit
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(delete)  # who asks for it is not warned
        connection.rollback()
    with pytest.warns(dbapi.Warning), engine.connect() as connection:  # nor has the pool forgotten the others
        connection.execute(delete)
    told = engine.execution_options(isolation_level="AUTOCOMMIT")
    with told.connect() as connection:
        connection.execute(delete)
    with engine.connect() as connection, pytest.raises(sa.exc.InvalidRequestError, match="no savepoints"):
        connection.begin_nested()


def test_transactions_of_duckdb(engine: sa.Engine, docs: sa.Table) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA s"))
        connection.execute(sa.text("CREATE TABLE s.notes (a INTEGER)"))
    inside = engine.execution_options(isolation_level="SNAPSHOT")
    with inside.connect() as connection:
        assert connection.get_isolation_level() == "SNAPSHOT"
        connection.execute(sa.text("INSERT INTO s.notes VALUES (1)"))
        connection.rollback()
        with pytest.raises(sa.exc.NotSupportedError, match="cannot be written within a transaction"):
            connection.execute(docs.delete())
    with inside.begin() as connection:
        connection.execute(sa.text("INSERT INTO s.notes VALUES (2)"))
    with engine.connect() as connection:
        assert connection.scalars(sa.text("SELECT a FROM s.notes")).all() == [2]
        assert connection.get_isolation_level() == "AUTOCOMMIT"


ERRORS = [
    ("SELEC 1", sa.exc.ProgrammingError, lancesql.LanceSQLError),
    ("SELECT nope FROM docs", sa.exc.ProgrammingError, lancesql.UnknownColumnError),
    ("SELECT * FROM dosc", sa.exc.ProgrammingError, lancesql.UnknownTableError),
    ("INSERT INTO docs (id, title) VALUES (9, NULL)", sa.exc.IntegrityError, lancesql.LanceSQLError),
    ("INSERT INTO docs (id, title, price) VALUES (9, 'x', -1)", sa.exc.IntegrityError, lancesql.LanceSQLError),
    ("SELECT 'x'::INTEGER", sa.exc.DataError, lancesql.LanceSQLError),
    ("SELECT id FROM docs LIMIT error('no')", sa.exc.DatabaseError, lancesql.LanceSQLError),
]


@pytest.mark.parametrize(("sql", "theirs", "ours"), ERRORS)
def test_errors(engine: sa.Engine, docs: sa.Table, sql: str, theirs: type[Exception], ours: type[Exception]) -> None:
    with engine.connect() as connection, pytest.raises(theirs) as caught:
        connection.execute(sa.text(sql))
    original = caught.value.orig  # type: ignore[attr-defined]
    assert isinstance(original, dbapi.Error)
    assert isinstance(original.origin, ours)
    assert caught.value.__traceback__ is not None


def test_a_stream_holds_a_batch_at_a_time(engine: sa.Engine) -> None:
    with engine.connect().execution_options(stream_results=True, max_row_buffer=100) as connection:
        rows = connection.execute(sa.text("SELECT i FROM range(20000) AS t(i)"))
        assert [row[0] for row in rows.fetchmany(3)] == [0, 1, 2]
        assert rows.cursor._streams  # type: ignore[union-attr]
        assert [len(part) for part in rows.partitions(5_000)] == [5_000] * 3 + [4_997]


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str | None]
    books: Mapped[list[Book]] = relationship(
        primaryjoin="Author.id == foreign(Book.author_id)", back_populates="author", order_by="Book.id"
    )


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    author_id: Mapped[int]
    title: Mapped[str]
    vector: Mapped[Any] = mapped_column(Vector(2), nullable=True)
    author: Mapped[Author] = relationship(primaryjoin="Author.id == foreign(Book.author_id)", back_populates="books")


Base.registry.configure()


def test_the_orm(engine: sa.Engine) -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Author(id=1, name="Ann"))
        session.add_all([Book(id=at, author_id=1, title=f"t{at}", vector=[at, 1]) for at in (1, 2, 3)])
        session.commit()
    with Session(engine) as session:
        book = session.get_one(Book, 2)
        assert (book.author.name, book.vector) == ("Ann", [2.0, 1.0])
        book.title = "new"
        session.commit()
        session.delete(session.get_one(Book, 3))
        session.commit()
        session.execute(sa.update(Book).where(Book.id == 1).values(title=Book.title + "!"))
        session.commit()
        assert [one.title for one in session.get_one(Author, 1).books] == ["t1!", "new"]
        assert session.scalars(select(Author).join(Author.books).where(Book.title == "new")).one().name == "Ann"
        session.merge(Book(id=2, author_id=1, title="merged"))
        session.commit()
        assert session.scalar(select(Book.title).where(Book.id == 2)) == "merged"


FRAME = pd.DataFrame(
    {
        "id": [1, 2, 3],
        "name": ["a", None, "it's"],
        "half": [0.5, np.nan, -1.0],
        "yes": [True, False, True],
        "at": pd.to_datetime(["2024-02-29 12:00:00.25", None, "1999-01-01 00:00:00.5"]),
    }
)


def test_pandas_writes_and_reads(engine: sa.Engine) -> None:
    FRAME.to_sql("frame", engine, index=False)
    again = pd.read_sql_table("frame", engine)
    pd.testing.assert_frame_equal(again, FRAME, check_dtype=False)
    FRAME.to_sql("frame", engine, index=False, if_exists="append", method="multi")
    assert len(pd.read_sql("frame", engine)) == 6
    with pytest.raises(ValueError, match="already exists"):
        FRAME.to_sql("frame", engine)
    FRAME.to_sql("frame", engine, if_exists="replace", chunksize=2)
    assert list(pd.read_sql("frame", engine, index_col="index").columns) == list(FRAME.columns)
    FRAME.to_sql("frame", engine, if_exists="replace", index=False)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM (SHOW VERSIONS ON frame)").scalar() == 2
        query = sa.text("SELECT id FROM frame WHERE half > :least")
        assert pd.read_sql(query, connection, params={"least": 0})["id"].tolist() == [1]
    parts = list(pd.read_sql("SELECT id FROM frame ORDER BY id", engine, chunksize=2))
    assert [part["id"].tolist() for part in parts] == [[1, 2], [3]]


def test_pandas_writes_vectors_where_it_is_told_the_type(engine: sa.Engine) -> None:
    frame = pd.DataFrame({"id": [1, 2], "vector": [np.array([1, 2], np.float32), [3.0, 4.0]]})
    frame.to_sql("held", engine, index=False, dtype={"vector": Vector(2)})
    kind = sa.inspect(engine).get_columns("held")[1]["type"]
    assert str(kind) == "FLOAT[2]"
    assert pd.read_sql("held", engine)["vector"].tolist() == [[1.0, 2.0], [3.0, 4.0]]
    with (
        warnings.catch_warnings(action="ignore"),
        pytest.raises(pd.errors.DatabaseError, match="give the column"),
    ):
        frame.to_sql("texts", engine, index=False)
