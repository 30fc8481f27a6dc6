"""What the inspector says of Lance tables, views and DuckDB's tables."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from lancesql import dbapi
from lancesql.sqlalchemy import HALF, SizedInteger, SQLType, Vector


def test_a_lance_table(engine: sa.Engine, docs: sa.Table) -> None:
    seen = sa.inspect(engine)
    assert seen.get_table_names() == ["docs"]
    assert seen.get_schema_names() == ["lance", "main"]
    assert seen.default_schema_name == "lance"
    asked = ("name", "type", "nullable", "default", "comment")
    assert [tuple(str(one[key]) for key in asked) for one in seen.get_columns("docs")] == [  # type: ignore[literal-required]
        ("id", "BIGINT", "False", "None", "None"),
        ("title", "VARCHAR", "False", "None", "what it is called"),
        ("price", "DECIMAL(9, 2)", "True", "'3.50'", "None"),
        ("vector", "FLOAT[2]", "True", "None", "None"),
    ]  # fmt: skip
    assert seen.get_pk_constraint("docs") == {"constrained_columns": ["id"], "name": None}
    assert seen.get_table_comment("docs") == {"text": "all documents"}
    assert seen.get_check_constraints("docs") == [{"name": "docs_price_check", "sqltext": "(price > 0)"}]
    assert seen.get_foreign_keys("docs") == seen.get_unique_constraints("docs") == []
    assert seen.get_indexes("docs") == [
        {
            "name": "docs_by_title",
            "column_names": ["title"],
            "unique": False,
            "dialect_options": {"lancesql_using": "BTREE"},
        }
    ]
    assert seen.has_table("docs")
    assert seen.has_table("docs", schema="lance")
    assert not seen.has_table("dosc")
    for method in (seen.get_columns, seen.get_indexes, seen.get_pk_constraint, seen.get_table_comment):
        with pytest.raises(sa.exc.NoSuchTableError, match="dosc"):
            method("dosc")


def test_reflected_tables_are_made_again(engine: sa.Engine, docs: sa.Table, tmp_path: Path) -> None:
    sa.Table(
        "kinds",
        docs.metadata,
        sa.Column("a", SizedInteger("UTINYINT")),
        sa.Column("b", HALF),
        sa.Column("c", sa.ARRAY(sa.String, dimensions=2)),
        sa.Column("d", SQLType("STRUCT(a INTEGER, b VARCHAR[])")),
        sa.Column("e", Vector(3, "HALF")),
        sa.Column("f", sa.DateTime(timezone=True)),
        sa.Column("g", sa.REAL),
    )
    docs.metadata.create_all(engine)
    first, second = sa.MetaData(), sa.MetaData()
    first.reflect(engine)
    other = sa.create_engine(f"lancesql:///{tmp_path}/other")
    first.create_all(other)
    second.reflect(other)
    assert set(first.tables) == set(second.tables) == {"docs", "kinds"}
    for name in first.tables:
        described = [
            [(repr(one), one.comment, str(one.server_default and one.server_default.arg)) for one in table.columns]  # type: ignore[attr-defined]
            for table in (first.tables[name], second.tables[name])
        ]
        assert [one[1:] for one in described[0]] == [one[1:] for one in described[1]]
        assert sa.inspect(engine).get_columns(name).__repr__() == sa.inspect(other).get_columns(name).__repr__()
        assert sa.inspect(engine).get_indexes(name) == sa.inspect(other).get_indexes(name)
        assert sa.inspect(engine).get_pk_constraint(name) == sa.inspect(other).get_pk_constraint(name)
    other.dispose()


def test_indexes_are_made_and_dropped(engine: sa.Engine, docs: sa.Table) -> None:
    with engine.begin() as connection:
        more = [{"id": i, "title": f"some words {i}", "vector": [i, -i]} for i in range(5, 300)]
        connection.execute(docs.insert(), more)
        words = sa.Index("words", docs.c.title, lancesql_using="FTS", lancesql_with={"language": "en"})
        near = sa.Index(
            "near", docs.c.vector, lancesql_using="IVF_FLAT", lancesql_with={"metric": "cosine", "num_partitions": 2}
        )
        words.create(connection)
        near.create(connection)
        near.create(connection, checkfirst=True)
        sa.Index("cost", docs.c.price).create(connection)
    found = {one["name"]: one["dialect_options"] for one in sa.inspect(engine).get_indexes("docs")}
    assert found["words"] == {"lancesql_using": "FTS"}
    assert found["cost"] == {"lancesql_using": "BITMAP"}  # few values
    assert found["near"] == {"lancesql_using": "IVF_FLAT", "lancesql_with": {"metric": "cosine"}}
    with engine.begin() as connection:
        near.drop(connection)
    assert "near" not in [one["name"] for one in sa.inspect(engine).get_indexes("docs")]


def test_an_index_on_a_field_is_one_on_an_expression(engine: sa.Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE nested AS SELECT i AS id, {'a': i, 'x y': i} AS s FROM range(9) r(i)"))
        connection.execute(sa.text("CREATE INDEX of_a ON nested (s.a) USING BTREE"))
        connection.execute(sa.text('CREATE INDEX of_x ON nested (s."x y") USING BITMAP'))
    found = {one["name"]: one for one in sa.inspect(engine).get_indexes("nested")}
    assert found["of_a"]["column_names"] == [None]
    assert [one["expressions"] for one in found.values()] == [["s.a"], ['s."x y"']]
    metadata = sa.MetaData()
    metadata.reflect(engine, only=["nested"])
    other = sa.create_engine(f"lancesql:///{tmp_path / 'again'}")
    metadata.create_all(other)
    assert sa.inspect(other).get_indexes("nested") == sa.inspect(engine).get_indexes("nested")
    other.dispose()


def test_views_and_tables_of_duckdb(engine: sa.Engine, docs: sa.Table) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE VIEW cheap AS SELECT id, price, vector FROM docs WHERE price < 3"))
        connection.execute(sa.text("CREATE SCHEMA aside"))
        connection.execute(sa.text("CREATE TABLE aside.other (n INTEGER PRIMARY KEY, t VARCHAR DEFAULT 'x')"))
        connection.execute(sa.text("CREATE VIEW aside.seven AS SELECT 7 AS n"))
        seen = sa.inspect(connection)
        assert seen.get_view_names() == ["cheap"]
        assert [(one["name"], str(one["type"])) for one in seen.get_columns("cheap")] == [
            ("id", "BIGINT"), ("price", "DECIMAL(9, 2)"), ("vector", "FLOAT[2]"),
        ]  # fmt: skip
        assert "price < 3" in seen.get_view_definition("cheap")
        assert seen.has_table("cheap")
        assert seen.get_schema_names() == ["lance", "aside", "main"]
        assert (seen.get_table_names("aside"), seen.get_view_names("aside")) == (["other"], ["seven"])
        assert [(one["name"], one["nullable"], one["default"]) for one in seen.get_columns("other", "aside")] == [
            ("n", False, None), ("t", True, "'x'"),
        ]  # fmt: skip
        assert seen.get_pk_constraint("other", "aside")["constrained_columns"] == ["n"]
        assert seen.get_view_definition("seven", "aside")
        metadata = sa.MetaData()
        metadata.reflect(connection, views=True)
        assert set(metadata.tables) == {"docs", "cheap"}
        assert len(connection.execute(sa.select(metadata.tables["cheap"])).all()) == 2


def test_attached_databases_are_schemas(engine: sa.Engine, docs: sa.Table, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"ATTACH '{tmp_path}/more' AS more (TYPE LANCE)")
        table = sa.Table("extra", sa.MetaData(schema="more"), sa.Column("n", sa.Integer))
        table.create(connection)
        connection.execute(table.insert().values(n=3))
        seen = sa.inspect(connection)
        assert seen.get_schema_names() == ["lance", "more", "main"]
        assert (seen.get_table_names("more"), seen.get_table_names()) == (["extra"], ["docs"])
        reflected = sa.Table("extra", sa.MetaData(), schema="more", autoload_with=connection)
        assert connection.scalars(sa.select(reflected.c.n)).all() == [3]
        table.drop(connection)
        assert not sa.inspect(connection).has_table("extra", schema="more")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            sa.Table("t", sa.MetaData(), sa.Column("a", sa.ForeignKey("u.id")), sa.Column("b", sa.Integer)),
            "foreign key",
        ),
        (sa.Table("t", sa.MetaData(), sa.Column("a", sa.Integer), sa.Index("i", "a", unique=True)), "unique"),
    ],
)
def test_what_a_lance_table_cannot_have(engine: sa.Engine, table: sa.Table, message: str) -> None:
    sa.Table("u", table.metadata, sa.Column("id", sa.Integer, primary_key=True))
    with pytest.warns(dbapi.Warning, match="a statement wrote"), pytest.raises(sa.exc.CompileError, match=message):
        table.metadata.create_all(engine)
