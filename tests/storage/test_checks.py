"""Checks on tables that are there: no row passes by one, whoever writes it and whenever."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import lance
import pyarrow as pa
import pytest
from lance.fragment import write_fragments

import lancesql
from lancesql.errors import ConstraintError, LanceSQLError


@pytest.fixture
def own() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as own:
        yield own


@pytest.fixture
def db(tmp_path: Path, own: duckdb.DuckDBPyConnection) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path / "db", duckdb=own) as db:
        db.execute("CREATE TABLE t AS SELECT i AS id, i % 4 AS n FROM range(20) r(i)")
        yield db


def call_once(own: duckdb.DuckDBPyConnection, folder: Path, statement: str) -> Callable[[], bool]:
    """Makes `touch(n)`, which is n; another session runs the statement the first time; tells whether it has."""
    once = threading.Event()

    def touch(value: int) -> int:
        if not once.is_set():
            once.set()
            with lancesql.connect(folder) as other:
                other.execute(statement)
        return value

    own.create_function("touch", touch, ["BIGINT"], "BIGINT", side_effects=True)
    return once.is_set


def read_versions(db: lancesql.Connection) -> list[str]:
    return [row[0] for row in db.sql("SELECT operation FROM (SHOW VERSIONS ON t) ORDER BY version").fetchall()]


@pytest.mark.parametrize(
    ("meanwhile", "operation"),
    [("INSERT INTO t VALUES (99, 7)", "INSERT"), ("UPDATE t SET n = 7 WHERE id = 3", "UPDATE")],
)
def test_rows_that_come_while_the_others_are_looked_at(
    db: lancesql.Connection, own: duckdb.DuckDBPyConnection, tmp_path: Path, meanwhile: str, operation: str
) -> None:
    was_called = call_once(own, tmp_path / "db", meanwhile)
    with pytest.raises(ConstraintError, match="1, one of them with n = 7"):
        db.execute("ALTER TABLE t ADD CHECK (touch(n) < 4)")
    assert was_called()
    assert read_versions(db) == ["CREATE", operation]
    db.execute("INSERT INTO t VALUES (100, 8)")


@pytest.mark.parametrize(
    "late",
    [
        "INSERT INTO t SELECT touch(99), 7",
        "UPDATE t SET n = touch(7) WHERE id = 3",
        "MERGE INTO t USING (SELECT 99 AS id) s USING (id) WHEN NOT MATCHED THEN INSERT (id, n) VALUES (99, touch(7))",
    ],
)
def test_rows_that_were_on_their_way_before_the_check(
    db: lancesql.Connection, own: duckdb.DuckDBPyConnection, tmp_path: Path, late: str
) -> None:
    was_called = call_once(own, tmp_path / "db", "ALTER TABLE t ADD CONSTRAINT few CHECK (n < 4)")
    with pytest.raises(ConstraintError, match=r"breaks CHECK \(n < 4\) of table 't' \(few\): n = 7"):
        db.execute(late)
    assert was_called()
    assert read_versions(db) == ["CREATE", "ALTER"]
    assert db.sql("SELECT count(*), max(n) FROM t").fetchall() == [(20, 3)]


@pytest.mark.parametrize("rule", ["CHECK (n < 4)", "PRIMARY KEY (id)"])
def test_rows_that_lance_writes_beside_us(db: lancesql.Connection, tmp_path: Path, rule: str) -> None:
    """Lance asks no check; what it has begun before one comes does not slip in behind it."""
    table = lance.dataset(tmp_path / "db" / "t.lance")
    written = write_fragments(pa.table({"id": [3], "n": [7]}), table, mode="append")
    db.execute(f"ALTER TABLE t ADD {rule}")
    with pytest.raises(OSError, match="incompatible with concurrent transaction"):
        lance.LanceDataset.commit(table, lance.LanceOperation.Append(written), read_version=table.version)
    assert db.sql("SELECT count(*), max(n) FROM t").fetchall() == [(20, 3)]


def test_checks_follow_their_columns(db: lancesql.Connection) -> None:
    plan = db.sql("EXPLAIN ALTER TABLE t ADD CONSTRAINT few CHECK (n < 4)").fetchall()
    assert plan[1] == ("  touches    CHECK (n < 4) (few): 20 rows are looked at; no data is written",)
    db.execute("ALTER TABLE t ADD CONSTRAINT few CHECK (n < 4); ALTER TABLE t RENAME n TO m")
    db.execute("ALTER TABLE t ADD COLUMN n BIGINT; ALTER TABLE t ADD CHECK (n > m OR n IS NULL)")
    for values, message in (
        ("99, 4, 9", r"CHECK \(m < 4\) of table 't' \(few\): m = 4"),
        ("99, 3, 2", r"CHECK \(\(n > m\) OR \(n IS NULL\)\) of table 't' \(t_n_m_check\): n = 2, m = 3"),
    ):
        with pytest.raises(ConstraintError, match=message):
            db.execute(f"INSERT INTO t VALUES ({values})")
    db.execute("INSERT INTO t VALUES (99, 3, 4); ALTER TABLE t DROP COLUMN m CASCADE")
    db.execute("ALTER TABLE t ADD COLUMN m INTEGER CHECK (m > 9); INSERT INTO t VALUES (100, 0, 10)")
    with pytest.raises(ConstraintError, match=r"\(t_m_check\): m = 3"):
        db.execute("INSERT INTO t VALUES (101, 0, 3)")
    with pytest.raises(LanceSQLError, match="no constraint 'few'") as caught:
        db.execute("ALTER TABLE t DROP CONSTRAINT few")
    assert caught.value.hint == "constraints: t_m_check"
    db.execute("ALTER TABLE t DROP CONSTRAINT T_M_CHECK; INSERT INTO t VALUES (101, 0, 3)")


def test_checks_follow_a_column_that_is_called_like_a_word_of_sql(db: lancesql.Connection) -> None:
    db.execute('ALTER TABLE t ADD CONSTRAINT few CHECK (n < 4); ALTER TABLE t RENAME n TO "order"')
    db.execute('INSERT INTO t (id, "order") VALUES (99, 3)')
    db.execute("""ALTER TABLE t RENAME "order" TO "Order"; ALTER TABLE t RENAME "Order" TO "order" """)
    with pytest.raises(LanceSQLError, match="a column 'ID' already"):
        db.execute("""ALTER TABLE t RENAME "order" TO ID""")
    with pytest.raises(ConstraintError, match=r'CHECK \("order" < 4\)'):
        db.execute('UPDATE t SET "order" = 4 WHERE id = 99')


def test_constraints_are_listed(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path) as db:
        db.execute(
            """CREATE TABLE u (a INT, b INT DEFAULT 1 + 1, "c d" VARCHAR NOT NULL, PRIMARY KEY (a, b),
            CHECK (a < b OR "c d" = 'x'), CONSTRAINT few CHECK (a < 9))"""
        )
        db.execute("ALTER TABLE u RENAME a TO e")
        listed = db.sql("SHOW CONSTRAINTS ON u").fetchall()
        assert listed == [
            (None, "PRIMARY KEY", ["e", "b"], None),
            ("u_a_b_c d_check", "CHECK", ["e", "b", "c d"], """((e < b) OR ("c d" = 'x'))"""),
            ("few", "CHECK", ["e"], "(e < 9)"),
            (None, "NOT NULL", ["e"], None),
            (None, "NOT NULL", ["b"], None),
            (None, "NOT NULL", ["c d"], None),
            (None, "DEFAULT", ["b"], "(1 + 1)"),
        ]
        assert db.sql("SELECT name FROM (SHOW CONSTRAINTS ON u) WHERE type = 'CHECK'").fetchall()[1] == ("few",)
        with lancesql.connect(tmp_path / "other") as other:
            other.execute("CREATE TABLE plain AS SELECT 1 AS a")
            assert other.sql("SHOW CONSTRAINTS ON plain").fetchall() == []


def test_the_history_names_the_statement(db: lancesql.Connection) -> None:
    db.execute("INSERT INTO t (id, n) VALUES (98, 1) ON CONFLICT (id) DO UPDATE SET n = 2; DELETE FROM t WHERE id = 98")
    db.execute("INSERT INTO t (id, n) VALUES (98, 1) RETURNING id")
    db.execute("MERGE INTO t USING (SELECT 98 AS id) s USING (id) WHEN MATCHED THEN UPDATE SET n = 3")
    assert read_versions(db) == ["CREATE", "INSERT", "DELETE", "INSERT", "MERGE"]


def test_names_are_kept(db: lancesql.Connection, tmp_path: Path) -> None:
    db.execute(
        """CREATE TABLE u (CHECK (b > 0), a INT CONSTRAINT "first one" CHECK (a > 0) CHECK (a < 9), u UUID,
        CONSTRAINT pk PRIMARY KEY (a), b INT CONSTRAINT last CHECK (b < 9) NOT NULL, CHECK (a <> b OR a > 7))"""
    )
    names = {"(b > 0)": "u_b_check", "(a > 0)": "first one", "(a < 9)": "u_a_check", "(b < 9)": "last"}
    for row, predicate in (("1, NULL, 0", "(b > 0)"), ("0, NULL, 1", "(a > 0)"), ("9, NULL, 1", "(a < 9)")):
        with pytest.raises(ConstraintError) as caught:
            db.execute(f"INSERT INTO u VALUES ({row})")
        assert f"CHECK {predicate} of table 'u' ({names[predicate]})" in caught.value.message
    with pytest.raises(ConstraintError, match=r"\(u_a_b_check\): a = 3, b = 3"):
        db.execute("INSERT INTO u VALUES (3, NULL, 3)")
    with pytest.raises(ConstraintError, match=r"\(u_u_check\): u = 'no'"):
        db.execute("INSERT INTO u VALUES (3, 'no', 4)")
    db.execute("ALTER TABLE u RENAME TO v; CREATE TABLE w CLONE v")
    for table in ("v", "w"):
        db.execute(f"""ALTER TABLE {table} DROP CONSTRAINT "First One"; INSERT INTO {table} VALUES (0, NULL, 1)""")
        with pytest.raises(ConstraintError, match=r"\(last\): b = 9"):
            db.execute(f"INSERT INTO {table} VALUES (1, NULL, 9)")


def test_a_table_of_an_earlier_version(db: lancesql.Connection, tmp_path: Path) -> None:
    """Its checks were kept without names."""
    table = lance.dataset(tmp_path / "db" / "t.lance")
    table.update_field_metadata({"id": {"lancesql:name": "id"}, "n": {"lancesql:name": "n"}})
    held = [["(n >= 0)", ["n"]], ["(n < 4)", ["n"]], ["((id + n) >= 0)", ["id", "n"]]]
    table.update_schema_metadata({"lancesql:checks": json.dumps(held)})
    with pytest.raises(ConstraintError, match=r"CHECK \(n < 4\) of table 't' \(n_check1\): n = 4"):
        db.execute("INSERT INTO t VALUES (99, 4)")
    db.execute("ALTER TABLE t ADD CHECK (id >= 0); ALTER TABLE t DROP CONSTRAINT n_check1")
    db.execute("INSERT INTO t VALUES (99, 4)")
    for row, name in (("99, -1", "n_check"), ("-9, 3", "id_n_check"), ("-2, 3", "t_id_check")):
        with pytest.raises(ConstraintError, match=rf"\({name}\)"):
            db.execute(f"INSERT INTO t VALUES ({row})")
    for name in ("n_check", "id_n_check", "t_id_check"):
        db.execute(f"ALTER TABLE t DROP CONSTRAINT {name}")
    db.execute("INSERT INTO t VALUES (-9, -9)")
    assert b"lancesql:checks" not in (lance.dataset(table.uri).schema.metadata or {})


def test_columns_of_any_type(db: lancesql.Connection, tmp_path: Path) -> None:
    """The check is told by DuckDB from the types that the columns have, and judges as DuckDB does."""
    db.execute(
        """CREATE TABLE many AS SELECT i AS "a b", [i, 1]::FLOAT[2] AS v, {'x': i, 'y': 'z'} AS s, [i] AS l,
        MAP {'k': i} AS m, i::DECIMAL(9, 2) AS d, '2024-01-01'::TIMESTAMPTZ + to_days(i::INT) AS ts, 'a'::BLOB AS b
        FROM range(5) r(i)"""
    )
    predicates = [
        '"a b" < 4', "v[1] < 4", "s['x'] < 4", "len(l) = 1 AND l[1] < 4", "m['k'] < 4", "d < 3.5",
        "ts < '2024-01-05 00:00:00+00'", "octet_length(b) = 0 OR \"a b\" < 4", "NOT \"a b\" = 4",
    ]  # fmt: skip
    if duckdb.__version__ >= "2":  # DuckDB 1 takes the field for a column
        predicates.append("s.x < 4")
    for predicate in predicates:
        broken = db.sql(f"SELECT count(*) FROM (SELECT * FROM many) WHERE NOT ({predicate})").fetchall()[0][0]
        assert broken == 1
        with pytest.raises(ConstraintError, match=r"break CHECK .*: 1, one of them with"):
            db.execute(f"ALTER TABLE many ADD CHECK ({predicate})")
    db.execute('CREATE TABLE last AS SELECT * FROM many WHERE "a b" = 4; DELETE FROM many WHERE "a b" = 4')
    for predicate in predicates:
        db.execute(f"ALTER TABLE many ADD CONSTRAINT c CHECK ({predicate})")
        with pytest.raises(ConstraintError, match=r"a row breaks CHECK .* \(c\)"):
            db.execute("INSERT INTO many FROM last")
        db.execute("ALTER TABLE many DROP CONSTRAINT c")
    db.execute("INSERT INTO many FROM last")
