"""Indexes built, listed, brought up to date, built anew and dropped; what fails leaves everything as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import lancesql
from lancesql.errors import LanceSQLError, StorageError

from .conftest import ROWS, look

KINDS: dict[str, tuple[str, str]] = {
    "IVF_FLAT": ("vec", "metric = cosine, num_partitions = 3"),
    "IVF_SQ": ("vec", "metric = dot, num_partitions = 3, num_bits = 8"),
    "IVF_PQ": ("vec", "metric = l2, num_partitions = 3, num_sub_vectors = 4, num_bits = 4, max_iterations = 5"),
    "IVF_RQ": ("vec", "metric = l2, num_partitions = 3, num_bits = 2"),
    "IVF_HNSW_FLAT": ("vec", "metric = cosine, num_partitions = 2, m = 8, ef_construction = 40, max_level = 3"),
    "IVF_HNSW_SQ": ("vec", "metric = l2, num_partitions = 2, m = 8, ef_construction = 40"),
    "IVF_HNSW_PQ": ("vec", "metric = dot, num_partitions = 2, num_sub_vectors = 2, m = 8"),
    "FTS": ("body", "language = German, stem = false, with_position = false, max_token_length = 20"),
    "BTREE": ("id", ""),
    "BITMAP": ("few", ""),
    "LABEL_LIST": ("tags", ""),
    "NGRAM": ("name", ""),
    "ZONEMAP": ("id", "rows_per_zone = 100"),
    "BLOOMFILTER": ("id", "number_of_items = 100, probability = 0.01"),
}
LASTING = ("type", "metric", "partitions", "parameters", "rows_indexed")


def create(db: lancesql.Connection, kind: str) -> dict[str, Any]:
    column, options = KINDS[kind]
    clause = f" WITH ({options})" if options else ""
    (row,) = db.execute(f"CREATE INDEX made ON docs ({column}) USING {kind}{clause}").to_arrow().to_pylist()
    return dict(row)


def show(db: lancesql.Connection, name: str = "made") -> dict[str, Any]:
    (row,) = db.sql(f"SELECT * FROM (SHOW INDEXES ON docs) WHERE name = '{name}'").to_arrow().to_pylist()
    return dict(row)


def parse(options: str | None) -> dict[str, str]:
    return dict(part.split(" = ") for part in (options or "").split(", ") if part)


def count_versions(db: lancesql.Connection) -> int:
    return len(db.sql("SHOW VERSIONS ON docs").fetchall())


@pytest.mark.parametrize("kind", KINDS)
def test_the_life_of_an_index(db: lancesql.Connection, kind: str) -> None:
    versions = count_versions(db)
    built = create(db, kind)
    assert count_versions(db) == versions + 1
    given = parse(KINDS[kind][1])
    made = parse(built["parameters"])
    if kind == "FTS":  # the language says nothing where there are no endings, and is not shown
        given = {name: given[name] for name in ("stem", "with_position", "max_token_length")}
    assert given.items() <= made.items()
    assert set(built["defaults"]).isdisjoint(given)
    if kind != "FTS":
        assert set(built["defaults"]) <= set(made)
    assert (built["rows_indexed"], built["rows_unindexed"], built["type"]) == (ROWS, 0, kind)
    shown = show(db)
    assert shown["parameters"] == built["parameters"]
    assert shown["age"].partition(" ")[2].rstrip("s") in ("second", "minute")

    ((step, name, outcome, detail, _),) = db.execute("REINDEX made ON docs").fetchall()
    assert (step, name, outcome, detail) == ("rebuild", "made", "done", "built anew")
    again = show(db)
    assert again["built_at"] > shown["built_at"]
    assert {name: again[name] for name in LASTING} == {name: built[name] for name in LASTING}

    column, _ = KINDS[kind]
    clause = f" WITH ({again['parameters']})" if again["parameters"] else ""
    db.execute(f"CREATE OR REPLACE INDEX made ON docs ({column}) USING {kind}{clause}")
    assert show(db)["parameters"] == built["parameters"]  # what is shown can be given

    db.execute("INSERT INTO docs SELECT * REPLACE (id + 1000 AS id) FROM docs WHERE id < 60")
    behind = show(db)
    assert (behind["rows_indexed"], behind["rows_unindexed"]) == (ROWS, 60)
    assert behind["advice"] == "60 of 460 rows are not in it: OPTIMIZE docs"
    (done,) = db.execute("ALTER TABLE docs OPTIMIZE INDEX made").fetchall()
    assert done[:4] == ("index", "made", "done", "60 rows added")
    caught_up = show(db)
    assert (caught_up["rows_indexed"], caught_up["rows_unindexed"]) == (ROWS + 60, 0)
    lasting = parse(built["parameters"])
    lasting.pop("num_partitions", None)  # Lance puts small partitions together
    assert lasting.items() <= parse(caught_up["parameters"]).items()
    assert db.execute("DROP INDEX made ON docs").fetchall() == []
    assert db.sql("SHOW INDEXES ON docs").fetchall() == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_build_that_fails_leaves_everything_as_it_was(db: lancesql.Connection, kind: str) -> None:
    create(db, kind)
    column, _ = KINDS[kind]
    unfit = "name" if column == "vec" else "vec"
    before = look(db)
    for sql in (
        f"CREATE INDEX made ON docs ({column}) USING {kind}",
        f"CREATE INDEX ON docs ({unfit}) USING {kind}",
        f"CREATE OR REPLACE INDEX made ON docs (day) USING {'BITMAP' if kind != 'BITMAP' else 'BTREE'}",
        f"CREATE INDEX other ON docs ({column}) USING {kind} WITH (nothing = 1)",
        f"CREATE INDEX other ON docs ({column}) USING {kind} WITH (metric = 'manhattan')",
    ):
        with pytest.raises(LanceSQLError):
            db.execute(sql)
        assert look(db) == before
    assert db.execute(f"CREATE INDEX IF NOT EXISTS made ON docs ({column}) USING {kind}").fetchall()[0][1] == "made"
    assert look(db) == before


def test_a_build_that_lance_cannot_finish(db: lancesql.Connection, tmp_path: Path) -> None:
    db.execute("CREATE INDEX ON docs (vec) USING IVF_FLAT")
    before = look(db)
    (data,) = (tmp_path / "db" / "docs.lance" / "data").glob("*.lance")
    content = data.read_bytes()
    data.write_bytes(content[:100])
    try:
        for sql in ("CREATE INDEX ON docs (id) USING BTREE", "CREATE OR REPLACE INDEX ON docs (vec) USING IVF_FLAT"):
            with pytest.raises(StorageError, match="LanceDB"):
                db.execute(sql)
        steps = db.execute("REINDEX docs").fetchall()
        assert [(row[0], row[2]) for row in steps] == [("rebuild", "failed")]
    finally:
        data.write_bytes(content)
    assert look(db) == before


def test_explain_builds_nothing(db: lancesql.Connection) -> None:
    before = look(db)
    text = "\n".join(row[0] for row in db.sql("EXPLAIN CREATE INDEX near ON docs (vec) WITH (metric = dot)").fetchall())
    assert text == (
        "CreateIndex docs\n"
        "  builds     IVF_PQ 'near' on vec, over 400 rows\n"
        "  builds     given: metric = dot\n"
        "  builds     by default: num_bits = 8, num_sub_vectors = 1, max_iterations = 10, num_partitions = 1, "
        "sample_rate = 128\n"
        "  builds     IVF_PQ, since the column holds vectors\n"
        "  builds     searches compare the true distances of the candidates; ANALYZE measures how many they need\n"
        "  builds     400 rows are searched as fast without an index"
    )
    for kind, (column, options) in KINDS.items():
        clause = f" WITH ({options})" if options else ""
        lines = db.sql(f"EXPLAIN CREATE INDEX near ON docs ({column}) USING {kind}{clause}").fetchall()
        assert f"{kind} 'near' on {column}, over 400 rows" in lines[1][0]
    assert look(db) == before
    db.execute("CREATE INDEX near ON docs (vec) USING IVF_FLAT")
    built = look(db)
    (line,) = db.sql("EXPLAIN CREATE INDEX IF NOT EXISTS near ON docs (vec) USING IVF_SQ").fetchall()[1:]
    assert line == ("  builds     nothing: there is an index 'near' already",)
    lines = db.sql("EXPLAIN CREATE OR REPLACE INDEX near ON docs (vec) USING IVF_SQ").fetchall()
    assert "IVF_SQ 'near' on vec, over 400 rows, in the place of IVF_FLAT 'near'" in lines[1][0]
    with pytest.raises(StorageError, match="has an index 'near'"):
        db.sql("EXPLAIN CREATE INDEX near ON docs (vec) USING IVF_SQ")
    for sql in ("EXPLAIN REINDEX docs", "EXPLAIN DROP INDEX near ON docs", "EXPLAIN ALTER INDEX near ON docs OPTIMIZE"):
        assert "near: " in db.sql(sql).fetchall()[1][0]
    assert look(db) == built


def test_partitions_of_a_default_grow_with_the_table(db: lancesql.Connection) -> None:
    db.execute("CREATE TABLE many AS SELECT [i, i % 7]::FLOAT[2] AS v FROM range(4200) r(i)")
    db.execute("CREATE INDEX chosen ON many (v) USING IVF_FLAT")
    db.execute("CREATE INDEX asked ON many (v) USING IVF_FLAT WITH (metric = cosine, num_partitions = 3)")
    db.execute("INSERT INTO many SELECT [i, 3]::FLOAT[2] AS v FROM range(4200) r(i)")
    db.execute("REINDEX TABLE many")
    rows = db.sql("SELECT name, partitions, rows_indexed FROM (SHOW INDEXES ON many) ORDER BY name").fetchall()
    assert rows == [("asked", 3, 8400), ("chosen", 2, 8400)]


def test_fewer_partitions_than_asked_for_are_told(db: lancesql.Connection) -> None:
    (built,) = db.execute("CREATE INDEX ON docs (vec) USING IVF_PQ WITH (lists = 100)").to_arrow().to_pylist()
    assert built["partitions"] == 25
    assert built["notes"][0] == ("25 partitions instead of 100: product quantization is trained on 16 vectors of each")


@pytest.mark.parametrize(("kind", "least"), [("IVF_PQ WITH (num_bits = 4)", 16), ("IVF_FLAT", 1)])
def test_an_index_waits_for_vectors_to_train_on(db: lancesql.Connection, kind: str, least: int) -> None:
    db.execute("CREATE TABLE few (id BIGINT, v FLOAT[8])")
    db.execute(f"CREATE INDEX near ON few (v) USING {kind}")
    db.execute(f"INSERT INTO few SELECT i, if(i < {least} - 1, [i, 1, 2, 3, 4, 5, 6, 7], NULL) FROM range(20) r(i)")
    dry = "\n".join(row[0] for row in db.sql("EXPLAIN OPTIMIZE few").fetchall())
    assert "near: nothing to do" in dry
    assert [row[2] for row in db.execute("OPTIMIZE few").fetchall()] == ["nothing to do", "nothing to do"]
    (index,) = db.sql("SHOW INDEXES ON few").to_arrow().to_pylist()
    assert (index["rows_indexed"], index["rows_unindexed"], index["advice"]) == (0, 20, None)
    (health,) = db.sql("SHOW HEALTH ON few").to_arrow().to_pylist()
    assert (health["unindexed_share"], health["advice"]) == (1.0, [])
    db.execute("UPDATE few SET v = [id, 1, 2, 3, 4, 5, 6, 7]")
    assert db.execute("OPTIMIZE few").fetchall()[1][3] == "20 rows added"


@pytest.mark.parametrize(
    ("given", "made"),
    [("m = 200", "m = 200, ef_construction = 200"), ("ef_construction = 5", "m = 5, ef_construction = 5")],
)
def test_each_option_of_a_graph_suits_the_other(db: lancesql.Connection, given: str, made: str) -> None:
    db.execute(f"CREATE INDEX near ON docs (vec) USING IVF_HNSW_FLAT WITH ({given})")
    assert made in show(db, "near")["parameters"]
    assert len(db.sql("FROM vector_search('docs', vec, $q, k => 3, exact => false)", {"q": [1.0] * 8}).fetchall()) == 3


def test_nothing_to_train_on(db: lancesql.Connection) -> None:
    db.execute("CREATE TABLE bare AS SELECT i AS id, NULL::FLOAT[8] AS v FROM range(9) r(i)")
    with pytest.raises(StorageError, match="holds no vector that an index could be trained on"):
        db.execute("CREATE INDEX ON bare (v) USING IVF_FLAT")
    (note,) = [
        note
        for note in db.execute("CREATE INDEX ON bare (v) USING IVF_PQ").to_arrow().to_pylist()[0]["notes"]
        if "train" in note
    ]
    assert note == "9 rows are too few to train it on: OPTIMIZE builds it when there are 256"


def test_modes(db: lancesql.Connection) -> None:
    db.execute("CREATE INDEX near ON docs (vec) USING IVF_FLAT WITH (num_partitions = 2)")

    def grow() -> None:
        db.execute("INSERT INTO docs SELECT * REPLACE (id + 1000 AS id) FROM docs WHERE id < 5")

    def optimize(options: str) -> tuple[Any, ...]:
        (row,) = db.execute(f"ALTER INDEX near ON docs OPTIMIZE {options}").fetchall()
        return tuple(row[:4])

    assert optimize("") == ("index", "near", "nothing to do", "")
    grow()
    assert optimize("WITH (mode = 'append')") == ("index", "near", "done", "5 rows added, parts 1 → 2")
    assert optimize("WITH (mode = append)") == ("index", "near", "nothing to do", "")
    grow()
    assert optimize("WITH (mode = 'merge')")[3].endswith("parts 2 → 1")
    assert show(db, "near")["rows_unindexed"] == 0
    assert optimize("WITH (mode = 'retrain')") == ("rebuild", "near", "done", "built anew")
    assert optimize("WITH (retrain = true)") == ("rebuild", "near", "done", "built anew")
    for options in ("(mode = 'retrain', retrain = false)", "(mode = 'apend')", "(retrain = maybe)", "(merge = true)"):
        with pytest.raises(LanceSQLError):
            optimize(f"WITH {options}")
    (row,) = db.execute("ALTER VECTOR INDEX near ON docs REBUILD").fetchall()
    assert row[:3] == ("rebuild", "near", "done")
    assert db.execute("ALTER INDEX IF EXISTS nothing ON docs REBUILD").fetchall() == []


def test_every_table_is_listed(db: lancesql.Connection) -> None:
    assert db.sql("SHOW INDEXES").fetchall() == []
    db.execute("CREATE INDEX ON docs (id) USING BTREE; CREATE INDEX ON halves (id) USING BITMAP")
    rows = db.sql('SELECT "table", name, type FROM (SHOW INDEXES) ORDER BY ALL').fetchall()
    assert rows == [("docs", "id_idx", "BTREE"), ("halves", "id_idx", "BITMAP")]
    assert len(db.sql("SHOW INDEX FROM docs").fetchall()) == len(db.sql("SHOW INDICES IN lance.docs").fetchall()) == 1


def test_advice(db: lancesql.Connection) -> None:
    def advise(name: str) -> str | None:
        advice: str | None = show(db, name)["advice"]
        return advice

    db.execute("CREATE INDEX a ON docs (vec) USING IVF_FLAT WITH (num_partitions = 100)")
    assert advise("a") == (
        "100 partitions of about 4 rows are many: "
        "CREATE OR REPLACE INDEX a ON docs (vec) USING IVF_FLAT WITH (metric = l2, num_partitions = 1)"
    )
    db.execute(str(advise("a")).partition(": ")[2])
    assert advise("a") is None
    db.execute("CREATE INDEX b ON docs (vec) USING IVF_FLAT WITH (metric = cosine)")
    assert advise("b") == "a search has to say metric => 'cosine' for it; without, 'a' is asked"
    db.execute("CREATE INDEX c ON docs (vec) USING IVF_SQ WITH (metric = cosine)")
    assert advise("c") == "'b' serves the same queries: DROP INDEX c ON docs"
    db.execute("CREATE INDEX d ON docs (id) USING BITMAP")
    assert advise("d") == "it keeps 400 values for 400 rows: CREATE OR REPLACE INDEX d ON docs (id) USING BTREE"
    db.execute(str(advise("d")).partition(": ")[2])
    assert advise("d") is None


def test_advice_of_few_partitions(db: lancesql.Connection) -> None:
    db.execute("CREATE TABLE many AS SELECT [i, 1]::FLOAT[2] AS v FROM range(40000) r(i)")
    db.execute("CREATE INDEX few ON many (v) USING IVF_FLAT WITH (num_partitions = 1)")
    (advice,) = db.sql("SELECT advice FROM (SHOW INDEXES ON many)").fetchall()[0]
    assert advice == (
        "1 partition is little for 40,000 rows: "
        "CREATE OR REPLACE INDEX few ON many (v) USING IVF_FLAT WITH (metric = l2, num_partitions = 9)"
    )


def test_an_index_dropped_by_its_name_alone(db: lancesql.Connection) -> None:
    db.execute("CREATE INDEX one ON docs (id) USING BTREE; CREATE INDEX twin ON docs (few) USING BITMAP")
    db.execute("CREATE INDEX twin ON halves (id) USING BTREE")
    db.execute("DROP INDEX ONE")
    before = look(db)
    with pytest.raises(LanceSQLError, match="several tables have an index 'twin': docs, halves") as caught:
        db.execute("DROP INDEX twin")
    assert caught.value.span is not None
    with pytest.raises(LanceSQLError, match="no table has an index 'one'"):
        db.execute("DROP INDEX one")
    db.execute("DROP INDEX IF EXISTS one")
    assert look(db) == before
    db.execute("CREATE TABLE memory.main.plain AS SELECT 1 AS a; CREATE INDEX twin ON plain (a)")
    db.execute("DROP INDEX twin")  # DuckDB's own comes first
    assert db.sql("SELECT * FROM duckdb_indexes()").fetchall() == []
    assert look(db) == before


def test_advice_can_be_run(tmp_path: Path) -> None:
    """Whatever the table, the column and the index are called, in whatever database."""
    with lancesql.connect(tmp_path / "db") as db:
        db.execute(f"ATTACH '{tmp_path / 'other'}' AS ns (TYPE LANCE)")
        for table in ("ns.plain", '"my-docs"', 'ns."two-words"', f"'{tmp_path}/far.lance'"):
            db.execute(
                f"""CREATE TABLE {table} AS SELECT i AS "The Id", [i, 1]::FLOAT[2] AS "select" FROM range(300) r(i)"""
            )
            db.execute(f"""CREATE INDEX "an index" ON {table} ("select") USING ivfflat WITH (lists = 100)""")
            db.execute(f"""CREATE INDEX "order" ON {table} ("The Id") USING bitmap""")
            db.execute(f"INSERT INTO {table} SELECT * FROM {table}")
            for _ in range(4):
                advice = [
                    row[0] for row in db.sql(f"SELECT advice FROM (SHOW INDEXES ON {table})").fetchall() if row[0]
                ]
                for one in advice:
                    db.execute(one.split("; ")[0].rpartition(": ")[2])
            assert advice == []
