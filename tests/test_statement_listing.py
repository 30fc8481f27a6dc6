"""Every statement in the words of DuckDB, of its Lance extension, of pgvector, Spark and BigQuery means the same."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lance
import pytest

import lancesql

TABLE = """
CREATE TABLE t AS SELECT i AS id, 'word ' || i AS text, i % 3 AS kind, [sin(i), cos(i), i / 9, 1]::FLOAT[4] AS vec
FROM range(60) AS r(i)
"""
# The first of each group says what the others mean. What lies at 'path' is the table itself.
GROUPS: tuple[tuple[str, ...], ...] = (
    (
        "SELECT count(*) FROM t AT (VERSION => 1)",
        "SELECT count(*) FROM t AT (VERSION => 'first')",
        "SELECT count(*) FROM t AT (TAG => 'first')",
        "SELECT count(*) FROM t VERSION AS OF 1",
        "SELECT count(*) FROM t FOR VERSION AS OF 1",
        "SELECT count(*) FROM t FOR SYSTEM_VERSION AS OF 1",
        "SELECT count(*) FROM t VERSION AS OF 'first'",
        "SELECT count(*) FROM lance.t VERSION AS OF 1",
        "SELECT count(*) FROM 'path' VERSION AS OF 1",
        "SELECT count(*) FROM 'path' AT (VERSION => 1)",
        "SELECT count(*) FROM ns.t AT (VERSION => 1)",
        "SELECT count(*) FROM ns.main.t AT (VERSION => 1)",
    ),
    (
        "SELECT count(*) FROM t",
        "SELECT count(*) FROM t AT (TIMESTAMP => '2300-01-01')",
        "SELECT count(*) FROM t AT (TIMESTAMP => TIMESTAMP '2300-01-01')",
        "SELECT count(*) FROM t AT (TIMESTAMP => now() + INTERVAL '1 day')",
        "SELECT count(*) FROM t TIMESTAMP AS OF '2300-01-01 10:30:00'",
        "SELECT count(*) FROM t TIMESTAMP AS OF 10413792000000000",
        "SELECT count(*) FROM t TIMESTAMP AS OF now()",
        "SELECT count(*) FROM t FOR TIMESTAMP AS OF current_timestamp",
        "SELECT count(*) FROM t FOR SYSTEM_TIME AS OF (now() - INTERVAL '0 days')",
        "SELECT count(*) FROM 'path'",
        "SELECT count(*) FROM ns.t",
    ),
    (
        "SELECT count(*) FROM t AT (VERSION => 1)",
        "ATTACH 'db' AS old (TYPE LANCE, VERSION 1); SELECT count(*) FROM old.t",
        "ATTACH 'db' AS old (TYPE LANCE, TAG 'first', READ_ONLY); SELECT count(*) FROM old.main.t",
    ),
    ("SHOW VERSIONS ON t", "SHOW VERSIONS FROM t", "SHOW VERSIONS IN t", "SHOW VERSIONS ON 'path'"),
    ("SHOW TAGS ON t", "SHOW TAGS FROM t", "SHOW TAGS IN lance.t"),
    ("SHOW BRANCHES ON t", "SHOW BRANCHES FROM t", "SHOW BRANCHES IN t"),
    (
        "CREATE TAG x ON t AS OF VERSION 1",
        "ALTER TABLE t CREATE TAG x AS OF VERSION 1",
        "ALTER TABLE t CREATE TAG IF NOT EXISTS x AS OF VERSION 1",
        "ALTER TABLE t CREATE TAG x AS OF TAG first",
        "ALTER TABLE t CREATE TAG x AS OF 1",
        "ALTER TABLE 'path' CREATE TAG x AS OF VERSION 1",
    ),
    (
        "CREATE TAG x ON t AS OF BRANCH side",
        "ALTER TABLE t CREATE TAG x AS OF BRANCH side",
        "ALTER TABLE t CREATE TAG x AS OF BRANCH side VERSION 2",
        "ALTER TABLE t CREATE TAG x AS OF BRANCH 'side' VERSION 2",
    ),
    (
        "CREATE BRANCH x ON t AS OF VERSION 1",
        "ALTER TABLE t CREATE BRANCH x AS OF VERSION 1",
        "ALTER TABLE t CREATE BRANCH IF NOT EXISTS x AS OF VERSION 1",
        "ALTER TABLE t CREATE BRANCH x AS OF TAG first",
    ),
    ("CREATE BRANCH x ON t", "ALTER TABLE t CREATE BRANCH x"),
    ("DROP TAG first ON t", "ALTER TABLE t DROP TAG first", "ALTER TABLE t DROP TAG IF EXISTS first"),
    ("DROP BRANCH side ON t", "ALTER TABLE t DROP BRANCH side", "ALTER TABLE t DROP BRANCH IF EXISTS side"),
    (
        "RESTORE TABLE t TO VERSION 1",
        "RESTORE TABLE t TO VERSION AS OF 1",
        "RESTORE TABLE t TO TAG 'first'",
        "RESTORE t TO VERSION 1",
        "RESTORE TABLE 'path' TO 1",
    ),
    (
        "CREATE TABLE c CLONE t AT 1",
        "CREATE TABLE c CLONE t AT TAG 'first'",
        "CREATE TABLE c CLONE t AT (VERSION => 1)",
        "CREATE TABLE c DEEP CLONE t VERSION AS OF 1",
    ),
    ("CREATE TABLE c CLONE t", "CREATE TABLE c CLONE t AT TIMESTAMP '2300-01-01'", "CREATE TABLE c CLONE 'path'"),
    (
        "OPTIMIZE t WITH (target_rows = 500)",
        "OPTIMIZE t WITH (target_rows_per_fragment = 500)",
        "OPTIMIZE TABLE t WITH (target_rows = 500, max_rows_per_group = 1024, materialize_deletions = true)",
        "OPTIMIZE ns.t WITH (target_rows = 500, num_threads = 1, batch_size = 64, defer_index_remap = false)",
        "OPTIMIZE 'path' WITH (target_rows_per_fragment = 500, materialize_deletions_threshold = 0.1)",
        "OPTIMIZE t WITH (target_rows = 500, max_bytes_per_file = 1000000000, max_source_fragments = 100)",
    ),
    (
        "VACUUM t OLDER THAN '14 days'",
        "VACUUM t",
        "VACUUM LANCE t",
        "VACUUM LANCE 'path' WITH (older_than_seconds = 1209600, delete_unverified = false)",
        "VACUUM t WITH (older_than = '14 days')",
        "VACUUM t WITH (older_than = '14d', error_if_tagged_old_versions = true)",
        "VACUUM t WITH (before_timestamp_millis = 1704067200000)",
        "VACUUM ns.t OLDER THAN INTERVAL 14 DAYS",
    ),
    (
        "VACUUM t RETAIN 2 VERSIONS",
        "VACUUM t WITH (retain_versions = 2)",
        "VACUUM LANCE t WITH (retain_n_versions = 2)",
    ),
    ("VACUUM t WITH (before_version = 2)", "VACUUM LANCE 'path' WITH (before_version = 2)"),
    (
        "ALTER TABLE t SET AUTO_CLEANUP WITH (interval = 1, older_than = '1 hour', retain_versions = 3)",
        "ALTER TABLE 'path' SET AUTO_CLEANUP WITH (interval = 1, older_than = '1h', retain_n_versions = 3)",
        "ALTER TABLE t SET AUTO_CLEANUP (interval = 1, older_than = '60 minutes', retain_versions = 3)",
    ),
    ("ALTER TABLE t UNSET AUTO_CLEANUP", "ALTER TABLE 'path' UNSET AUTO_CLEANUP"),
    ("SHOW MAINTENANCE ON t", "SHOW MAINTENANCE FROM t", "SHOW MAINTENANCE ON 'path'"),
    ("SHOW HEALTH ON t", "SHOW HEALTH FROM t", "SHOW HEALTH ON ns.t"),
    ("TRUNCATE t", "TRUNCATE TABLE t", "DELETE FROM t", "TRUNCATE TABLE ns.main.t"),
    (
        "INSERT INTO t (id, kind) VALUES (7, 1) RETURNING id, kind",
        "INSERT INTO ns.main.t (id, kind) SELECT 7, 1 RETURNING id, kind",
        "INSERT INTO t BY NAME SELECT 1 AS kind, 7 AS id RETURNING id, kind",
    ),
    (
        "UPDATE t SET text = NULL WHERE id = 2 RETURNING id",
        "UPDATE ns.main.t SET text = DEFAULT WHERE id = 2 RETURNING id",
        "UPDATE t SET text = s.text FROM (SELECT 2 AS key, NULL AS text) s WHERE t.id = s.key RETURNING id",
    ),
    (
        "DELETE FROM t WHERE id = 2 RETURNING id",
        "DELETE FROM ns.main.t WHERE id <= 2 AND id > 1 RETURNING id",
        "DELETE FROM t USING (SELECT 2 AS key) s WHERE t.id = s.key RETURNING id",
    ),
    (
        "MERGE INTO t USING (SELECT 2 AS id) s ON t.id = s.id WHEN MATCHED THEN DELETE RETURNING merge_action, id",
        "MERGE INTO ns.t t USING (VALUES (2)) s(id) USING (id) WHEN MATCHED THEN DELETE RETURNING merge_action, id",
    ),
    (
        "COPY t TO 'out.lance' (FORMAT lance)",
        "COPY t TO 'out.lance' (FORMAT lance, mode 'create')",
        "COPY (SELECT * FROM t) TO 'out.lance' (FORMAT lance, mode 'overwrite')",
        "COPY (SELECT * FROM ns.t) TO 'out.lance' (FORMAT lance, OVERWRITE)",
    ),
    (
        "ALTER TABLE t ADD COLUMN n INTEGER DEFAULT 7",
        "ALTER TABLE t ADD n INTEGER DEFAULT 7",
        "ALTER TABLE ns.main.t ADD COLUMN IF NOT EXISTS n INTEGER DEFAULT 7",
    ),
    (
        "ALTER TABLE t ADD COLUMN n AS id + 1",
        "ALTER TABLE t ADD n AS (id + 1)",
        "ALTER TABLE ns.main.t ADD COLUMN n AS id + 1",
    ),
    ("ALTER TABLE t DROP COLUMN kind", "ALTER TABLE t DROP kind", "ALTER TABLE t DROP COLUMN IF EXISTS kind"),
    ("ALTER TABLE t RENAME COLUMN kind TO sort", "ALTER TABLE ns.main.t RENAME kind TO sort"),
    (
        "ALTER TABLE t ALTER COLUMN kind TYPE INTEGER",
        "ALTER TABLE t ALTER kind TYPE INTEGER",
        "ALTER TABLE ns.main.t ALTER COLUMN kind SET DATA TYPE INTEGER",
    ),
    (
        "ALTER TABLE keyed SET UNENFORCED PRIMARY KEY (id, kind)",
        "ALTER TABLE keyed ADD PRIMARY KEY (id, kind)",
        "ALTER TABLE keyed ADD CONSTRAINT one_of PRIMARY KEY (id, kind)",
    ),
    ("COMMENT ON TABLE t IS 'all'", "COMMENT ON TABLE ns.main.t IS 'all'"),
    ("COMMENT ON COLUMN t.id IS 'which'", "COMMENT ON COLUMN ns.main.t.id IS 'which'"),
    ("DROP TABLE t", "DROP TABLE IF EXISTS ns.main.t"),
    (
        "CREATE INDEX one ON t (vec) USING IVF_FLAT WITH (metric = 'cosine', num_partitions = 2)",
        "CREATE OR REPLACE INDEX one ON 'path' (vec) USING IVF_FLAT WITH (metric_type = 'cosine', num_partitions = 2)",
        "CREATE INDEX IF NOT EXISTS one ON ns.main.t (vec) USING IVF_FLAT WITH (distance_type = 'cosine', lists = 2)",
        "CREATE INDEX one ON t USING ivfflat (vec vector_cosine_ops) WITH (lists = 2)",
        "ALTER TABLE t CREATE INDEX one USING ivf_flat (vec) WITH (metric = 'cosine', num_partitions = 2)",
        "CREATE VECTOR INDEX one ON t(vec) OPTIONS (index_type = 'IVF', distance_type = 'COSINE', num_lists = 2)",
    ),
    (
        "CREATE INDEX one ON t (vec) USING IVF_HNSW_SQ WITH (metric = 'cosine', m = 16)",
        "CREATE INDEX one ON t USING hnsw (vec vector_cosine_ops) WITH (m=16)",
    ),
    (
        "CREATE INDEX one ON t USING FTS (text)",
        "CREATE INDEX one ON t (text) USING INVERTED",
        "ALTER TABLE t CREATE INDEX one USING fts (text) WITH (with_position = true)",
    ),
    ("DROP INDEX words ON t", "DROP INDEX IF EXISTS words ON t", "DROP INDEX t.words", "DROP INDEX words ON 'path'"),
    ("SHOW CONSTRAINTS ON t", "SHOW CONSTRAINTS FROM t", "SHOW CONSTRAINTS IN lance.t", "SHOW CONSTRAINTS ON 'path'"),
    ("SHOW INDEXES ON t", "SHOW INDEXES FROM t", "SHOW INDEXES IN t", "SHOW INDEXES ON 'path'"),
    (
        "ALTER INDEX words ON t OPTIMIZE",
        "ALTER INDEX words ON t OPTIMIZE WITH (mode = 'append')",
        "ALTER TABLE t OPTIMIZE INDEX words",
    ),
    ("REINDEX words ON t", "ALTER TABLE t OPTIMIZE INDEX words WITH (retrain=true)", "REINDEX t"),
    (
        "EXPLAIN SELECT id FROM t WHERE id = 3",
        "EXPLAIN (FORMAT TEXT) SELECT id FROM t WHERE id = 3",
        "EXPLAIN (ANALYZE false) SELECT id FROM t WHERE id = 3",
    ),
)
_PASSING = {"milliseconds", "timestamp", "created", "age", "build_seconds", "detail", "defaults", "size_bytes"}
_MADE_ANEW = {"created_at", "updated_at", "create_at", "branch_identifier", "manifest_size"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("listing") / "db"
    with lancesql.connect(folder) as db:
        db.execute(TABLE)
        db.execute("CREATE INDEX words ON t (text) USING FTS")
        db.execute("INSERT INTO t SELECT id + 1000, text, kind, vec FROM t WHERE id < 5")
        db.execute("DELETE FROM t WHERE id = 9")
        db.execute("CREATE TAG first ON t AS OF VERSION 1")
        db.execute("CREATE BRANCH side ON t AS OF VERSION 2")
        db.execute("CREATE TABLE keyed (id BIGINT NOT NULL, kind INTEGER NOT NULL)")
        db.execute("INSERT INTO keyed VALUES (1, 1), (1, 2)")
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    numbers = iter(range(100))

    def run_on_a_copy(sql: str) -> dict[str, Any]:
        folder = tmp_path / f"copy_{next(numbers)}"
        shutil.copytree(made, folder / "db")
        monkeypatch.chdir(folder)
        with lancesql.connect("db") as db:
            if "ns." in sql:
                db.execute("ATTACH 'db' AS ns (TYPE LANCE)")
            answer = db.sql(sql.replace("'path'", "'db/t.lance'")).to_arrow().to_pylist()
        return {"answer": [_leave_out(row) for row in answer], **_look()}

    yield run_on_a_copy
    monkeypatch.undo()


def _leave_out(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what differs from one run to the next, or is the name of the table as the statement spells it."""
    return {
        name: value.removeprefix("ns.").replace("db/t.lance", "t") if isinstance(value, str) else value
        for name, value in row.items()
        if name not in _PASSING
    }


def _look() -> dict[str, Any]:
    """All that there is of the tables."""
    seen = {}
    for path in [*sorted(Path("db").glob("*.lance")), *Path().glob("out.lance")]:
        dataset: Any = lance.dataset(path)
        seen[path.name] = {
            "rows": dataset.to_table().sort_by("id").to_pylist()
            if "id" in dataset.schema.names
            else dataset.count_rows(),
            "schema": [(field, field.metadata) for field in dataset.schema],
            "metadata": dataset.schema.metadata,
            "versions": len(dataset.versions()),
            "config": dataset.config(),
            "indexes": [(one.name, one.index_type, one.field_names) for one in dataset.describe_indices()],
            **{
                what: {
                    name: {key: value for key, value in one.items() if key not in _MADE_ANEW}
                    for name, one in getattr(dataset, what).list().items()
                }
                for what in ("tags", "branches")
            },
        }
    return seen


@pytest.mark.parametrize("group", GROUPS, ids=[group[0][:60] for group in GROUPS])
def test_spellings(run: Any, group: tuple[str, ...]) -> None:
    meant = run(group[0])
    for other in group[1:]:
        assert run(other) == meant, other
