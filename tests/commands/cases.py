"""For every command: statements that do it, statements that fail while they do it, and statements that make no sense.

What fails is well written and asks for something that there is: the rows, the files or the state stand in its way.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from lancesql.plan import commands as plan

__all__ = ["CASES", "SESSION", "TABLES", "Cases"]

TABLES = {
    "main": (
        "CREATE TABLE t (id BIGINT PRIMARY KEY, k INTEGER NOT NULL DEFAULT 3, s VARCHAR CHECK (s <> 'bad'), x DOUBLE)",
        "ALTER TABLE t ADD COLUMN v FLOAT[3]",
        "INSERT INTO t SELECT i, i % 7, 'text ' || i, i / 2, [i % 5, i % 3, 1] FROM range(300) r(i)",
        "CREATE INDEX i_k ON t (k) USING BTREE",
        "CREATE INDEX i_s ON t (s) USING FTS",
        "CREATE INDEX i_v ON t (v) USING IVF_FLAT WITH (num_partitions = 2)",
        "CREATE TAG first ON t AS OF VERSION 3",
        "CREATE BRANCH side ON t",
        "UPDATE t SET x = 0 WHERE id < 9",
        "DELETE FROM t WHERE id = 200",
        "CREATE TABLE u AS SELECT i AS id, 'u' || i AS s, NULL::INTEGER AS n FROM range(5) r(i)",
    ),
    "other": ("CREATE TABLE w AS SELECT 1 AS id, 'w' AS s",),
}
"""Databases, and what is in them."""
SESSION = (
    "CREATE VIEW seen AS SELECT id, s FROM t WHERE k > 3",
    "ATTACH '{folder}/other' AS other (TYPE LANCE)",
    "SET lancesql.max_rows = 100000",
)
"""What a session of `main` begins with; `{folder}` is where the databases and files of every kind lie."""


@dataclass(frozen=True)
class Cases:
    """Statements about one command."""

    done: tuple[str, ...]
    fails: tuple[str, ...]
    makes_no_sense: tuple[str, ...]


LATE = "if(i < 9000, i, error('late')::BIGINT)"
LATE_COPY = ("COPY (SELECT error('late') FROM t) TO '{folder}/out.parquet'",) if duckdb.__version__ >= "2" else ()
"""DuckDB 1 leaves a part of the file."""
CASES: dict[type, Cases] = {
    plan.AddCheck: Cases(
        ("ALTER TABLE t ADD CHECK (id >= 0)", "ALTER TABLE t ADD CONSTRAINT small CHECK (k < 9 OR s = 'big')"),
        ("ALTER TABLE t ADD CHECK (k < 3)", "ALTER TABLE t ADD CONSTRAINT t_s_check CHECK (id >= 0)"),
        (
            "ALTER TABLE t ADD CHECK (nope > 0)",
            "ALTER TABLE nope ADD CHECK (id >= 0)",
            "ALTER TABLE t ADD CHECK",
            "ALTER TABLE t ADD CONSTRAINT small",
        ),
    ),
    plan.DropCheck: Cases(
        ("ALTER TABLE t DROP CONSTRAINT t_s_check", "ALTER TABLE t DROP CONSTRAINT IF EXISTS nope"),
        ("ALTER TABLE t DROP CONSTRAINT t_pkey",),
        ("ALTER TABLE t DROP CONSTRAINT nope", "ALTER TABLE t DROP CONSTRAINT", "ALTER TABLE nope DROP CONSTRAINT c"),
    ),
    plan.AddColumn: Cases(
        (
            "ALTER TABLE t ADD COLUMN c INTEGER",
            "ALTER TABLE t ADD COLUMN d AS k + 1",
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS k INTEGER",
            "ALTER TABLE t ADD COLUMN e INTEGER NOT NULL DEFAULT 3",
        ),
        (
            "ALTER TABLE t ADD COLUMN c AS error('late')",
            "ALTER TABLE t ADD COLUMN c AS if(id < 299, id, error('late')::BIGINT)",
            "ALTER TABLE t ADD COLUMN c INTEGER DEFAULT error('late')",
            "ALTER TABLE t ADD COLUMN c INTEGER NOT NULL",
            "ALTER TABLE t ADD COLUMN c INTEGER DEFAULT 'many'",
        ),
        (
            "ALTER TABLE t ADD COLUMN k INTEGER",
            "ALTER TABLE t ADD COLUMN c NOTYPE",
            "ALTER TABLE t ADD COLUMN c AS nope + 1",
            "ALTER TABLE nope ADD COLUMN c INTEGER",
            "ALTER TABLE t ADD COLUMN",
            "ALTER TABLE t ADD COLUMN _rowid BIGINT",
        ),
    ),
    plan.AnalyzeTable: Cases(
        ("ANALYZE t", "ANALYZE t AT (BRANCH => 'side')"),
        ("ANALYZE seen",),
        ("ANALYZE nope", "ANALYZE t AT (VERSION => 3)"),
    ),
    plan.AttachDatabase: Cases(
        (
            "ATTACH '{folder}/third' AS third (TYPE LANCE)",
            "ATTACH IF NOT EXISTS '{folder}/other' AS other (TYPE LANCE)",
        ),
        (
            "ATTACH '{folder}/rows.csv' AS third (TYPE LANCE)",
            "ATTACH '{folder}/third' AS third (TYPE LANCE, READ_ONLY)",
            "ATTACH 'db://third' AS third (TYPE LANCE)",
        ),
        (
            "ATTACH '{folder}/third' AS other (TYPE LANCE)",
            "ATTACH '{folder}/third' AS third (TYPE LANCE, nope 1)",
            "ATTACH '{folder}/third' (TYPE LANCE) AS third",
            "ATTACH '{folder}/third' AS lance (TYPE LANCE)",
        ),
    ),
    plan.ChangeColumn: Cases(
        (
            "ALTER TABLE u DROP COLUMN s",
            "ALTER TABLE u RENAME n TO y",
            "ALTER TABLE t ALTER x SET NOT NULL",
            "ALTER TABLE t ALTER k DROP NOT NULL",
            "ALTER TABLE t ALTER x SET DEFAULT 1.5",
            "ALTER TABLE t ALTER k DROP DEFAULT",
        ),
        (
            "ALTER TABLE u ALTER n SET NOT NULL",
            "ALTER TABLE t RENAME x TO _distance",
        ),
        (
            "ALTER TABLE t DROP COLUMN nope",
            "ALTER TABLE t RENAME x TO k",
            "ALTER TABLE t RENAME nope TO y",
            "ALTER TABLE t ALTER nope SET NOT NULL",
            "ALTER TABLE t ALTER x SET DEFAULT nope + 1",
            "ALTER TABLE t ALTER x",
            "ALTER TABLE t NOPE x",
            "ALTER TABLE nope DROP COLUMN x",
        ),
    ),
    plan.ChangeSetting: Cases(
        ("SET lancesql.max_rows = 5", "RESET lancesql.max_rows"),
        ("SET lancesql.max_rows = -1", "SET lancesql.timeout = 'soon'"),
        ("SET lancesql.max_row = 5", "RESET lancesql.nope", "SET lancesql.max_rows ="),
    ),
    plan.ChangeType: Cases(
        (
            "ALTER TABLE t ALTER x TYPE FLOAT",
            "ALTER TABLE u ALTER n TYPE VARCHAR USING n || '!'",
        ),
        (
            "ALTER TABLE t ALTER s TYPE INTEGER",
            "ALTER TABLE u ALTER s TYPE INTEGER",
            "ALTER TABLE t ALTER x TYPE MAP(INTEGER, INTEGER)",
            "ALTER TABLE t ALTER k TYPE BIGINT",
        ),
        (
            "ALTER TABLE t ALTER x TYPE NOTYPE",
            "ALTER TABLE t ALTER nope TYPE INTEGER",
            "ALTER TABLE t ALTER x TYPE",
            "ALTER TABLE t ALTER x TYPE INTEGER USING nope + 1",
        ),
    ),
    plan.CloneTable: Cases(
        (
            "CREATE TABLE c CLONE t",
            "CREATE TABLE d SHALLOW CLONE t AT (VERSION => 2)",
            "CREATE OR REPLACE TABLE u CLONE t",
        ),
        ("CREATE TABLE u CLONE t", "CREATE TABLE c CLONE t AT (VERSION => 99)"),
        (
            "CREATE TABLE c CLONE nope",
            "CREATE TABLE c CLONE",
            "CREATE TABLE c CLONE t AT (VERSION => 'nope')",
            "CREATE TABLE c CLONE seen",
        ),
    ),
    plan.CommentOn: Cases(
        ("COMMENT ON TABLE t IS 'a table'", "COMMENT ON COLUMN t.k IS NULL"),
        ("COMMENT ON COLUMN seen.id IS 'of a view'",),
        (
            "COMMENT ON TABLE nope IS 'x'",
            "COMMENT ON COLUMN t.nope IS 'x'",
            "COMMENT ON TABLE t IS 3",
            "COMMENT ON TABLE t AT (BRANCH => 'side') IS 'x'",
            "COMMENT ON TABLE t",
        ),
    ),
    plan.CopyFromArrow: Cases(
        ("COPY t FROM '{folder}/rows.arrow' (FORMAT arrow)",),
        (
            "COPY t FROM '{folder}/nope.arrow' (FORMAT arrow)",
            "COPY t FROM '{folder}/rows.csv' (FORMAT arrow)",
            "COPY u FROM '{folder}/rows.arrow' (FORMAT arrow)",
            "COPY t FROM '{folder}/bad.arrow' (FORMAT arrow)",
        ),
        (
            "COPY nope FROM '{folder}/rows.arrow' (FORMAT arrow)",
            "COPY t (nope) FROM '{folder}/rows.arrow' (FORMAT arrow)",
            "COPY t FROM '{folder}/rows.arrow' (FORMAT arrow, nope 1)",
        ),
    ),
    plan.CopyToArrow: Cases(
        (
            "COPY t TO '{folder}/out.arrow' (FORMAT arrow)",
            "COPY (SELECT 1 AS i FROM u) TO '{folder}/out.arrow' (FORMAT arrow, COMPRESSION zstd)",
        ),
        (
            "COPY (SELECT error('late') FROM t) TO '{folder}/out.arrow' (FORMAT arrow)",
            "COPY t TO '{folder}/nope/out.arrow' (FORMAT arrow)",
        ),
        (
            "COPY nope TO '{folder}/out.arrow' (FORMAT arrow)",
            "COPY t TO '{folder}/out.arrow' (FORMAT arrow, COMPRESSION nope)",
            "COPY t TO '{folder}/out.arrow' (FORMAT nope)",
        ),
    ),
    plan.CopyToFile: Cases(
        ("COPY t TO '{folder}/out.parquet'", "COPY (FROM fts('t', s, 'text')) TO '{folder}/out.csv' (HEADER)"),
        (*LATE_COPY, "COPY t TO '{folder}/nope/out.csv'"),
        (
            "COPY nope TO '{folder}/out.csv'",
            "COPY t TO '{folder}/out.csv' (NOPE)",
            "COPY t (nope) TO '{folder}/out.csv'",
            "COPY t TO",
        ),
    ),
    plan.CreateIndex: Cases(
        (
            "CREATE INDEX ON t (x) USING BTREE",
            "CREATE OR REPLACE INDEX i_k ON t (k) USING BITMAP",
            "CREATE INDEX IF NOT EXISTS i_k ON t (k) USING BTREE",
        ),
        (
            "CREATE OR REPLACE INDEX i_v ON t (v) USING IVF_FLAT WITH (num_partitions = 1000)",
            "CREATE INDEX ON t (k) USING IVF_FLAT",
            "CREATE INDEX ON t (x) USING FTS",
            "CREATE INDEX ON t (v) USING BTREE",
        ),
        (
            "CREATE INDEX i_k ON t (x) USING BTREE",
            "CREATE INDEX ON t (nope) USING BTREE",
            "CREATE INDEX ON nope (x) USING BTREE",
            "CREATE INDEX ON t (x) USING NOPE",
            "CREATE INDEX ON t (v) USING IVF_FLAT WITH (num_partition = 2)",
            "CREATE INDEX ON t (v) USING IVF_FLAT WITH (num_partitions = 'x')",
            "CREATE INDEX ON t",
        ),
    ),
    plan.CreateReference: Cases(
        (
            "CREATE TAG other ON t AS OF VERSION 3",
            "CREATE BRANCH other ON t",
            "CREATE OR REPLACE TAG first ON t",
            "CREATE TAG IF NOT EXISTS first ON t",
        ),
        ("CREATE TAG first ON t", "CREATE BRANCH side ON t", "CREATE TAG other ON t AS OF VERSION 99"),
        (
            "CREATE TAG other ON nope",
            "CREATE TAG other ON t AS OF VERSION 'nope'",
            "CREATE TAG ON t",
            "CREATE BRANCH 'a b' ON t",
            "CREATE BRANCH main ON t",
            "CREATE TAG '.hidden' ON t",
            "CREATE BRANCH 'a..b' ON t",
            f"CREATE TAG {'x' * 300} ON t",
        ),
    ),
    plan.CreateTable: Cases(
        (
            "CREATE TABLE n AS SELECT 1 AS a",
            "CREATE OR REPLACE TABLE u AS FROM t LIMIT 2",
            "CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS a",
        ),
        (
            f"CREATE TABLE n AS SELECT {LATE} AS a FROM range(9999) r(i)",
            f"CREATE OR REPLACE TABLE t AS SELECT {LATE} AS a FROM range(9999) r(i)",
            f"CREATE OR REPLACE TABLE t AS SELECT id, {LATE} AS a FROM t, range(9999) r(i)",
            "CREATE TABLE n AS SELECT ['nan'::FLOAT, 1, 2]::FLOAT[3] AS v",
            "CREATE OR REPLACE TABLE t AS SELECT 'x'::INTEGER AS a",
        ),
        (
            "CREATE TABLE t AS SELECT 1 AS a",
            "CREATE TABLE n AS SELECT nope FROM t",
            "CREATE TABLE n AS SELECT 1 AS a, 2 AS A",
            "CREATE TABLE n AS SELECT 1 AS _rowid",
            "CREATE OR REPLACE TABLE t AS SELECT map {1: 2} AS m FROM nope",
            "CREATE TABLE n WITH (nope = 1) AS SELECT 1 AS a",
            "CREATE TABLE n AS",
            'CREATE TABLE "a/b" AS SELECT 1 AS a',
        ),
    ),
    plan.CreateView: Cases(
        ("CREATE VIEW more AS SELECT id FROM t", "CREATE OR REPLACE VIEW seen AS FROM u"),
        ("CREATE VIEW seen AS FROM u", "CREATE VIEW t AS FROM u"),
        (
            "CREATE VIEW more AS",
            "CREATE VIEW more AS SELECT id, FROM t WHERE",
            "CREATE VIEW more AS FROM fts('t', nope, 'word')",
        ),
    ),
    plan.DefineTable: Cases(
        (
            "CREATE TABLE n (a INTEGER)",
            "CREATE OR REPLACE TABLE t (a INTEGER)",
            "CREATE TABLE IF NOT EXISTS t (a INTEGER)",
        ),
        (
            "CREATE OR REPLACE TABLE t (a UNION(x INTEGER, y VARCHAR))",
            "CREATE OR REPLACE TABLE t (_rowid INTEGER)",
            'CREATE TABLE n ("a.b" INTEGER)',
        ),
        (
            "CREATE TABLE t (a INTEGER)",
            "CREATE TABLE n (a NOTYPE)",
            "CREATE TABLE n (a INTEGER, a INTEGER)",
            "CREATE TABLE n (a INTEGER CHECK (nope > 1))",
            "CREATE TABLE n (a INTEGER DEFAULT nope)",
            "CREATE TABLE n ()",
            "CREATE TABLE n (a INTEGER, FOREIGN KEY (a) REFERENCES t (id))",
        ),
    ),
    plan.DeleteRows: Cases(
        ("DELETE FROM t WHERE id < 5", "DELETE FROM t USING u WHERE t.id = u.id RETURNING t.s"),
        (
            "DELETE FROM t WHERE error('late') > id",
            "DELETE FROM t WHERE if(id < 299, true, error('late')::BOOLEAN)",
            "DELETE FROM t WHERE id < 5 RETURNING error('late')",
            "DELETE FROM t WHERE s::INTEGER = 1",
        ),
        (
            "DELETE FROM nope",
            "DELETE FROM t WHERE nope = 1",
            "DELETE FROM t WHERE id < 5 RETURNING nope",
            "DELETE FROM t USING nope WHERE true",
            "DELETE t",
            "DELETE FROM t WHERE",
        ),
    ),
    plan.DescribeTable: Cases(("DESCRIBE t",), ("DESCRIBE t AT (VERSION => 99)",), ("DESCRIBE nope",)),
    plan.DetachDatabase: Cases(("DETACH other",), ("DETACH lance",), ("DETACH nope", "DETACH")),
    plan.DiffTable: Cases(
        ("DIFF TABLE t BETWEEN VERSION 2 AND 3",),
        ("DIFF TABLE t BETWEEN VERSION 2 AND 99",),
        (
            "DIFF TABLE nope BETWEEN VERSION 1 AND 2",
            "DIFF TABLE t BETWEEN VERSION 'nope' AND 2",
            "DIFF TABLE t",
            "DIFF TABLE t BETWEEN VERSION 2",
        ),
    ),
    plan.DropIndex: Cases(
        ("DROP INDEX i_k ON t", "DROP INDEX IF EXISTS nope ON t"),
        ("DROP INDEX nope ON t",),
        ("DROP INDEX i_k ON nope", "DROP INDEX ON t"),
    ),
    plan.DropReference: Cases(
        ("DROP TAG first ON t", "DROP BRANCH side ON t", "DROP TAG IF EXISTS nope ON t"),
        ("DROP TAG nope ON t", "DROP BRANCH nope ON t", "DROP BRANCH main ON t"),
        ("DROP TAG first ON nope", "DROP TAG ON t"),
    ),
    plan.DropTable: Cases(
        ("DROP TABLE u", "DROP TABLE IF EXISTS nope"),
        ("DROP TABLE seen",),
        ("DROP TABLE nope", "DROP TABLE", "DROP TABLE u v"),
    ),
    plan.DropView: Cases(("DROP VIEW seen",), ("DROP VIEW t",), ("DROP VIEW nope", "DROP VIEW")),
    plan.Explain: Cases(
        (
            "EXPLAIN DELETE FROM t",
            "EXPLAIN ANALYZE FROM t",
            "EXPLAIN DROP TABLE t",
            "EXPLAIN CREATE OR REPLACE TABLE t AS SELECT 1 AS a",
        ),
        (
            "EXPLAIN ANALYZE SELECT error('late') FROM t",
            "EXPLAIN (RECALL) DELETE FROM t",
            "EXPLAIN DELETE FROM t WHERE s::INTEGER = 1",
        ),
        (
            "EXPLAIN FROM fts('t', nope, 'word')",
            "EXPLAIN (NOPE) FROM t",
            "EXPLAIN DROP TABLE nope",
            "EXPLAIN DROP TAG nope ON t",
            "EXPLAIN DROP BRANCH nope ON t",
            "EXPLAIN CREATE TAG first ON t",
            "EXPLAIN CREATE BRANCH side ON t",
        ),
    ),
    plan.InsertInto: Cases(
        (
            "INSERT INTO t (id, s) VALUES (900, 'new')",
            "INSERT INTO t BY NAME SELECT 901 AS id",
            "INSERT INTO u FROM u",
            "INSERT INTO t (id) SELECT 902 + i FROM range(5) r(i)",
        ),
        (
            "INSERT INTO t (id, k) VALUES (900, 1), (901, NULL)",
            "INSERT INTO t (id, s) VALUES (900, 'good'), (901, 'bad')",
            "INSERT INTO t (id, v) VALUES (900, [1, 2])",
            "INSERT INTO t (id, k) VALUES (900, 99999999999)",
            "INSERT INTO t (id, k) VALUES (900, 'many')",
            f"INSERT INTO t (id) SELECT {LATE} FROM range(9999) r(i)",
            "INSERT INTO t (id, v) VALUES (900, ['nan'::FLOAT, 1, 2])",
            "INSERT INTO t (id) VALUES (NULL)",
            "INSERT INTO u SELECT id, s, error('late') FROM u",
        ),
        (
            "INSERT INTO nope VALUES (1)",
            "INSERT INTO t (nope) VALUES (1)",
            "INSERT INTO t (id, k) VALUES (1)",
            "INSERT INTO t VALUES (1)",
            "INSERT INTO t BY NAME SELECT 1 AS nope",
            "INSERT INTO t (id, id) VALUES (1, 2)",
            "INSERT INTO t SELECT nope FROM u",
            "INSERT INTO t",
            "INSERT INTO t (id) VALUES (900) RETURNING nope",
        ),
    ),
    plan.MergeRows: Cases(
        (
            "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET s = u.s",
            "INSERT INTO t (id, s) SELECT id, s FROM u ON CONFLICT (id) DO NOTHING",
            "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE RETURNING merge_action, t.id",
        ),
        (
            "MERGE INTO t USING u ON t.id < 9 WHEN MATCHED THEN DELETE",
            "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET k = u.n",
            "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN ERROR",
            "MERGE INTO t USING u ON t.id = u.id + 900 WHEN NOT MATCHED THEN INSERT (id, s) VALUES (u.id + 900, 'bad')",
            "MERGE INTO t USING u ON t.id = u.id + 900 WHEN NOT MATCHED THEN INSERT (id) VALUES (NULL)",
            "MERGE INTO t USING u ON t.id = u.id + 900 WHEN NOT MATCHED THEN INSERT (id) VALUES (900)",
            "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET x = error('late')",
            "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE RETURNING error('late')",
            "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET s = u.s RETURNING error('late')",
            "INSERT INTO u SELECT id, s, n FROM u RETURNING error('late')",
            "INSERT INTO t (id, k) VALUES (1, 5), (900, 1) ON CONFLICT DO UPDATE SET k = 2 RETURNING error('late')",
            "INSERT INTO t (id, k) VALUES (900, 1), (900, 2) ON CONFLICT (id) DO UPDATE SET k = excluded.k",
            "INSERT INTO t (id, k) VALUES (1, 99999999999) ON CONFLICT (id) DO UPDATE SET k = excluded.k",
        ),
        (
            "MERGE INTO nope USING u ON true WHEN MATCHED THEN DELETE",
            "MERGE INTO t USING nope ON true WHEN MATCHED THEN DELETE",
            "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET nope = 1",
            "MERGE INTO t USING u ON t.nope = u.id WHEN MATCHED THEN DELETE",
            "MERGE INTO t USING u ON t.id = u.id WHEN NOT MATCHED THEN INSERT (nope) VALUES (1)",
            "MERGE INTO t USING u ON t.id = u.id",
            "INSERT INTO t (id) VALUES (1) ON CONFLICT (nope) DO NOTHING",
            "INSERT INTO t (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET nope = 1",
        ),
    ),
    plan.OptimizeTable: Cases(
        ("OPTIMIZE t",),
        ("OPTIMIZE t WITH (target_rows = 0)",),
        ("OPTIMIZE nope", "OPTIMIZE t WITH (nope = 1)", "OPTIMIZE t WITH (target_rows = 'x')"),
    ),
    plan.RefreshIndexes: Cases(
        ("REINDEX t", "ALTER INDEX i_k ON t OPTIMIZE"),
        ("REINDEX nope ON t", "ALTER INDEX nope ON t OPTIMIZE"),
        ("REINDEX nope", "REINDEX i_k ON nope", "ALTER INDEX i_k ON t NOPE"),
    ),
    plan.RenameTable: Cases(
        ("ALTER TABLE u RENAME TO z",),
        ("ALTER TABLE u RENAME TO t", "ALTER TABLE u RENAME TO seen", "ALTER TABLE t RENAME TO z"),
        ("ALTER TABLE nope RENAME TO z", 'ALTER TABLE u RENAME TO "a/b"', "ALTER TABLE u RENAME TO"),
    ),
    plan.RestoreTable: Cases(
        ("RESTORE TABLE t TO VERSION 2", "RESTORE TABLE t TO VERSION 'first'"),
        ("RESTORE TABLE t TO VERSION 99",),
        (
            "RESTORE TABLE nope TO VERSION 1",
            "RESTORE TABLE t TO VERSION 'nope'",
            "RESTORE TABLE t",
            "RESTORE TABLE t TO VERSION",
        ),
    ),
    plan.SetAutoCleanup: Cases(
        ("ALTER TABLE t SET AUTO_CLEANUP WITH (interval = 20)", "ALTER TABLE t UNSET AUTO_CLEANUP"),
        (
            "ALTER TABLE t SET AUTO_CLEANUP WITH (interval = 0)",
            "ALTER TABLE t SET AUTO_CLEANUP WITH (interval = 20, older_than = 'soon')",
        ),
        ("ALTER TABLE nope SET AUTO_CLEANUP", "ALTER TABLE t SET AUTO_CLEANUP WITH (nope = 1)"),
    ),
    plan.SetPrimaryKey: Cases(
        ("ALTER TABLE other.w ADD PRIMARY KEY (id)",),
        ("ALTER TABLE t ADD PRIMARY KEY (k)",),
        (
            "ALTER TABLE u ADD PRIMARY KEY (nope)",
            "ALTER TABLE nope ADD PRIMARY KEY (id)",
            "ALTER TABLE u ADD PRIMARY KEY",
        ),
    ),
    plan.ShowDatabases: Cases(
        ("SHOW DATABASES",), ("FROM (SHOW DATABASES) WHERE error('late') > path",), ("SHOW DATABASES nope",)
    ),
    plan.ShowEmbeddings: Cases(
        ("SHOW EMBEDDINGS",), ("FROM (SHOW EMBEDDINGS) WHERE nope = 1",), ("SHOW EMBEDDINGS nope",)
    ),
    plan.ShowHealth: Cases(
        ("SHOW HEALTH ON t", "SHOW MAINTENANCE ON t"), ("SHOW HEALTH ON seen",), ("SHOW HEALTH ON nope", "SHOW HEALTH")
    ),
    plan.ShowHistory: Cases(
        ("SHOW VERSIONS ON t", "SHOW TAGS ON t", "SHOW BRANCHES ON t"),
        ("SHOW VERSIONS ON seen",),
        ("SHOW VERSIONS ON nope", "SHOW TAGS"),
    ),
    plan.ShowConstraints: Cases(
        ("SHOW CONSTRAINTS ON t", "SHOW CONSTRAINTS ON t AT (BRANCH => 'side')"),
        ("SHOW CONSTRAINTS ON seen",),
        ("SHOW CONSTRAINTS ON nope", "SHOW CONSTRAINTS t", "SHOW CONSTRAINTS ON"),
    ),
    plan.ShowIndexes: Cases(
        ("SHOW INDEXES ON t",), ("SHOW INDEXES ON seen",), ("SHOW INDEXES ON nope", "SHOW INDEXES ON")
    ),
    plan.ShowSettings: Cases(
        ("SHOW lancesql SETTINGS", "SHOW lancesql.max_rows"), ("SHOW lancesql.nope",), ("SHOW lancesql NOPE",)
    ),
    plan.ShowTables: Cases(
        ("SHOW TABLES", "SHOW TABLES FROM other"), ("SHOW TABLES FROM nope",), ("SHOW TABLES FROM",)
    ),
    plan.TruncateTable: Cases(
        ("TRUNCATE t", "DELETE FROM u"), ("TRUNCATE seen",), ("TRUNCATE nope", "TRUNCATE", "TRUNCATE t u")
    ),
    plan.UpdateRows: Cases(
        ("UPDATE t SET x = id WHERE k = 3", "UPDATE t SET s = u.s FROM u WHERE t.id = u.id RETURNING t.s"),
        (
            "UPDATE t SET k = NULL WHERE id = 299",
            "UPDATE t SET s = 'bad' WHERE id = 299",
            "UPDATE t SET v = [1, 2]",
            "UPDATE t SET v = ['nan'::FLOAT, 1, 2]",
            "UPDATE t SET k = 99999999999",
            "UPDATE t SET k = 'many'",
            "UPDATE t SET x = if(id < 299, 1, error('late')::INTEGER)",
            "UPDATE t SET x = 1 RETURNING error('late')",
            "UPDATE t SET x = 1 FROM u",
            "UPDATE t SET id = NULL WHERE id = 4",
        ),
        (
            "UPDATE nope SET x = 1",
            "UPDATE t SET nope = 1",
            "UPDATE t SET x = nope",
            "UPDATE t SET x = 1 WHERE nope = 1",
            "UPDATE t SET x = 1 RETURNING nope",
            "UPDATE t SET x = 1, x = 2",
            "UPDATE t SET",
            "UPDATE t SET x = 1 FROM nope",
        ),
    ),
    plan.UseDatabase: Cases(("USE other", "USE lance"), ("USE nope",), ("USE",)),
    plan.VacuumTable: Cases(
        ("VACUUM t", "VACUUM t OLDER THAN '0 seconds'", "VACUUM t RETAIN 1 VERSIONS"),
        ("VACUUM t OLDER THAN 'soon'", "VACUUM t RETAIN 0 VERSIONS"),
        ("VACUUM nope OLDER THAN '1 day'", "VACUUM t OLDER THAN", "VACUUM t WITH (nope = 1)"),
    ),
}
