"""Any sequence of statements leaves a table of Lance as DuckDB's, in every version; what fails leaves it alone."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import lancesql

from .conftest import DIFFERENTIAL, NIGHTLY, scaled
from .table_life import BASE, PREDICATES, WORDS, Column, TableLife

IDS = st.one_of(st.integers(0, 20), st.none())
NUMBERS = st.one_of(st.integers(-3, 20), st.none())
TEXTS = st.sampled_from([None, "", "a", "b", "ü", "l'été", "<long>", "a%b_c\\", "line\nline", "NULL"])
FLOATS = st.sampled_from([None, 0.0, -0.0, 1.5, -2.25, 1e300, math.inf, math.nan])
VECTORS = st.one_of(st.none(), st.lists(st.sampled_from([0.0, 0.5, 1.0, -2.0, 3.25]), min_size=3, max_size=3))
PROSE = st.one_of(st.none(), st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join), st.just("<gold>"))
ROWS = st.lists(st.tuples(IDS, NUMBERS, TEXTS, FLOATS, VECTORS, PROSE), min_size=1, max_size=6)
CONDITIONS = st.sampled_from(PREDICATES)
ASSIGNMENTS = st.sampled_from(
    [
        "k = k + 1",
        "k = NULL",
        "k = DEFAULT",
        "s = upper(s)",
        "s = s || 'x'",
        "x = x / 2",
        "x = 'NaN'",
        "txt = 'gold zink'",
        "v = [id, 1, k]",
        "v = NULL",
        "id = id + 1",
        "id = k, k = id",
        "k = (SELECT count(*) FROM t)",
        "k = 2000000000 + id",
        "s = k::VARCHAR, x = k",
    ]
)
INSERT_ID = "WHEN NOT MATCHED THEN INSERT (id) VALUES (n.id)"
WHENS = st.sampled_from(
    [
        "WHEN MATCHED THEN UPDATE SET s = n.s, k = t.k + 1",
        "WHEN MATCHED THEN DELETE",
        "WHEN NOT MATCHED THEN INSERT (id, k, s) VALUES (n.id, n.k, n.s)",
        f"WHEN MATCHED AND n.k > 5 THEN DELETE WHEN MATCHED THEN UPDATE SET k = n.k {INSERT_ID}",
        "WHEN NOT MATCHED BY SOURCE AND t.id > 9 THEN DELETE WHEN MATCHED THEN DO NOTHING",
        "WHEN NOT MATCHED BY SOURCE THEN UPDATE SET k = -1 WHEN NOT MATCHED THEN INSERT BY NAME",
        "WHEN MATCHED THEN UPDATE SET s = n.s WHEN NOT MATCHED THEN INSERT BY NAME",
    ]
)
ADDED = ["INTEGER", "INTEGER DEFAULT 3", "VARCHAR DEFAULT 'new'", "BIGINT NOT NULL DEFAULT 4", "k + 1", "s || '!'"]
SOURCES = [
    "src",
    "(SELECT DISTINCT ON (id) id, k, s FROM t WHERE id < 9 ORDER BY id, k, s)",
    "(FROM src WHERE k > 8 AND id > 0)",
]
INDEXES = st.sampled_from(
    [
        ("id", "BTREE"),
        ("k", "BTREE"),
        ("s", "BTREE"),
        ("x", "BTREE"),
        ("k", "BITMAP"),
        ("s", "BITMAP"),
        ("id", "ZONEMAP"),
        ("x", "ZONEMAP"),
        ("s", "BLOOMFILTER"),
        ("k", "BLOOMFILTER"),
        ("s", "NGRAM"),
        ("txt", "FTS"),
        ("txt", "FTS"),
        ("v", "IVF_FLAT"),
        ("v", "IVF_FLAT"),
        ("v", "IVF_SQ"),
        ("v", "IVF_HNSW_SQ"),
    ]
)
BAD = st.sampled_from(
    [
        "INSERT INTO t (id, v) VALUES (1, [1, 2])",
        "INSERT INTO t (id, k) VALUES (1, 1), (2, 'many')",
        "INSERT INTO t (id, k) VALUES (1, 99999999999)",
        "INSERT INTO t (id, nope) VALUES (1, 2)",
        "INSERT INTO t (id, k) SELECT i, CASE WHEN i < 4000 THEN i ELSE error('late') END FROM range(5000) r(i)",
        "INSERT INTO t (id) SELECT id, k FROM t",
        "UPDATE t SET nope = 1",
        "DELETE FROM t WHERE nope = 1",
        "DELETE FROM t RETURNING nope",
        "DELETE FROM nope",
        "TRUNCATE nope",
        "MERGE INTO t USING src ON t.id = src.id WHEN NOT MATCHED THEN INSERT (id, v) VALUES (src.id + 900, [1])",
        "MERGE INTO t USING src ON t.id = src.id WHEN MATCHED THEN UPDATE SET nope = 1",
        "ALTER TABLE t ADD COLUMN k INTEGER",
        "ALTER TABLE t ADD COLUMN bad AS nope + 1",
        "ALTER TABLE t DROP COLUMN nope",
        "ALTER TABLE t RENAME k TO id",
        "ALTER TABLE t ADD COLUMN bad NOTYPE",
        "ALTER TABLE t ALTER nope SET NOT NULL",
        "CREATE INDEX ON t (nope) USING BTREE",
        "CREATE INDEX ON t (k) USING IVF_FLAT",
        "CREATE INDEX ON t (v) USING IVF_FLAT WITH (nope = 1)",
        "DROP INDEX nope ON t",
        "REINDEX nope ON t",
        "RESTORE TABLE t TO VERSION 99999",
        "RESTORE TABLE t TO VERSION 'nope'",
        "DROP TAG nope ON t",
        "DROP BRANCH nope ON t",
        "CREATE TAG later ON t AS OF VERSION 99999",
        "OPTIMIZE t WITH (nope = 1)",
        "VACUUM t OLDER THAN 'nope'",
        "CREATE TABLE t AS SELECT 1 AS id",
        "CREATE OR REPLACE TABLE t AS SELECT error('no') AS id",
        "CREATE OR REPLACE TABLE t AS SELECT if(i < 9000, i, error('late')::INT) AS id FROM range(9999) r(i)",
        "CREATE OR REPLACE TABLE t AS SELECT 1 AS a, 2 AS A",
        "INSERT INTO t VALUES (1)",
        "SELECT * FROM t AT (VERSION => 99999)",
    ]
)


BAD_VALUES = st.sampled_from(
    [
        "UPDATE t SET v = [1, 2, 3, 4]",
        "UPDATE t SET k = 1 RETURNING error('late')",
        "UPDATE t SET k = 'many'",
        "UPDATE t SET k = 99999999999",
        "UPDATE t SET s = error('no')",
        "DELETE FROM t RETURNING error('late')",
        "MERGE INTO t USING src ON t.k > -9 OR t.k IS NULL WHEN MATCHED THEN DELETE",
        "ALTER TABLE t ADD COLUMN bad AS error('no')",
        "MERGE INTO t USING src ON t.id = src.id WHEN NOT MATCHED BY SOURCE THEN ERROR WHEN MATCHED THEN ERROR",
    ]
)


def write_value(value: object) -> str:
    if value is None:
        return "NULL"
    if value in ("<long>", "<gold>"):
        return f"repeat('{str(value)[1:-1]} ', 700)"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]::FLOAT[3]"
    return f"'{value}'::DOUBLE" if isinstance(value, float) else str(value)


def write_rows(rows: list[tuple[object, ...]]) -> str:
    return ", ".join(f"({', '.join(map(write_value, row))})" for row in rows)


class TableLifeMachine(RuleBasedStateMachine):
    """Each rule is one statement; the rows, the counts, the searches and the old versions are compared behind it."""

    life: TableLife

    @initialize(seed=st.integers(0, 10**6), kind=st.sampled_from(["query", "query", "defined", "keyed"]), rows=ROWS)
    def create(self, seed: int, kind: str, rows: list[tuple[object, ...]]) -> None:
        self.life = life = TableLife(seed)
        self.added = 0
        if kind == "query":
            life.define(BASE, None, key=False)
            life.model.execute(f"INSERT INTO t VALUES {write_rows(rows)}")
            values = f"(VALUES {write_rows(rows)}) r(id, k, s, x, v, txt)"
            casts = ", ".join(f"{one.name}::{one.type} AS {one.name}" for one in BASE)
            life.begin(f"CREATE TABLE t AS SELECT {casts} FROM {values}")
            return
        columns = (replace(BASE[0], required=kind == "keyed"), replace(BASE[1], default="7"), *BASE[2:])
        definition = life.define(columns, "k < 1000000000", key=kind == "keyed")
        life.begin(f"CREATE TABLE t ({definition})")
        self.insert(rows)

    def teardown(self) -> None:
        if hasattr(self, "life"):
            self.life.close()

    @invariant()
    def same(self) -> None:
        if hasattr(self, "life"):
            self.life.compare()

    # Rows come.

    @rule(rows=ROWS)
    def insert(self, rows: list[tuple[object, ...]]) -> None:
        self.life.change(f"INSERT INTO t (id, k, s, x, v, txt) VALUES {write_rows(rows)}")

    @rule(where=CONDITIONS)
    def insert_own_rows(self, where: str) -> None:
        if self._is_small():
            self.life.change(f"INSERT INTO t SELECT * FROM t WHERE {where}")

    @rule(many=st.sampled_from([3, 40, 300]))
    def insert_by_name(self, many: int) -> None:
        if self._is_small():
            self.life.change(
                "INSERT INTO t BY NAME SELECT 'gold ' || i AS txt, i % 25 AS id, [i % 7, i % 5, 1]::FLOAT[3] AS v"
                f" FROM range({many}) r(i)"
            )

    @rule()
    def insert_defaults(self) -> None:
        self.life.change("INSERT INTO t DEFAULT VALUES")

    @rule(
        rows=ROWS,
        update=st.sampled_from(["DO NOTHING", "DO UPDATE SET s = excluded.s", "DO UPDATE SET k = k + 1, x = 0.5"]),
    )
    def insert_on_conflict(self, rows: list[tuple[object, ...]], update: str) -> None:
        given = f"(VALUES {write_rows([row[:3] for row in rows])}) n(id, k, s)"
        when = (
            ""
            if update == "DO NOTHING"
            else f"WHEN MATCHED THEN {update[3:].replace('excluded', 'n').replace('= k', '= t.k')} "
        )
        twice = self._ask_twice(given) if when else "false"
        self.life.change(
            f"INSERT INTO t (id, k, s) SELECT * FROM {given} ON CONFLICT (id) {update}",
            f"MERGE INTO t USING {given} ON t.id = n.id {when}"
            "WHEN NOT MATCHED THEN INSERT (id, k, s) VALUES (n.id, n.k, n.s)",
            refused_when=f"({twice}) OR ({self._ask_bad_keys(given)})",
        )

    # Rows change and go.

    @rule(assignment=ASSIGNMENTS, where=CONDITIONS, returning=st.booleans())
    def update(self, assignment: str, where: str, returning: bool) -> None:
        ending = " RETURNING id, k, s" if returning else ""
        self.life.change(f"UPDATE t SET {assignment} WHERE {where}{ending}")

    @rule(where=st.sampled_from(["src.k > 5", "true", "t.k IS NULL OR src.s = 'one'", "src.id <> 2"]))
    def update_from(self, where: str) -> None:
        self.life.change(
            f"UPDATE t SET s = src.s, v = src.v FROM src WHERE t.id = src.id AND ({where})",
            refused_when=f"SELECT count(*) > count(DISTINCT t.rowid) FROM t, src WHERE t.id = src.id AND ({where})",
        )

    @rule(where=CONDITIONS)
    def delete(self, where: str) -> None:
        self.life.change(f"DELETE FROM t WHERE {where}")

    @rule(where=st.sampled_from(["src.k > 5", "true", "t.k = src.k"]))
    def delete_using(self, where: str) -> None:
        self.life.change(f"DELETE FROM t USING src WHERE t.id = src.id AND ({where}) RETURNING t.id, t.k")

    @rule()
    def truncate(self) -> None:
        self.life.change("TRUNCATE t")

    @rule(
        whens=WHENS,
        source=st.one_of(
            st.sampled_from(SOURCES),
            ROWS.map(lambda rows: f"(SELECT * FROM (VALUES {write_rows([row[:3] for row in rows])}) r(id, k, s))"),
        ),
    )  # fmt: skip
    def merge(self, whens: str, source: str) -> None:
        if "BY NAME" in whens and source == "src":
            source = "(SELECT id, k, s FROM src)"
        given = f"{source} n"
        twice = self._ask_twice(given) if "WHEN MATCHED" in whens and "DO NOTHING" not in whens else "false"
        bad = self._ask_bad_keys(given) if "WHEN NOT MATCHED THEN" in whens else "false"
        self.life.change(f"MERGE INTO t USING {given} ON t.id = n.id {whens}", refused_when=f"({twice}) OR ({bad})")

    # The columns.

    @rule(
        kind=st.sampled_from(ADDED)
    )  # fmt: skip
    def add_column(self, kind: str) -> None:
        if len(self.life.columns) > 9:
            return
        self.added += 1
        name = f"c{self.added}"
        if kind[0].isupper():
            type_, _, rest = kind.partition(" ")
            model = f"ALTER TABLE t ADD COLUMN {name} {type_}" + (f" DEFAULT {rest.split()[-1]}" if rest else "")
            model += f"; ALTER TABLE t ALTER {name} SET NOT NULL" if "NOT NULL" in kind else ""
            column = Column(name, type_, "NOT NULL" in kind, rest.split()[-1] if rest else None)
            done = self.life.change(f"ALTER TABLE t ADD COLUMN {name} {kind}", model)
        else:
            type_ = "INTEGER" if kind == "k + 1" else "VARCHAR"
            column = Column(name, type_)
            model = f"ALTER TABLE t ADD COLUMN {name} {type_}; UPDATE t SET {name} = {kind}"
            done = self.life.change(f"ALTER TABLE t ADD COLUMN {name} AS {kind}", model)
        if done:
            self.life.columns += (column,)
            self.life.record()

    @rule(data=st.data())
    @precondition(lambda self: len(self.life.columns) > len(BASE))
    def drop_column(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.life.names()[len(BASE) :]))
        if self.life.change(f"ALTER TABLE t DROP COLUMN {name}"):
            self.life.columns = tuple(one for one in self.life.columns if one.name != name)
            self.life.record()

    @rule(data=st.data())
    @precondition(lambda self: len(self.life.columns) > len(BASE))
    def rename_column(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.life.names()[len(BASE) :]))
        self.added += 1
        if self.life.change(f"ALTER TABLE t RENAME {name} TO r{self.added}"):
            self.life.rename_column(name, f"r{self.added}")
            self.life.record()

    @rule(data=st.data(), type_=st.sampled_from(["BIGINT", "DOUBLE", "VARCHAR", "SMALLINT", "BOOLEAN"]))
    @precondition(lambda self: len(self.life.columns) > len(BASE))
    def change_type(self, data: st.DataObject, type_: str) -> None:
        column = data.draw(st.sampled_from(self.life.columns[len(BASE) :]))
        if not column.default and self.life.change(f"ALTER TABLE t ALTER {column.name} TYPE {type_}"):
            changed = replace(column, type=type_)
            self.life.columns = tuple(changed if one is column else one for one in self.life.columns)
            self.life.record()

    @rule(name=st.sampled_from(["id", "k", "s", "x", "txt", "v"]), cascade=st.booleans())
    def rewrite_column(self, name: str, cascade: bool) -> None:
        type_ = next(one.type for one in self.life.columns if one.name == name)
        statement = f"ALTER TABLE t ALTER {name} TYPE {type_} USING {name}"
        indexed = any(column == name for column, _ in self.life.indexes.values())
        if indexed and not cascade:
            self.life.refuse(statement)
        else:
            self.life.keep(f"{statement}{' CASCADE' if cascade else ''}")
            assert self.life.read_indexes() == self.life.indexes

    @rule(name=st.sampled_from(["k", "s", "x", "txt", "v"]), required=st.booleans())
    def require(self, name: str, required: bool) -> None:
        if self.life.change(f"ALTER TABLE t ALTER {name} {'SET' if required else 'DROP'} NOT NULL"):
            self.life.columns = tuple(
                replace(one, required=required) if one.name == name else one for one in self.life.columns
            )
            self.life.record()

    @rule(text=st.sampled_from(["4", "2 + 3", None]))
    def change_default(self, text: str | None) -> None:
        if self.life.change(f"ALTER TABLE t ALTER k {'DROP DEFAULT' if text is None else f'SET DEFAULT {text}'}"):
            self.life.columns = tuple(
                replace(one, default=text) if one.name == "k" else one for one in self.life.columns
            )
            self.life.record()

    # Tables.

    @rule(where=CONDITIONS)
    def replace_by_itself(self, where: str) -> None:
        life = self.life
        statement = f"CREATE OR REPLACE TABLE t AS SELECT * FROM t WHERE {where}"
        life.db.execute(statement)
        rows = life.model.sql(f"SELECT * FROM t WHERE {where}").to_arrow_table()
        columns = tuple(replace(one, required=False, default=None) for one in life.columns)
        life.define(columns, None, key=False, rows=rows)
        life.indexes = {}
        life.record()

    @rule()
    def rename_table(self) -> None:
        life = self.life
        if life.branches:
            with pytest.raises(lancesql.UnsupportedError, match="branches read the files of 't' by its path: side"):
                life.connections[0].execute("ALTER TABLE t RENAME TO u")
            return
        life.connections[0].execute("ALTER TABLE t RENAME TO u")
        assert (
            life.connections[1].sql("SELECT count(*) FROM u").fetchall()
            == life.model.sql("SELECT count(*) FROM t").fetchall()
        )
        life.connections[1].execute("ALTER TABLE u RENAME TO t")

    # Indexes and upkeep.

    @rule(index=INDEXES)
    def create_index(self, index: tuple[str, str]) -> None:
        column, kind = index
        options = (
            " WITH (num_partitions = 2)"
            if kind.startswith("IVF")
            else " WITH (stem = false, remove_stop_words = false)"
            if kind == "FTS"
            else ""
        )
        name = f"i_{column}"
        if self.life.keep(
            f"CREATE OR REPLACE INDEX {name} ON t ({column}) USING {kind}{options}", may_fail=kind.startswith("IVF")
        ):
            self.life.indexes[name] = index

    @rule(data=st.data())
    @precondition(lambda self: self.life.indexes)
    def drop_index(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.life.indexes)))
        self.life.keep(f"DROP INDEX {name} ON t")
        del self.life.indexes[name]

    @rule(data=st.data(), statement=st.sampled_from(["REINDEX {} ON t", "ALTER INDEX {} ON t OPTIMIZE"]))
    @precondition(lambda self: self.life.indexes)
    def refresh_index(self, data: st.DataObject, statement: str) -> None:
        self.life.keep(statement.format(data.draw(st.sampled_from(sorted(self.life.indexes)))))

    @rule(
        statement=st.sampled_from(
            ["OPTIMIZE t", "OPTIMIZE t", "OPTIMIZE t WITH (target_rows = 50)", "REINDEX t", "ANALYZE t"]
        )
    )
    def optimize(self, statement: str) -> None:
        self.life.keep(statement)

    @rule(ending=st.sampled_from(["", " OLDER THAN '0 seconds'", " RETAIN 3 VERSIONS", " RETAIN 1 VERSIONS"]))
    def vacuum(self, ending: str) -> None:
        self.life.keep(f"VACUUM t{ending}")
        if not ending:
            assert set(self.life.versions) <= {
                row[0] for row in self.life.db.sql("SELECT version FROM (SHOW VERSIONS ON t)").fetchall()
            }
        self.life.forget_removed()

    # Versions.

    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        life = self.life
        version = data.draw(st.sampled_from(sorted(life.versions)))
        held = life.versions[version]
        life.db.execute(f"RESTORE TABLE t TO VERSION {version}")
        life.define(held.columns, held.check, key=life.key, rows=held.rows)
        life.indexes = life.read_indexes()
        life.record()

    @rule(data=st.data(), name=st.sampled_from(["one", "two"]))
    def tag(self, data: st.DataObject, name: str) -> None:
        version = data.draw(st.sampled_from(sorted(self.life.versions)))
        self.life.keep(f"CREATE OR REPLACE TAG {name} ON t AS OF VERSION {version}")
        self.life.tags[name] = version

    @rule(data=st.data())
    @precondition(lambda self: self.life.tags)
    def drop_tag(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.life.tags)))
        self.life.keep(f"DROP TAG {name} ON t")
        del self.life.tags[name]

    @rule(data=st.data())
    def branch(self, data: st.DataObject) -> None:
        life = self.life
        if "side" in life.branches:
            life.keep("DROP BRANCH side ON t")
            del life.branches["side"]
            return
        version = data.draw(st.sampled_from(sorted(life.versions)))
        life.keep(f"CREATE BRANCH side ON t AS OF VERSION {version}")
        life.branches["side"] = life.versions[version]

    # What has to fail.

    @rule(statement=BAD)
    def fail(self, statement: str) -> None:
        self.life.refuse(statement)

    @rule(statement=BAD_VALUES)
    def fail_by_rows(self, statement: str) -> None:
        if self.life.read_model().num_rows:
            self.life.refuse(statement)

    def _is_small(self) -> bool:
        return self.life.read_model().num_rows < 1_000

    def _ask_twice(self, given: str) -> str:
        """Whether a row of the table meets two of the source."""
        return f"SELECT count(*) > count(DISTINCT t.rowid) FROM t JOIN {given} ON t.id = n.id"

    def _ask_bad_keys(self, given: str) -> str:
        """Whether a row to insert has no key, or that of another."""
        new = f"FROM {given} WHERE NOT EXISTS (FROM t WHERE t.id = n.id)"
        return f"SELECT count(*) > count(DISTINCT n.id) {new}"


TestTableLife = TableLifeMachine.TestCase
TestTableLife.settings = settings(
    DIFFERENTIAL, max_examples=scaled(5), stateful_step_count=40 if NIGHTLY else 18, print_blob=True
)
