"""Searches in statements of SQLAlchemy: numpy, and the same search in lancesql's own SQL, are the oracles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, aliased, mapped_column

import lancesql
from lancesql.sqlalchemy import Vector, argument, fts, hybrid_search, rrf, vector_search

VECTORS = np.random.default_rng(7).normal(size=(40, 3)).astype(np.float32)
QUERY = np.array([0.5, -0.25, 1], np.float32)
WORDS = ("red lamp", "blue lamp", "red blue chair", "green table")


class Base(DeclarativeBase):
    pass


class Doc(Base):
    __tablename__ = "docs"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    price: Mapped[int]
    vector: Mapped[list[float]] = mapped_column(Vector(3))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """A table of forty rows; not to be written to."""
    engine = sa.create_engine(f"lancesql:///{tmp_path_factory.mktemp('docs')}")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        for at, vector in enumerate(VECTORS):
            session.add(Doc(id=at, name=WORDS[at % 4], price=at % 7, vector=vector))
        session.commit()
    yield engine
    engine.dispose()


def nearest(query: Any, k: int, keep: Any = None) -> list[int]:
    distances = ((VECTORS - np.asarray(query, np.float32)) ** 2).sum(axis=1)
    if keep is not None:
        distances[~keep] = np.inf
    return [int(at) for at in np.argsort(distances)[:k]]


def ask(engine: sa.Engine, statement: Any, values: Any = None) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(statement, values)]


def test_a_search_is_a_table(engine: sa.Engine) -> None:
    found = vector_search(Doc, QUERY, k=5).table_valued(name="found")
    assert list(found.c.keys()) == ["id", "name", "price", "vector", "_distance"]
    rows = ask(engine, select(found.c.id, found.c.vector, found.c._distance).order_by(found.c._distance))
    assert [row[0] for row in rows] == nearest(QUERY, 5)
    assert np.array_equal(np.array([row[1] for row in rows], np.float32), VECTORS[nearest(QUERY, 5)])
    assert np.allclose([row[2] for row in rows], ((VECTORS[nearest(QUERY, 5)] - QUERY) ** 2).sum(axis=1), rtol=1e-5)


def test_a_predicate_is_applied_before_the_top_k(engine: sa.Engine) -> None:
    found = vector_search(Doc, QUERY, k=4).table_valued()
    rows = ask(engine, select(found.c.id).where(found.c.price == 2).order_by(found.c._distance))
    assert [row[0] for row in rows] == nearest(QUERY, 4, np.arange(40) % 7 == 2)
    joined = select(found.c.id, Doc.name).join(Doc, Doc.id == found.c.id)
    assert sorted(ask(engine, joined)) == sorted((at, WORDS[at % 4]) for at in nearest(QUERY, 4))


def test_one_statement_for_many_queries(engine: sa.Engine) -> None:
    found = func.vector_search("docs", "vector", bindparam("q", type_=Vector(3)), argument("k", bindparam("k")))
    rows = found.table_valued("id", "_distance")
    statement = select(rows.c.id).order_by(rows.c._distance)
    for query in (QUERY, [1.0, 1, 1], (0, 0, 1), VECTORS[3]):
        for k in (1, 6):
            assert [row[0] for row in ask(engine, statement, {"q": query, "k": k})] == nearest(query, k)


@pytest.mark.parametrize("table", ["docs", Doc, Doc.__table__])
def test_caches_tell_statements_apart(engine: sa.Engine, table: Any) -> None:
    for query in (QUERY, QUERY * 2):
        for k in (2, 3):
            for cheap in ("price < 3", "price >= 3"):
                search = vector_search(table, query, k=k, filter=cheap, column="vector")
                found = search.table_valued("id", "_distance")
                rows = ask(engine, select(found.c.id).order_by(found.c._distance))
                keep = np.arange(40) % 7 < 3 if "<" in cheap else np.arange(40) % 7 >= 3
                assert [row[0] for row in rows] == nearest(query, k, keep)


def test_values_are_bound_and_names_are_written() -> None:
    evil = "'); DROP TABLE docs; --"
    found = fts(Doc, evil, k=3, boosts={"name": 2}).table_valued("id")
    assert str(select(found.c.id)) == (
        "SELECT anon_1.id \nFROM fts(docs, query => :param_1, k => :param_2, boosts => {'name': 2}) AS anon_1"
    )
    assert "'it''s'" in str(fts("it's", "word"))
    assert "'''); DROP" in str(vector_search("docs", [1.0], filter=evil))


SEARCHES: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "fts": (fts(Doc, "red", k=9), "fts('docs', $t, k => 9)", {"t": "red"}),
    "fts columns": (
        fts("docs", "red lamp", columns=["name"], operator="and"),
        "fts('docs', columns => ['name'], query => $t, operator => 'and')",
        {"t": "red lamp"},
    ),
    "fts by func": (func.fts("docs", "name", "red"), "fts('docs', 'name', $t)", {"t": "red"}),
    "hybrid": (
        hybrid_search(Doc, QUERY, "red", k=5, rrf_k=10),
        "hybrid_search('docs', $q, $t, k => 5, rrf_k => 10)",
        {"q": QUERY, "t": "red"},
    ),
    "hybrid by func": (
        func.hybrid_search("docs", "vector", QUERY.tolist(), "name", "red"),
        "hybrid_search('docs', 'vector', $q, 'name', $t)",
        {"q": QUERY, "t": "red"},
    ),
    "rrf": (
        rrf(vector_search(Doc, QUERY, k=9), fts(Doc, "red", k=9), k=7, weights=[2, 1]),
        "rrf(vector_search('docs', $q, k => 9), fts('docs', $t, k => 9), k => 7, weights => [2, 1])",
        {"q": QUERY, "t": "red"},
    ),
    "like": (vector_search(Doc, like_id=3, k=4), "vector_search('docs', like_id => 3, k => 4)", {}),
    "metric": (
        vector_search(Doc, QUERY, k=4, metric="cosine", exact=True),
        "vector_search('docs', $q, k => 4, metric => 'cosine', exact => true)",
        {"q": QUERY},
    ),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_is_what_it_is_in_sql(engine: sa.Engine, name: str) -> None:
    search, sql, values = SEARCHES[name]
    with lancesql.connect(engine.url.database) as db:
        expected = db.sql(f"SELECT * FROM {sql}", values)
        columns = search.table_valued().c.keys() if hasattr(search, "searched") and search.searched is not None else []
        assert set(columns) <= set(expected.columns)
        found = search.table_valued(*(columns or expected.columns))
        rows = ask(engine, select(found))
        names = columns or expected.columns
        assert sorted(rows) == sorted(db.sql(f"SELECT {', '.join(names)} FROM {sql}", values).fetchall())
        assert rows


def test_entities_of_a_search(engine: sa.Engine) -> None:
    found = vector_search(Doc, QUERY, k=3).table_valued(name="found")
    near = aliased(Doc, found, adapt_on_names=True)
    with Session(engine) as session:
        rows = session.execute(select(near, found.c._distance).order_by(found.c._distance)).all()
        assert [doc.id for doc, _ in rows] == nearest(QUERY, 3)
        assert all(isinstance(doc, Doc) and doc.vector for doc, _ in rows)


def test_the_order_of_a_distance_is_a_search(engine: sa.Engine) -> None:
    statement = select(Doc.id).order_by(Doc.vector.l2_distance(QUERY)).limit(4)  # type: ignore[attr-defined]
    assert [row[0] for row in ask(engine, statement)] == nearest(QUERY, 4)
    with engine.connect() as connection:
        query = ", ".join(map(str, QUERY.tolist()))
        plan = connection.exec_driver_sql(f"EXPLAIN SELECT id FROM docs ORDER BY vector <-> [{query}] LIMIT 4")
        assert "VectorSearch" in str(plan.all())
    measures = [
        (Doc.vector.cosine_distance, lambda v: 1 - v @ QUERY / np.linalg.norm(v) / np.linalg.norm(QUERY)),  # type: ignore[attr-defined]
        (Doc.vector.negative_inner_product, lambda v: -(v @ QUERY)),  # type: ignore[attr-defined]
        (Doc.vector.l1_distance, lambda v: np.abs(v - QUERY).sum()),  # type: ignore[attr-defined]
    ]
    for measure, expected in measures:
        rows = ask(engine, select(measure(QUERY)).where(Doc.id == 5))
        assert rows[0][0] == pytest.approx(expected(VECTORS[5]), rel=1e-5)


def test_a_search_for_each_row(engine: sa.Engine) -> None:
    near = vector_search(Doc, Doc.vector, k=2).table_valued("id", "_distance").lateral("near")
    rows = ask(engine, select(Doc.id, near.c.id).join(near, sa.true()).where(Doc.id < 5))
    assert sorted(rows) == sorted((at, other) for at in range(5) for other in nearest(VECTORS[at], 2))


def test_match_is_a_predicate(engine: sa.Engine) -> None:
    rows = ask(engine, select(Doc.id).where(Doc.name.match("red -chair")))
    assert sorted(rows) == [(at,) for at in range(0, 40, 4)]
    assert ask(engine, select(func.highlight(Doc.name, "lamp")).where(Doc.id == 0)) == [("red <b>lamp</b>",)]


def test_a_mistake_in_a_search_names_its_place(engine: sa.Engine, tmp_path: Path) -> None:
    found = vector_search("dosc", QUERY).table_valued("id")
    with pytest.raises(sa.exc.ProgrammingError, match="did you mean 'docs'") as caught:
        ask(engine, select(found))
    assert "LINE 2" in str(caught.value.orig)
    assert isinstance(caught.value.orig, lancesql.LanceSQLError)
    with pytest.raises(sa.exc.ProgrammingError, match="nprobes"):
        ask(engine, select(vector_search(Doc, QUERY, nprobe=3).table_valued("id")))
