"""Indexes on fields of structs: filters ask them, and keep the rows that DuckDB keeps, through a table's life."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import lance
import pytest

import lancesql
from lancesql import LanceSQLError, UnsupportedError

ROWS = """
SELECT id, CASE WHEN id % 7 = 3 THEN NULL ELSE {{
    'a': CASE WHEN id % 5 = 0 THEN NULL ELSE id * 7 % 12 END,
    'f': CASE id % 6 WHEN 0 THEN NULL WHEN 1 THEN 'nan'::DOUBLE WHEN 2 THEN '-inf'::DOUBLE WHEN 3 THEN -0.0 ELSE id / 8 END,
    't': CASE id % 4 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'word ' || (id % 9) END,
    'd': CASE WHEN id % 3 = 0 THEN NULL ELSE DATE '2020-01-01' + (id % 10)::INTEGER END,
    'w': CASE WHEN id % 3 = 1 THEN NULL ELSE TIMESTAMP '2020-01-01' + INTERVAL (id % 8) HOUR END,
    'n': CASE WHEN id % 3 = 2 THEN NULL ELSE (id % 11)::DECIMAL(9, 2) / 4 END::DECIMAL(9, 2),
    'u': (id % 13)::UTINYINT,
    'select': {{'x y': CASE WHEN id % 2 = 0 THEN NULL ELSE (id % 5)::INTEGER END}}
}} END AS s FROM range({}, {}) r(id)
"""  # noqa: E501
FIELDS = {
    "s.a": ["3", "5", "99", "-1", "4.5"],
    "s.f": ["0.0", "1.5", "'nan'::DOUBLE", "'inf'::DOUBLE"],
    "s.t": ["''", "'word 3'", "'word'", "'x'"],
    "s.d": ["DATE '2020-01-04'", "DATE '1999-01-01'"],
    "s.w": ["TIMESTAMP '2020-01-01 03:00:00'", "TIMESTAMP '2020-01-01 03:00:00.5'"],
    "s.n": ["1.25", "1", "0.005"],
    "s.u": ["3", "0", "300"],
    's."select"."x y"': ["1", "4"],
}
UNARY = ["{} IS NULL", "{} IS NOT NULL"]
BINARY = ["{} = {}", "{} <> {}", "{} < {}", "{} >= {}", "NOT ({} <= {})", "{} IS DISTINCT FROM {}"]
LIFE = [
    f"INSERT INTO t {ROWS.format(200, 260)}",
    "INSERT INTO t SELECT id + 300, NULL FROM range(5) r(id)",
    "DELETE FROM t WHERE id % 9 = 4",
    "UPDATE t SET id = id + 1000 WHERE id % 4 = 1",
    f"UPDATE t SET s = other.s FROM ({ROWS.format(500, 540)}) other WHERE other.id - 480 = t.id",
    "UPDATE t SET s = NULL WHERE s.a = 2",
    "OPTIMIZE t",
    f"""MERGE INTO t USING ({ROWS.format(30, 90)}) other ON t.id = other.id + 1
    WHEN MATCHED THEN UPDATE SET s = other.s WHEN NOT MATCHED THEN INSERT VALUES (other.id + 5000, other.s)""",
    "REINDEX t",
    f"INSERT INTO t {ROWS.format(7000, 7020)}",
    "OPTIMIZE t",
]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path) as db:
        db.execute(f"CREATE TABLE t AS {ROWS.format(0, 200)}")
        yield db


def list_predicates(field: str) -> list[str]:
    values = FIELDS[field]
    listed = ", ".join(values[:2])
    return [
        *(form.format(field) for form in UNARY),
        *(form.format(field, value) for form in BINARY for value in values),
        f"{field} BETWEEN {values[0]} AND {values[1]}",
        f"{field} IN ({listed})",
        f"{field} NOT IN ({listed})",
        f"{field} = {values[0]} OR {field} IS NULL",
        f"s IS NULL OR {field} = {values[0]}",
        *([f"{field} LIKE 'word%'", f"starts_with({field}, 'w')"] if field == "s.t" else []),
    ]


def check(db: lancesql.Connection, twin: duckdb.DuckDBPyConnection, field: str, after: str) -> None:
    predicates, counted = list_predicates(field), f"{field} >= {FIELDS[field][0]}"
    kept = ", ".join(f"list(id ORDER BY id) FILTER (WHERE {predicate})" for predicate in predicates)
    *wanted, number = twin.execute(f"SELECT {kept}, count(*) FILTER (WHERE {counted}) FROM t").fetchall()[0]
    for predicate, ids in zip(predicates, wanted, strict=True):
        found = db.sql(f"SELECT id FROM t WHERE {predicate} ORDER BY id").fetchall()
        assert found == [(id_,) for id_ in ids or ()], (predicate, after)
    assert db.sql(f"SELECT count(*) FROM t WHERE {counted}").fetchall() == [(number,)], (counted, after)


@pytest.mark.parametrize(
    ("field", "kind"),
    [*((field, "BTREE") for field in FIELDS), *((field, "BITMAP") for field in ("s.a", "s.f", "s.t", "s.u"))],
)
def test_filters_keep_the_rows_that_duckdb_keeps(
    db: lancesql.Connection, tmp_path: Path, field: str, kind: str
) -> None:
    db.execute(f"CREATE INDEX i ON t ({field}) USING {kind}")
    path = field.replace('"', "")
    lance_name = ".".join(f"`{part}`" for part in path.split("."))
    shown = db.sql('SELECT name, type, "column", rows_indexed FROM (SHOW INDEXES ON t)').fetchall()
    assert shown == [("i", kind, path, 200)]
    value = FIELDS[field][1]
    text = f"{lance_name} = {value.replace('::DOUBLE', '')}"
    if "nan" not in text and field != "s.n":
        plan = lance.dataset(tmp_path / "t.lance").scanner(filter=text, columns=["id"]).explain_plan()
        assert "ScalarIndexQuery" in plan
        explained = db.explain(f"SELECT id FROM t WHERE {field} = {value}")
        assert f"→ Lance: {lance_name}" in explained
    with duckdb.connect() as twin:
        twin.execute(f"CREATE TABLE t AS {ROWS.format(0, 200)}")
        check(db, twin, field, "CREATE INDEX")
        for statement in LIFE:
            db.execute(statement)
            if not statement.startswith(("OPTIMIZE", "REINDEX")):
                twin.execute(statement)
            check(db, twin, field, statement)
    rows = db.sql("SELECT rows_indexed, rows_unindexed FROM (SHOW INDEXES ON t)").fetchall()
    assert rows == [(db.sql("SELECT count(*) FROM t").fetchall()[0][0], 0)]


def test_every_spelling_and_its_upkeep(db: lancesql.Connection) -> None:
    for number, field in enumerate(("s.a", "(s).a", "(s.a)", "s['a']", "((s).a)", '"s"."a"', "S.A")):
        db.execute(f"CREATE INDEX i{number} ON t ({field}) USING BTREE")
        assert db.sql(f"SELECT \"column\" FROM (SHOW INDEXES ON t) WHERE name = 'i{number}'").fetchall() == [("s.a",)]
        db.execute(f"DROP INDEX i{number}")
    answer = db.execute("CREATE INDEX ON t (s.a)").to_arrow().to_pylist()[0]
    assert (answer["name"], answer["type"], answer["column"]) == ("s_a_idx", "BTREE", "s.a")
    db.execute('CREATE INDEX again ON t ((s)."select"."x y") USING BTREE; CREATE INDEX twin ON t (s.a) USING BTREE')
    advice = dict(db.sql("SELECT name, advice FROM (SHOW INDEXES ON t)").fetchall())
    assert advice["twin"] == "'s_a_idx' serves the same queries: DROP INDEX twin ON t"
    described = db.sql("DESCRIBE t").to_arrow()["indexes"].to_pylist()[1]
    assert set(described.split(", ")) == {"s_a_idx", "again", "twin"}
    db.execute("ALTER TABLE t RENAME COLUMN s TO z")
    assert {one for (one,) in db.sql('SELECT "column" FROM (SHOW INDEXES ON t)').fetchall()} == {"z.a", "z.select.x y"}
    assert "index again" in "".join(
        line for (line,) in db.sql("EXPLAIN ALTER TABLE t DROP COLUMN z").fetchall() if "touches" in line
    )
    db.execute("ALTER TABLE t DROP COLUMN z")
    assert db.sql("SHOW INDEXES ON t").fetchall() == []


def test_another_type_of_the_struct(db: lancesql.Connection) -> None:
    db.execute("CREATE INDEX i ON t (s.a) USING BTREE; CREATE INDEX j ON t (s.t) USING BITMAP")
    with pytest.raises(UnsupportedError, match=r"has indexes.*i \(BTREE\), j \(BITMAP\)") as caught:
        db.execute("ALTER TABLE t ALTER s TYPE STRUCT(a INTEGER, t VARCHAR) USING {'a': s.a, 't': s.t}")
    assert caught.value.span is not None
    for definition, message in (
        ("STRUCT(a INTEGER) USING {'a': s.a}", "'j' cannot be built on the new type: it has no field 't'"),
        ("STRUCT(a INTEGER[], t VARCHAR) USING {'a': [s.a], 't': s.t}", "'i' cannot be built on the new type"),
        ("VARCHAR USING s.t", "'i' cannot be built on the new type: it has no field 'a'"),
    ):
        with pytest.raises(LanceSQLError, match=message):
            db.execute(f"ALTER TABLE t ALTER s TYPE {definition} CASCADE")
    want = db.sql("SELECT id FROM t WHERE s.a = 3 OR s.t = '' ORDER BY id").fetchall()
    db.execute("ALTER TABLE t ALTER s TYPE STRUCT(a INTEGER, t VARCHAR) USING {'a': s.a, 't': s.t} CASCADE")
    assert db.sql("SELECT id FROM t WHERE s.a = 3 OR s.t = '' ORDER BY id").fetchall() == want
    shown = db.sql('SELECT name, "column", rows_indexed, rows_unindexed FROM (SHOW INDEXES ON t)').fetchall()
    assert shown == [("i", "s.a", 200, 0), ("j", "s.t", 200, 0)]
    db.execute("CREATE TABLE c CLONE t")
    assert db.sql('SELECT "column" FROM (SHOW INDEXES ON c)').fetchall() == [("s.a",), ("s.t",)]


@pytest.mark.parametrize(
    ("column", "kind", "message"),
    [
        ("s.a", "ZONEMAP", "Lance cannot bring it up to date"),
        ("s.a", "BLOOMFILTER", "Lance does not ask it for a field"),
        ("s.t", "NGRAM", "Lance does not ask it for a field"),
        ("s.l", "LABEL_LIST", "Lance does not ask it for a field"),
        ("s.t", "FTS", "searches look in columns of the table"),
        ("s.v", "IVF_FLAT", "searches look in columns of the table"),
        ("s.b", "BTREE", "Lance asks no index for a boolean field"),
        ("s.b", "BITMAP", "Lance asks no index for a boolean field"),
        ('s."p.q"', "BTREE", "can name the field 'p.q'"),
        ("s.v", "BTREE", "BTREE does not fit column 's.v'"),
        ("s.deep", "BTREE", "BTREE does not fit column 's.deep'"),
        ("s.tt", "BTREE", "column 's' has no field 'tt'"),
        ("id.x", "BTREE", "'id' is BIGINT, which has no field 'x'"),
        ("s.a, id", "BTREE", "a filter on several asks each of them"),
        ("(s.a + 1)", "BTREE", "not on an expression"),
        ("(s.a", "BTREE", "is expected"),
    ],
)
def test_what_is_refused(tmp_path: Path, column: str, kind: str, message: str) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute(
            "CREATE TABLE t AS SELECT i AS id, {'a': i, 't': 'x', 'b': true, 'l': [i], 'v': [i, 1]::FLOAT[2], "
            "'deep': {'x': i}, 'p.q': i} AS s FROM range(9) r(i)"
        )
        for sql in (f"CREATE INDEX i ON t ({column}) USING {kind}", f"CREATE INDEX i ON t USING {kind} ({column})"):
            with pytest.raises(LanceSQLError) as caught:
                db.execute(sql)
            assert message in str(caught.value)
            assert caught.value.span is not None
        assert db.sql("SHOW INDEXES ON t").fetchall() == []
        assert db.sql("SELECT max(version) FROM (SHOW VERSIONS ON t)").fetchall() == [(1,)]


@pytest.mark.parametrize("kind", ["ZONEMAP", "BLOOMFILTER"])
def test_upstream_still_cannot_optimize_them(tmp_path: Path, kind: str) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute("CREATE TABLE t AS SELECT i AS id, {'a': i} AS s FROM range(9) r(i)")
        dataset = lance.dataset(tmp_path / "t.lance")
        dataset.create_scalar_index("s.a", kind)
        db.execute("DELETE FROM t WHERE id = 3")
        dataset = lance.dataset(tmp_path / "t.lance")
        dataset.optimize.compact_files()
        with pytest.raises(OSError, match="No column with name a"):
            dataset.optimize.optimize_indices()


def test_indexes_of_several_columns_are_intersected(db: lancesql.Connection, tmp_path: Path) -> None:
    db.execute("CREATE INDEX ON t (id) USING BTREE; CREATE INDEX ON t (s.a) USING BTREE")
    dataset = lance.dataset(tmp_path / "t.lance")
    plan = dataset.scanner(filter="`id` < 50 AND `s`.`a` = 3", columns=["id"]).explain_plan()
    assert "AND(" in plan
    assert plan.count("ScalarIndexQuery") == 1
    with pytest.raises(NotImplementedError, match="single column"):
        dataset.create_scalar_index(["id", "s.a"], "BTREE")  # type: ignore[arg-type]
