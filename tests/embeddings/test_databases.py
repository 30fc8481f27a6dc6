"""A function belongs to the table it was registered for, whatever plain names mean later."""

from __future__ import annotations

from pathlib import Path

import pytest

import lancesql
from lancesql.errors import LanceSQLError


def count_letters(texts: list[str]) -> list[list[float]]:
    return [[float(len(text)), 1.0] for text in texts]


def count_words(texts: list[str]) -> list[list[float]]:
    return [[1.0, float(len(text.split()))] for text in texts]


@pytest.fixture
def db(tmp_path: Path) -> lancesql.Connection:
    db = lancesql.connect(tmp_path / "main")
    db.execute(f"ATTACH '{tmp_path / 'other'}' AS other (TYPE LANCE)")
    for name in ("docs", "other.docs"):
        db.execute(f"CREATE TABLE {name} (id INT, text VARCHAR, v FLOAT[2])")
    db.register_embedding("docs", "v", count_letters, source="text")
    db.register_embedding("other.docs", "v", count_words, source="text")
    return db


def test_each_database_has_its_own_function(db: lancesql.Connection) -> None:
    with db:
        db.execute("INSERT INTO docs (id, text) VALUES (1, 'a b')")
        db.execute("INSERT INTO other.docs (id, text) VALUES (1, 'a b')")
        db.execute("USE other")
        db.execute("INSERT INTO docs (id, text) VALUES (2, 'a b c')")
        db.execute("INSERT INTO lance.docs (id, text) VALUES (2, 'a b c')")
        assert db.sql("SELECT v FROM lance.docs ORDER BY id").fetchall() == [((3.0, 1.0),), ((5.0, 1.0),)]
        assert db.sql("SELECT v FROM docs ORDER BY id").fetchall() == [((1.0, 2.0),), ((1.0, 3.0),)]
        assert db.sql("SELECT id FROM vector_search('docs', 'x y z', k => 1)").fetchall() == [(2,)]
        assert db.sql("SELECT id FROM vector_search(lance.docs, 'xyz', k => 1)").fetchall() == [(1,)]


def test_functions_are_listed_and_taken_away_by_the_names_of_now(db: lancesql.Connection) -> None:
    with db:
        listed = 'SELECT "table" FROM (SHOW EMBEDDINGS) ORDER BY ALL'
        assert db.sql(listed).fetchall() == [("docs",), ("other.docs",)]
        db.execute("USE other")
        assert db.sql(listed).fetchall() == [("lance.docs",), ("other.docs",)]
        db.unregister_embedding("docs", "v")
        assert db.sql(listed).fetchall() == [("lance.docs",)]
        with pytest.raises(LanceSQLError, match="no embedding function is registered for 'docs\\.v'"):
            db.unregister_embedding("docs", "v")
        db.unregister_embedding("lance.docs", "v")
        assert db.sql(listed).fetchall() == []
