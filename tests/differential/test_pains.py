"""What users of other engines stumbled over, each with the answer that brute force gives."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import duckdb
import lance
import pyarrow as pa
import pytest

import lancesql

FRAGMENTS, ROWS = 4, 64
INDEXES = ("none", "IVF_FLAT", "IVF_PQ", "IVF_SQ", "IVF_HNSW_SQ")
FILTERS = (
    "id % 2 = 0",
    "CASE WHEN id % 2 = 0 THEN true ELSE false END",
    "id IN (SELECT n FROM even)",
    "id IN (SELECT id FROM {table} WHERE even)",
    "(id % 2 = 0 OR id < 0)",
    "even",
    "t.even = true AND t.id >= 0",
    "coalesce(even, false)",
    "EXISTS (SELECT 1 FROM even WHERE n = t.id)",
    "EXISTS (SELECT 1 FROM {table} u WHERE u.id = t.id AND u.even)",
    "list_contains([0, 2, 4, 6, 8, 10, 12], id)",
    "NOT (id % 2 = 1)",
    "id::VARCHAR LIKE '%0' OR id::VARCHAR SIMILAR TO '.*[2468]'",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pains")
    count = FRAGMENTS * ROWS
    table = pa.table(
        {
            "id": pa.array(range(count), pa.int64()),
            "even": pa.array([n % 2 == 0 for n in range(count)]),
            "maybe": pa.array([None if n % 3 == 0 else n for n in range(count)], pa.int32()),
            "txt": pa.array([f"row number {n}" for n in range(count)]),
            "vec": pa.array([[float(n)] * 8 for n in range(count)], pa.list_(pa.float32(), 8)),
        }
    )
    for index in INDEXES:
        dataset = lance.write_dataset(table, root / f"t_{index.lower()}.lance", max_rows_per_file=ROWS)
        if index != "none":
            options = {"num_sub_vectors": 8} if "PQ" in index else {}
            dataset.create_index("vec", index, num_partitions=4, **options)
    return root


@pytest.fixture(scope="module")
def db(folder: Path) -> Iterator[lancesql.Connection]:
    own = duckdb.connect()
    own.execute("CREATE TABLE even AS SELECT range * 2 AS n FROM range(200)")
    own.execute("CREATE TABLE people AS SELECT range AS pid, 'name ' || range AS name FROM range(12)")
    with lancesql.connect(folder, duckdb=own) as connection:
        yield connection
    own.close()


@pytest.mark.parametrize("index", INDEXES)
def test_the_nearest_among_those_that_qualify(db: lancesql.Connection, index: str) -> None:
    table = f"t_{index.lower()}"
    for condition, how in itertools.product(FILTERS, ("", ", exact => true", ", exact => false, refine_factor => 30")):
        where = condition.format(table=table)
        sql = f"SELECT t.id FROM vector_search('{table}', {[0.0] * 8}, k => 5{how}) t WHERE {where}"
        assert db.sql(sql).fetchall() == [(0,), (2,), (4,), (6,), (8,)], sql


@pytest.mark.parametrize("index", INDEXES)
def test_a_filter_that_keeps_fewer_than_k_rows(db: lancesql.Connection, index: str) -> None:
    for condition, rows in (
        ("id < 3", 3),
        ("id = 200", 1),
        ("id < 0", 0),
        ("id IN (7, 250)", 2),
        ("maybe IS NULL AND id < 9", 3),
    ):
        sql = f"SELECT id, _distance FROM vector_search('t_{index.lower()}', {[1.0] * 8}, k => 10) WHERE {condition}"
        answer = db.sql(sql).fetchall()
        assert len(answer) == rows, sql
        assert all(distance == 8 * (id_ - 1) ** 2 for id_, distance in answer), answer


@pytest.mark.parametrize("index", INDEXES)
def test_a_filter_in_the_join_is_a_filter(db: lancesql.Connection, index: str) -> None:
    search = f"vector_search('t_{index.lower()}', {[0.0] * 8}, k => 5) t"
    for sql in (
        f"SELECT t.id FROM {search} JOIN people p ON p.pid = t.id AND t.even ORDER BY t.id",
        f"SELECT t.id FROM people p JOIN {search} ON p.pid = t.id WHERE t.even ORDER BY t.id",
        f"SELECT t.id FROM {search}, people p WHERE p.pid = t.id AND t.even ORDER BY t.id",
    ):
        assert db.sql(sql).fetchall() == [(0,), (2,), (4,), (6,), (8,)], sql


def ids(db: lancesql.Connection, sql: str) -> list[int]:
    return [row[0] for row in db.sql(sql).fetchall()]


SEARCH = f"vector_search('t_none', {[0.0] * 8}, k => 6)"


def test_prefilter_false_is_the_literal_order(db: lancesql.Connection) -> None:
    search = f"vector_search('t_none', {[0.0] * 8}, k => 6, prefilter => false)"
    assert ids(db, f"SELECT id FROM {search} WHERE even") == [0, 2, 4]
    assert ids(db, f"SELECT id FROM {search} WHERE id % 2 = 1") == [1, 3, 5]
    assert ids(db, f"SELECT id FROM {search} t JOIN people p ON p.pid = t.id AND t.even ORDER BY id") == [0, 2, 4]
    assert ids(
        db,
        f"SELECT id FROM {search[:-1]}, filter => 'even') WHERE id > 2",
    ) == [4, 6, 8, 10]


def test_the_duckdb_extension_filters_behind_unless_told(db: lancesql.Connection) -> None:
    call = f"lance_vector_search('t_none', 'vec', {[0.0] * 8}, k => 6"
    assert ids(db, f"SELECT id FROM {call}) WHERE even") == [0, 2, 4]
    assert ids(db, f"SELECT id FROM {call}, prefilter => true) WHERE even") == [0, 2, 4, 6, 8, 10]


def test_an_explicit_filter(db: lancesql.Connection) -> None:
    assert ids(db, f"SELECT id FROM {SEARCH[:-1]}, filter => 'even AND id > 3')") == [4, 6, 8, 10, 12, 14]
    assert ids(db, f"SELECT id FROM {SEARCH[:-1]}, filter => 'maybe IS NULL OR id = 1') WHERE id > 0") == [
        1,
        3,
        6,
        9,
        12,
        15,
    ]


def test_volatile_predicates_see_the_k_rows(db: lancesql.Connection) -> None:
    assert ids(db, f"SELECT id FROM {SEARCH} WHERE random() >= 0") == [0, 1, 2, 3, 4, 5]
    assert set(ids(db, f"SELECT id FROM {SEARCH} WHERE random() < 0.5")) <= {0, 1, 2, 3, 4, 5}
    assert ids(db, f"SELECT id FROM {SEARCH} WHERE even AND random() >= 0") == [0, 2, 4, 6, 8, 10]
    assert ids(db, f"SELECT id FROM {SEARCH} WHERE id >= random() * 0 + 4") == [4, 5]


def test_conditions_on_the_distance_see_the_k_rows(db: lancesql.Connection) -> None:
    assert ids(db, f"SELECT id FROM {SEARCH} WHERE _distance > 8 * 3 * 3") == [4, 5]
    assert ids(db, f"SELECT id FROM {SEARCH} WHERE even AND _distance > 8 * 3 * 3") == [4, 6, 8, 10]
    assert ids(db, f"SELECT id FROM {SEARCH} WHERE _distance <= id * 8") == [0, 1]
    assert ids(db, f"SELECT id FROM {SEARCH} WHERE even OR _distance < 9") == [0, 1, 2, 4]


def test_conditions_outside_see_the_k_rows(db: lancesql.Connection) -> None:
    assert ids(db, f"SELECT id FROM (SELECT * FROM {SEARCH}) WHERE even") == [0, 2, 4]
    assert ids(db, f"WITH x AS (SELECT * FROM {SEARCH}) SELECT id FROM x WHERE even") == [0, 2, 4]
    assert ids(db, f"SELECT id FROM {SEARCH} QUALIFY even AND row_number() OVER () > 0") == [0, 2, 4]
    assert ids(db, f"SELECT id FROM {SEARCH} GROUP BY ALL HAVING id > 2 ORDER BY id") == [3, 4, 5]


def test_an_alias_of_the_select_list_is_its_expression(db: lancesql.Connection) -> None:
    assert ids(db, f"SELECT id AS n FROM {SEARCH} WHERE n > 2") == [3, 4, 5, 6, 7, 8]
    assert ids(db, f"SELECT id, id % 5 AS fifth FROM {SEARCH} WHERE fifth = 0") == [0, 5, 10, 15, 20, 25]
    assert ids(db, f"SELECT id, _distance / 8 AS d FROM {SEARCH} WHERE d > 9") == [4, 5]
    # A column of the table comes before an alias of the same name.
    assert ids(db, f"SELECT id, 1 - id AS maybe FROM {SEARCH} WHERE maybe > 3") == [4, 5, 7, 8, 10, 11]


def test_the_nullable_side_of_an_outer_join(db: lancesql.Connection) -> None:
    left = f"FROM people p LEFT JOIN {SEARCH} t ON p.pid = t.id"
    # True only for rows the search found: it may as well be asked before.
    assert ids(db, f"SELECT p.pid {left} WHERE t.even ORDER BY 1") == [0, 2, 4, 6, 8, 10]
    # True for rows without a partner too: it is asked of the joined rows.
    assert ids(db, f"SELECT p.pid {left} WHERE t.id IS NULL ORDER BY 1") == [6, 7, 8, 9, 10, 11]
    assert ids(db, f"SELECT p.pid {left} WHERE coalesce(t.even, true) ORDER BY 1") == [0, 2, 4, 6, 7, 8, 9, 10, 11]
    assert ids(db, f"SELECT p.pid {left} WHERE t.maybe IS NULL ORDER BY 1") == [0, 3, 6, 7, 8, 9, 10, 11]
    assert ids(db, f"SELECT p.pid {left} AND t.even ORDER BY 1") == list(range(12))
    assert ids(db, f"SELECT t.id {left} AND t.even WHERE t.id IS NOT NULL ORDER BY 1") == [0, 2, 4]
    right = f"FROM {SEARCH} t RIGHT JOIN people p ON p.pid = t.id"
    assert ids(db, f"SELECT p.pid {right} WHERE t.id IS NULL ORDER BY 1") == [6, 7, 8, 9, 10, 11]
    full = f"FROM {SEARCH} t FULL JOIN people p ON p.pid = t.id"
    assert ids(db, f"SELECT p.pid {full} WHERE t.id IS NULL ORDER BY 1") == [6, 7, 8, 9, 10, 11]


def test_the_kept_side_of_an_outer_join(db: lancesql.Connection) -> None:
    sql = f"SELECT t.id FROM {SEARCH} t LEFT JOIN people p ON p.pid = t.id AND t.even WHERE t.id > 1 ORDER BY 1"
    assert ids(db, sql) == [2, 3, 4, 5, 6, 7]


def test_two_searches_of_one_table_have_their_own_filters(db: lancesql.Connection) -> None:
    far = f"vector_search('t_none', {[11.0] * 8}, k => 6)"
    sql = f"SELECT a.id FROM {SEARCH} a JOIN {far} b ON a.id = b.id WHERE a.even AND b.id % 4 = 0 ORDER BY 1"
    assert ids(db, sql) == [0, 4, 8]
    union = f"SELECT id FROM {SEARCH} WHERE even UNION ALL SELECT id FROM {SEARCH} WHERE NOT even"
    assert sorted(ids(db, union)) == list(range(12))


def test_star_never_holds_the_row_id(db: lancesql.Connection) -> None:
    columns = ["id", "even", "maybe", "txt", "vec"]
    assert db.sql("SELECT * FROM t_none WHERE _rowid = 3").columns == columns
    assert db.sql("SELECT *, _rowid FROM t_none").columns == [*columns, "_rowid"]
    assert db.sql("SELECT t.*, t._rowid AS r FROM t_none t JOIN people p ON p.pid = t.id").columns == [*columns, "r"]
    assert db.sql(f"SELECT * FROM {SEARCH} WHERE _rowid > 2").columns == [*columns, "_distance"]
    assert db.sql("SELECT * EXCLUDE (vec), _rowid FROM t_none").columns == [*columns[:-1], "_rowid"]


def test_columns_chosen_by_pattern_filter_before_the_top_k(db: lancesql.Connection) -> None:
    assert ids(db, f"SELECT id FROM {SEARCH} WHERE COLUMNS('^id$') > 3") == [4, 5, 6, 7, 8, 9]


def test_a_parameter_inside_a_text_is_text(db: lancesql.Connection) -> None:
    sql = f"SELECT id FROM {SEARCH} WHERE upper(txt) <> '$v' AND id > $v AND id + 0 <> $v1"
    assert [row[0] for row in db.sql(sql, {"v": 3, "v1": 5}).fetchall()] == [4, 6, 7, 8, 9, 10]
    marks = f"SELECT id FROM {SEARCH} WHERE {' AND '.join(['id + 0 <> ?'] * 12)} AND id >= ?"
    assert [row[0] for row in db.sql(marks, list(range(13))).fetchall()] == [12, 13, 14, 15, 16, 17]


def test_a_filter_reads_the_ctes_in_its_reach(db: lancesql.Connection) -> None:
    few = "good AS (SELECT id FROM t_none WHERE even)"
    assert ids(db, f"WITH {few} SELECT id FROM {SEARCH} x WHERE x.id IN (FROM good)") == [0, 2, 4, 6, 8, 10]
    assert ids(db, f"WITH {few}, x AS (SELECT id FROM {SEARCH} y WHERE y.id IN (FROM good)) FROM x") == [
        0,
        2,
        4,
        6,
        8,
        10,
    ]
    odd = "odd AS (SELECT id + 1 AS id FROM good)"
    inner = f"(WITH {odd} SELECT y.id FROM {SEARCH} y WHERE y.id IN (FROM odd))"
    assert ids(db, f"WITH {few} SELECT id FROM {inner}") == [1, 3, 5, 7, 9, 11]
    # The table's own columns come before a CTE of the same name.
    assert ids(db, f"WITH even AS (SELECT 1 AS one) SELECT id FROM {SEARCH} x WHERE x.even") == [0, 2, 4, 6, 8, 10]
