"""What the names in a block mean: aliases of its SELECT list, fields, relations around it and of `FROM … SELECT`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lancesql.errors import AmbiguousNameError

from .written_out import QUERY, Both, open_both, write_out

SEARCHES = (
    # the filter of the search {s}, and the statement it stands in
    ("a + 1 > 2", "SELECT a + 1 AS y FROM {s} m WHERE y > 2"),
    ("a + 1 > 2", "SELECT a + 1 y FROM {s} m WHERE y > 2"),
    ("a + 1 > 2", "SELECT y: a + 1 FROM {s} m WHERE y > 2"),
    ("a + 1 > 2", 'SELECT m.a + 1 "Y y" FROM {s} m WHERE "y Y" > 2'),
    ("a > 2", "SELECT DISTINCT a AS x, id FROM {s} m WHERE x > 2"),
    ("a > 2", "SELECT DISTINCT ON (x) a AS x FROM {s} m WHERE x > 2"),
    ("a > 2", "SELECT ALL x: a FROM {s} m WHERE x > 2"),
    ("a > 2", "FROM {s} m SELECT a x, id WHERE x > 2"),
    ("a > 2", "SELECT x FROM (SELECT a x FROM {s} m WHERE x > 2)"),
    ("a > 2", "SELECT m.a x, u.id FROM {s} m, u WHERE x > 2"),
    ("(a + 1) * 2 > 4", "SELECT a + 1 AS x, x * 2 y FROM {s} m WHERE y > 4"),
    ("b", "SELECT a AS x, b AS x FROM {s} m WHERE x"),
    ("true", "SELECT m.a AS g, m.id FROM {s} m, range(7) z(g) WHERE g > 1"),
    ("true", "SELECT m.a AS range, m.id FROM {s} m, range(7) WHERE range > 1"),
    ("true", "SELECT m.a AS g, m.id FROM {s} m, unnest([1, 5]) z(g) WHERE g > 1"),
    ("true", "SELECT m.a AS col0, m.id FROM {s} m, (VALUES (1), (5)) z WHERE col0 > 1"),
    ("true", "SELECT m.a AS g, m.id FROM {s} m, (SELECT unnest([1, 5]) AS g) z WHERE g > 1"),
    ("a > 1", "SELECT m.a AS g, m.id FROM {s} m, (SELECT unnest([1, 5]) AS g) z(h) WHERE g > 1"),
    ("true", "WITH w AS (SELECT id AS i, a AS g FROM u) SELECT m.a AS g, w.i FROM {s} m, w WHERE g > 1 AND i < 4"),
    ("true", "SELECT m.s AS name, m.id FROM {s} m, pragma_table_info('own') WHERE name = 'p'"),
    ("true", "SELECT m.s AS name, m.id FROM {s} m, (FROM pragma_table_info('own')) z WHERE name = 'p'"),
    ("true", "WITH w AS (FROM pragma_table_info('own')) SELECT m.s AS name, m.id FROM {s} m, w WHERE name = 'p'"),
    ("s = 'x'", "SELECT m.s AS name, m.id FROM {s} m, pragma_table_info('own') z(n, h) WHERE name = 'x' AND h = 'p'"),
    ("true", "SELECT a AS _distance FROM {s} m WHERE _distance > 2"),
    ("true", "SELECT _distance z FROM {s} m WHERE z > 2"),
    ("a > 2", "SELECT id AS a FROM {s} m WHERE a > 2"),
    ("len(list_filter(tags, lambda y: y = 'a')) > 0",
     "SELECT a y FROM {s} m WHERE len(list_filter(tags, lambda y: y = 'a')) > 0"),
    ("a IN (SELECT q FROM own WHERE q = a)", "SELECT a y FROM {s} m WHERE y IN (SELECT q FROM own WHERE q = y)"),
    ("a IN (SELECT q FROM own WHERE q = p)", "SELECT a p FROM {s} m WHERE p IN (SELECT q FROM own WHERE q = p)"),
    ("a IN (SELECT q FROM (VALUES (1), (2)) z(q) WHERE q = a)",
     "SELECT a y FROM {s} m WHERE y IN (SELECT q FROM (VALUES (1), (2)) z(q) WHERE q = y)"),
    ("a > 1", "SELECT id FROM {s} m WHERE COLUMNS(['a']) > 1"),
    ("a > 1 AND id > 1", "SELECT id FROM {s} m WHERE COLUMNS(['a', 'ID']) > 1"),
    ("true", "SELECT id FROM {s} m WHERE COLUMNS(['a', '_distance']) > 1"),
    ("a > 1 AND id > 1", "SELECT id FROM {s} m WHERE COLUMNS('^(a|id)$') > 1"),
    ("(SELECT count(COLUMNS(['p'])) FROM own) > a",
     "SELECT id, q FROM {s} m, own WHERE (SELECT count(COLUMNS(['p'])) FROM own) > a"),
    ("st.k > 0", "SELECT st.* FROM {s} m WHERE m.st.k > 0"),
    ("st.k > 0 AND a > 1", "SELECT st.id FROM {s} st WHERE st.k > 0 AND st.a > 1"),
    ("st.k > 0", "SELECT st.id, own.p FROM {s} st, own WHERE st.k > 0 AND own.p = st.a"),
    ("true", "SELECT id, st.* EXCLUDE (n) FROM {s} m"),
    ("m.b", "FROM (SELECT 1 AS one) x JOIN {s} m ON true SELECT m.id, one WHERE m.b"),
    ("m.b", "FROM (SELECT 1 AS one) x JOIN {s} m ON m.b SELECT m.id"),
    ("m.a > 1", "SELECT m.id, x.id FROM own JOIN {s} m ON m.a > 1 JOIN (SELECT * FROM u) x ON x.a = m.a"),
    ("m.a > 1", "SELECT m.id FROM own JOIN {s} m ON m.a > 1 LEFT JOIN (own x JOIN u ON u.a = x.p) ON x.p = m.a"),
    ("left(s, 1) = 'x'", "SELECT m.id FROM own JOIN {s} m ON left(m.s, 1) = 'x' JOIN (FROM u) x ON x.a = m.a"),
    ("m.b", "FROM (VALUES (1, 'u'), (2, 'w')) y(p, q) JOIN {s} m ON p = m.a SELECT m.id, y.q WHERE q = 'u' AND m.b"),
    ("m.b", "FROM (VALUES (1, 'u'), (2, 'w')) y(p, q) LEFT JOIN {s} m ON p = m.a SELECT p, m.id WHERE m.b"),
    ("true",
     "SELECT * FROM (FROM (VALUES (1, 5), (2, 6)) y, {s} m SELECT col0, id, a) z(i, j, k) WHERE j > 3 AND k > 1"),
    ("a IN (1, 2)",
     "SELECT id FROM {s} m WHERE a IN (FROM (VALUES (1), (2)) y(z) JOIN own ON own.p = z SELECT y.z)"),
    ("a > 1", "PIVOT (SELECT a, s FROM {s} m WHERE a > 1) ON s IN ('x', 'y') USING count(*) ORDER BY a DESC LIMIT 1"),
    ("a > 1",
     "WITH c AS (UNPIVOT (SELECT id, a FROM {s} m WHERE a > 1) ON a ORDER BY ALL LIMIT 3) FROM c WHERE id > 4"),
    ("a > 1", "SELECT id FROM {s} m WHERE (a > 1 AND _distance > 2)"),
    ("a > 1 AND b", "SELECT id FROM {s} m WHERE ((a > 1 AND (_distance > 2)) AND ((b)))"),
    ("a > 1 OR b", "SELECT id FROM {s} m WHERE ((a > 1 OR b) AND _distance > 2)"),
    ("true", "SELECT id FROM {s} m WHERE (a > 1 OR (b AND _distance > 2))"),
    ("(a, b) = (1, true)", "SELECT id FROM {s} m WHERE (a, b) = (1, true) AND (SELECT true)"),
    ("a BETWEEN 1 AND 2", "SELECT id FROM {s} m WHERE ((a BETWEEN 1 AND 2 AND _distance > 2))"),
    ("m.a > 1", "SELECT m.id FROM own JOIN {s} m ON ((own.p = m.a) AND ((m.a > 1) AND m._distance > 2))"),
    ("abs(a) > 2", "SELECT id FROM {s} m WHERE a.abs() > 2 AND m.id.abs() > 0"),
    ("abs(a + id) > 20", "SELECT a x, id FROM {s} m WHERE (x + id).abs() > 20"),
    ("abs(a) + abs(a) > 5", "SELECT id FROM {s} m WHERE a.abs() + m.a.abs() > 5 AND a.abs() + a.abs() > 5"),
    ("upper(s) = 'X'", "SELECT id FROM {s} m WHERE m.s.upper().lower() = 'x'"),
    ("list_contains(tags, s)", "SELECT id FROM {s} m WHERE list_filter(tags, lambda x: x = s).len() > 0"),
    ("abs(a) > 1", "SELECT id FROM {s} m WHERE main.abs(a) > 1"),
    ("true", "SELECT id FROM {s} m WHERE _distance.abs() > 2"),
    ("m.a > 1", "FROM (FROM u) x, {s} m SELECT x.id, m.id AS i WHERE m.a > 1 AND x.b"),
    ("m.a > 1", "SELECT i FROM (FROM (FROM u) x JOIN {s} m ON m.a > 1 SELECT x.b, m.id AS i WHERE x.b)"),
    ("true",
     "SELECT id FROM u x WHERE EXISTS (FROM {s} m WHERE id = x.id AND EXISTS (FROM t WHERE t.a = m.a AND t.id > x.a))"),
    ("EXISTS (FROM range(3) c(x) WHERE x = a)",
     "SELECT id, p FROM {s} m, own WHERE EXISTS (FROM range(3) c(x) WHERE x = a)"),
    ("a IN (SELECT q FROM own)",
     "SELECT id, p FROM {s} m, own WHERE EXISTS (SELECT 1 FROM (SELECT q AS x FROM own) WHERE x = a)"),
    ("a IN (SELECT q FROM own)",
     "WITH c AS (SELECT q AS x FROM own) SELECT id, p FROM {s} m, own WHERE EXISTS (FROM c WHERE x = a)"),
    ("true", "SELECT id, p FROM {s} m, own WHERE EXISTS (FROM range(3) c(x) WHERE x = a AND p > x)"),
    ("a = 1 OR (SELECT count(*) FROM u z WHERE z.a = id) = 0",
     "SELECT a FROM {s} m WHERE a = 1 OR (SELECT count(*) FROM u z WHERE z.a = id) = 0"),
)  # fmt: skip
SCANS = (
    "SELECT st.* FROM t WHERE id < 5",
    "SELECT st.*, id FROM t",
    "SELECT st.* EXCLUDE (k), id FROM t ORDER BY id LIMIT 3",
    "SELECT x.* FROM (SELECT {'one': id, 'two': a} AS x FROM t)",
    "SELECT id FROM u x WHERE EXISTS (FROM t m WHERE m.id = x.id AND m.a IN (SELECT p FROM own WHERE q > x.a))",
    "SELECT id FROM u x WHERE EXISTS (FROM t m WHERE m.id = x.id AND EXISTS (FROM u WHERE u.a = m.a AND u.id > x.a))",
    "FROM (SELECT 1 AS m) x LEFT JOIN t ON t.b SELECT t.id, x.m WHERE t.a IS NULL",
    "FROM (FROM u) x LEFT JOIN (FROM t) y USING (id) SELECT id, y.a WHERE y.a IS NULL",
    "SELECT y: a + 1, x: y * 2 FROM t WHERE x > 4 AND y < 6",
    "SELECT DISTINCT a y FROM t WHERE y > 2 ORDER BY y LIMIT 2",
    "SELECT id z FROM t ORDER BY z LIMIT 4",
    "SELECT id FROM t WHERE s.upper() = 'X' AND a.abs() > 2",
    "SELECT t.id FROM t JOIN u ON t.a.abs() = u.a.abs() WHERE t.s.upper() = 'X'",
    "SELECT x.s.upper() FROM (SELECT id, s FROM t) x WHERE x.id.abs() > 3",
)
BASES = (
    # what is searched, its columns, the filter, and the block
    ("SELECT id, a FROM t", "id, a", "a > 2", "SELECT a z, id FROM {s} m WHERE z > 2"),
    ("SELECT id AS a, a AS id FROM t", "id AS a, a AS id", "a <> 4", "SELECT a d FROM {s} m WHERE d <> 4"),
    ("SELECT id, a + id FROM t", 'id, a + id', '"(a + id)" > 20', 'SELECT * FROM {s} m WHERE "(a + id)" > 20'),
    ("SELECT id, st.k FROM t", "id, st.k", "k > 0", "SELECT id, k FROM {s} m WHERE k > 0"),
    ("SELECT * EXCLUDE (a, s), a AS s FROM t", "* EXCLUDE (a, s), a AS s", "s > 2", "SELECT id FROM {s} m WHERE s > 2"),
    ("SELECT * REPLACE (id AS a) FROM t", "* REPLACE (id AS a)", "a > 2",
     "SELECT m.id, p a FROM {s} m, own WHERE a > 2"),
    ("SELECT id, a FROM t", "id, a", "a > 1 AND id > 1", "SELECT id FROM {s} m WHERE COLUMNS(['a', 'ID']) > 1"),
    ("SELECT id, a FROM t WHERE id > 2", "id, a", "a > 1 AND id > 2",
     "SELECT id FROM {s} m WHERE COLUMNS('^(a|id)$') > 1"),
    ("SELECT * FROM t", "*", "st.k > 0 AND a > 1", "SELECT st.id FROM {s} st WHERE st.k > 0 AND st.a > 1"),
    ("SELECT id, b f FROM t", "id, b f", "EXISTS (FROM own WHERE q = id)",
     "SELECT f x FROM {s} m WHERE EXISTS (FROM own WHERE q = id)"),
    ("SELECT id, (SELECT max(u.id) FROM u WHERE u.a = x.a) AS most FROM t x",
     "id, (SELECT max(u.id) FROM u WHERE u.a = m.a) AS most", "most > 10", "SELECT * FROM {s} m WHERE most > 10"),
    ("SELECT id, a FROM t", "id, a", "EXISTS (FROM own WHERE own.q = m.a)",
     "SELECT id FROM {s} m WHERE EXISTS (FROM own WHERE own.q = m.a)"),
    ("SELECT id, a FROM t", "id, a", "a IN (SELECT q FROM own)",
     "SELECT id, p FROM {s} m, own WHERE EXISTS (SELECT 1 FROM (SELECT q AS x FROM own) WHERE x = a)"),
    ("SELECT id, a FROM t", "id, a", "true",
     "SELECT id, p FROM {s} m, own WHERE EXISTS (FROM range(3) c(x) WHERE x = a AND p > x)"),
    ("SELECT id, a FROM t", "id, a", "a > 1", "SELECT own.p, m.id FROM own LEFT JOIN {s} m ON m.a = p WHERE m.a > 1"),
    ("SELECT id, a FROM t", "id, a", "true", "SELECT m.a AS g, m.id FROM {s} m, unnest([1, 5]) z(g) WHERE g > 1"),
    ("SELECT id, a FROM t", "id, a", "true", "SELECT a AS p, id FROM {s} m, own WHERE p > 1"),
    ("SELECT id, a FROM t", "id, a", "true", "SELECT m.a AS s, m.id FROM {s} m, u WHERE s = 'x'"),
    ("SELECT id, a FROM t", "id, a", "true", "SELECT m.a AS z, m.id FROM {s} m, (SELECT p AS z FROM own) WHERE z > 1"),
    ("SELECT id, a, s FROM t", "id, a, s", "true",
     "WITH w AS (SELECT id AS i, a AS g FROM u) SELECT m.a AS g, w.i FROM {s} m, w WHERE g > 1 AND i < 4"),
    ("SELECT id, a, s FROM t", "id, a, s", "true",
     "SELECT m.s AS name, m.id FROM {s} m, pragma_table_info('own') WHERE name = 'p'"),
    ("SELECT id, a, s FROM t", "id, a, s", "true",
     "SELECT m.s AS name, m.id FROM {s} m, (FROM pragma_table_info('own')) z WHERE name = 'p'"),
    ("SELECT id, a, s FROM t", "id, a, s", "true",
     "WITH w AS (FROM pragma_table_info('own')) SELECT m.s AS name, m.id FROM {s} m, w WHERE name = 'p'"),
    ("SELECT id, a, s FROM t", "id, a, s", "s = 'x'",
     "SELECT m.s AS name, m.id FROM {s} m, pragma_table_info('own') z(n, h) WHERE name = 'x' AND h = 'p'"),
    ("SELECT id, tags FROM t", "id, tags", "len(list_filter(tags, lambda z: z = 'a')) > 0",
     "SELECT own.p, m.id FROM own LEFT JOIN {s} m ON m.id = p WHERE len(list_filter(tags, lambda z: z = 'a')) > 0"),
    ("SELECT id + 1 AS e, s AS q FROM t", "id + 1 AS e, s AS q", "q.upper() || 'q' = 'Xq'",
     "SELECT own.p, m.e FROM own LEFT JOIN {s} m ON m.e = p WHERE m.q.upper() || 'q' = 'Xq'"),
    ("SELECT id, a FROM t", "id, a", "true",
     "SELECT u.id FROM u ANTI JOIN {s} m ON u.a = m.a WHERE id % 2 = 1"),
    ("SELECT id, a FROM t", "id, a", "true",
     "SELECT own.p, m.id FROM own LEFT JOIN {s} m ON m.a = p WHERE m.a IS NULL"),
)  # fmt: skip


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    both = open_both(tmp_path_factory.mktemp("block_names"))
    with both.lance:
        yield both


@pytest.mark.parametrize(("where", "block"), SEARCHES)
def test_names_beside_a_search(both: Both, where: str, block: str) -> None:
    for k in (1, 5, 9):
        both.check(
            block.replace("{s}", f"vector_search('t', {QUERY}, k => {k})"),
            block.replace("{s}", write_out("t", k, where)),
        )


@pytest.mark.parametrize("sql", SCANS)
def test_names_beside_a_scan(both: Both, sql: str) -> None:
    both.check(sql, sql)


@pytest.mark.parametrize(("base", "columns", "where", "block"), BASES)
def test_names_beside_a_search_of_a_query(both: Both, base: str, columns: str, where: str, block: str) -> None:
    """The predicate means the columns of what is searched; the table's others are not there."""
    both.plain.execute(f"CREATE OR REPLACE TEMP TABLE base_all AS SELECT {columns}, v AS v_, _rowid AS r_ FROM t_all m")
    for k in (1, 4, 9):
        written = write_out("base", k, where).replace("v[i]", "v_[i]").replace("v IS NOT", "v_ IS NOT")
        written = written.replace("EXCLUDE (_rowid)", "EXCLUDE (r_, v_)").replace(", _rowid LIMIT", ", r_ LIMIT")
        search = f"vector_search(({base}), {QUERY}, k => {k})"
        both.check(block.replace("{s}", search), block.replace("{s}", written))


ROW_IDS = (
    "FROM own WHERE p > 0",
    "WITH c AS (FROM u WHERE _rowid >= 0) FROM c",
    "SELECT * FROM (FROM u WHERE _rowid >= 0) x",
    "SELECT id FROM t WHERE EXISTS (FROM u WHERE u.a = t.a AND u._rowid >= 0)",
    "(FROM u WHERE _rowid >= 0) UNION ALL FROM u",
)


@pytest.mark.parametrize("sql", ROW_IDS)
def test_the_star_that_from_leaves_out(both: Both, sql: str) -> None:
    both.check(sql, sql.replace("u._rowid >= 0", "true").replace("_rowid >= 0", "true"))


@pytest.mark.parametrize("columns", ["id AS i, a AS g", "* EXCLUDE (a, v), a AS g"])
def test_a_column_of_another_search_is_no_alias(both: Both, columns: str) -> None:
    one, other = (f"vector_search((SELECT {part}, v FROM t), {QUERY}, k => 4)" for part in ("id, a", columns))
    listed = f"SELECT m.a AS g, m.id, z.g AS h FROM {one} m, {other} z WHERE"
    assert both.lance.sql(f"{listed} g > 1").fetchall() == both.lance.sql(f"{listed} z.g > 1").fetchall() != []


LISTS = "WITH c AS (SELECT 'p' AS n), w AS (FROM pragma_table_info('own'), c)"


@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        (f"{LISTS} SELECT m.s AS name FROM vector_search('t', {QUERY}) m, w WHERE name = 'p'", "write w.name"),
        (f"SELECT p AS k FROM own, vector_search((SELECT st.* FROM t), {QUERY}) m WHERE k = 1", "write m.k"),
    ],
)
def test_what_cannot_be_told_is_refused(both: Both, sql: str, hint: str) -> None:
    with pytest.raises(AmbiguousNameError, match="cannot be told before the search") as caught:
        both.lance.sql(sql)
    assert hint in (caught.value.hint or "")
