"""Tables and searches as LazyFrames: what is pushed, what is not, and that no optimizer changes a search's rows."""

from __future__ import annotations

import asyncio
import copy
import pickle

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import lancesql

c = pl.col
ENGINES = ["in-memory", "streaming"]
QUERY = [1.0, 0.0, 0.0, 0.0]


def ids(frame):
    return frame.collect()["id"].to_list()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_scan_is_the_table(films, engine):
    frame = films.scan("movies").collect(engine=engine)
    assert frame.equals(films.sql("SELECT * FROM lance.movies").to_polars())
    assert films.scan("movies").collect_schema() == frame.schema


SHAPES = {
    "columns": lambda f: f.select("title", "id"),
    "filter": lambda f: f.filter(c.year > 1980).select("id"),
    "filter and pattern": lambda f: f.filter(c.year > 1980, c.title.str.contains("^[A-F]")),
    "head": lambda f: f.head(3).select("id"),
    "head, filter": lambda f: f.head(5).filter(c.year > 1980).select("id"),
    "filter, head": lambda f: f.filter(c.year > 1980).head(2).select("id"),
    "filter, head, filter": lambda f: f.filter(c.year > 1970).head(4).filter(c.rating > 8).select("id"),
    "pattern, head": lambda f: f.filter(c.title.str.contains("a$|t$")).head(2),
    "slice": lambda f: f.slice(2, 3).select("id"),
    "tail": lambda f: f.tail(2).select("id"),
    "count": lambda f: f.select(pl.len()),
    "count of some": lambda f: f.filter(c.year > 1980).select(pl.len()),
    "no columns": lambda f: f.select([]),
    "with columns": lambda f: f.with_columns(decade=c.year // 10).filter(c.decade == 198).select("id", "decade"),
    "groups": lambda f: f.group_by(c.year // 10, maintain_order=True).agg(pl.len(), c.rating.max()),
    "join": lambda f: f.join(f.filter(c.year < 1980), on="id", maintain_order="left").select("id", "title_right"),
    "anti join": lambda f: f.join(f.filter(c.year < 1980), on="id", how="anti", maintain_order="left").select("id"),
    "sorted": lambda f: f.sort("rating", "id", descending=True).head(3).select("id"),
    "unique": lambda f: f.unique("year", keep="first", maintain_order=True).select("id"),
    "window": lambda f: f.filter(c.rating == c.rating.max().over(c.year // 10)).select("id"),
    "rows and index": lambda f: f.with_row_index("row").filter(c.row > 5).select("row", "id"),
    "cached": lambda f: f.filter(c.year > 1980).cache().filter(c.id > 3).select("id"),
    "mapped": lambda f: f.map_batches(lambda df: df.head(2)).filter(c.id > 1).select("id"),
    "both": lambda f: pl.concat([f.filter(c.year < 1980), f.filter(c.year > 1990)]).select("id"),
    "nothing": lambda f: f.filter(c.year > 3000).select("id", "vector"),
    "false": lambda f: f.filter(pl.lit(False)).select("id"),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_query_of_a_scan_is_that_of_the_table_in_memory(films, shape, engine):
    held = films.sql("SELECT * FROM lance.movies").to_polars().lazy()
    wanted = SHAPES[shape](held).collect()
    got = SHAPES[shape](films.scan("movies")).collect(engine=engine)
    assert got.schema == wanted.schema
    assert got.equals(wanted)


SEARCHES = {
    "vector": (
        lambda db: db.vector_search("movies", QUERY, k=5),
        "SELECT * FROM vector_search('movies', $q, k => 5)",
    ),
    "text": (lambda db: db.fts("movies", "monster OR crew"), "SELECT * FROM fts('movies', 'monster OR crew')"),
    "hybrid": (
        lambda db: db.hybrid_search("movies", QUERY, "space", k=5),
        "SELECT * FROM hybrid_search('movies', $q, 'space', k => 5)",
    ),
}
AROUND = {name: one for name, one in SHAPES.items() if name not in ("slice", "tail")}
AROUND["ranked"] = lambda f: f.filter(c.year > 1975).head(2).filter(c.id > 1).select("id")


CASES = [
    *(("vector", engine, shape) for engine in ENGINES for shape in AROUND),
    *((("text", "hybrid")[at % 2], "streaming", shape) for at, shape in enumerate(AROUND)),
]


@pytest.mark.parametrize(("search", "engine", "shape"), CASES)
def test_what_is_written_around_a_search_applies_to_its_rows(films, search, shape, engine):
    make, sql = SEARCHES[search]
    held = films.sql(sql, {"q": QUERY} if "$q" in sql else None).to_polars().lazy()
    wanted = AROUND[shape](held).collect()
    got = AROUND[shape](make(films)).collect(engine=engine)
    assert got.schema == wanted.schema
    assert got.equals(wanted)


def test_a_filter_of_a_search_comes_before_the_top_k(films):
    def search(**more):
        return ids(films.vector_search("movies", QUERY, k=3, **more).select("id"))

    late = {"q": QUERY}
    wanted = (
        films.sql("SELECT id FROM vector_search('movies', $q, k => 3) WHERE year > 1980", late)
        .to_polars()["id"]
        .to_list()
    )
    assert search(filter=c.year > 1980) == wanted
    assert search(filter="year > 1980") == wanted
    behind = ids(films.vector_search("movies", QUERY, k=3).filter(c.year > 1980).select("id"))
    assert len(behind) < len(wanted) == 3


@pytest.mark.parametrize(
    "predicate",
    [
        c.title.str.contains("^[A-H].*[a-t]$"),
        c.year > c.year.mean(),
        c.year.rank() > 4,
        (c.year + 1) % 2 == 0,
        c.rating.is_null() | (c.rating < 8),
        pl.lit(True),
    ],
    ids=["pattern", "mean", "rank", "arithmetic", "nulls", "true"],
)
def test_a_filter_that_sql_cannot_say_comes_before_the_top_k_too(films, predicate):
    kept = ids(films.scan("movies").filter(predicate).select("id"))
    assert kept
    listed = ", ".join(map(str, kept))
    sql = f"SELECT id FROM vector_search('movies', $q, k => 3) WHERE id IN ({listed})"
    wanted = [row[0] for row in films.sql(sql, {"q": QUERY}).fetchall()]
    assert ids(films.vector_search("movies", QUERY, k=3, filter=predicate).select("id")) == wanted
    assert ids(films.fts("movies", "a", filter=predicate).select("id").head(0)) == []


def test_a_filter_that_nothing_satisfies(films):
    assert ids(films.vector_search("movies", QUERY, k=3, filter=pl.lit(False))) == []
    assert ids(films.vector_search("movies", QUERY, k=3, filter=c.title.str.contains("^Q"))) == []


def test_the_arguments_of_sql(films):
    exact = films.vector_search("movies", "vector", np.array(QUERY), k=4, metric="cosine", exact=True, filter="id <> 1")
    sql = "SELECT * FROM vector_search('movies', 'vector', $q, k => 4, metric => 'cosine', exact => true) WHERE id <> 1"
    assert exact.collect().equals(films.sql(sql, {"q": QUERY}).to_polars())
    ranged = films.vector_search("movies", QUERY, k=None, upper_bound=4.5).collect()
    sql = "SELECT * FROM vector_search('movies', $q, k => NULL, upper_bound => 4.5)"
    assert ranged.equals(films.sql(sql, {"q": QUERY}).to_polars())
    like = films.vector_search("movies", like_id=2, id_column="id", k=3).collect()
    sql = "SELECT * FROM vector_search('movies', like_id => 2, id_column => 'id', k => 3)"
    assert like.equals(films.sql(sql).to_polars())
    words = films.fts("movies", ["plot"], "monster space", operator="and").collect()
    assert words.equals(
        films.sql("SELECT * FROM fts('movies', ['plot'], 'monster space', operator => 'and')").to_polars()
    )
    both = films.hybrid_search("movies", "vector", QUERY, "plot", "space", k=4, fusion="linear", weights=[0.7, 0.3])
    sql = """SELECT * FROM hybrid_search('movies', 'vector', $q, 'plot', 'space', k => 4, fusion => 'linear',
             weights => [0.7, 0.3])"""
    assert both.collect().equals(films.sql(sql, {"q": QUERY}).to_polars())
    many = films.vector_search("movies", np.array([QUERY, QUERY[::-1]]), k=2).collect()
    sql = "SELECT * FROM vector_search('movies', $m, k => 2)"
    assert many.equals(films.sql(sql, {"m": [QUERY, QUERY[::-1]]}).to_polars())


def test_explain_names_what_was_pushed(films):
    plan = films.scan("movies").filter(c.year > 1980).select("id").explain()
    assert "PYTHON[lancesql scan movies] SCAN" in plan
    assert 'SELECTION: col("year") > 1980' in plan
    assert "INFO: version " in plan
    plan = films.scan("movies").head(3).explain()
    assert "SLICE" in plan.split("SCAN")[1]
    plan = films.vector_search("movies", QUERY, k=3, filter=c.year > 1980).select("id").explain()
    assert "PYTHON[lancesql vector_search movies] SCAN" in plan
    assert "k 3" in plan
    assert 'filter ("year" > 1980) → Lance' in plan
    plan = films.vector_search("movies", QUERY, k=3, filter=c.title.str.contains("^A")).explain()
    assert 'filter → Polars, as row ids: col("title").str.contains' in plan


def test_verbose_says_who_answers(films, capfd, monkeypatch):
    monkeypatch.setenv("POLARS_VERBOSE", "1")
    films.scan("movies").filter(c.year > 1980, c.title.str.contains("^A")).select("id").collect()
    said = capfd.readouterr().err
    assert "filter → Lance: `year` > 1980" in said
    assert "filter → Polars: " in said


def test_every_collect_reads_the_newest_version(own_films):
    frame = own_films.scan("movies").filter(c.id >= 100).select("id")
    pinned = own_films.scan("movies", version=2).select("id")
    search = own_films.vector_search("movies", QUERY, k=1).select("id")
    before, held = ids(search), ids(pinned)
    assert ids(frame) == []
    own_films.sql("INSERT INTO movies (id, title, vector) VALUES (100, 'Zardoz', [1.0, 0.0, 0.0, 0.0])")
    assert ids(frame) == [100]
    own_films.sql("DELETE FROM movies WHERE id = 1")
    assert ids(search) == [100] != before
    assert ids(pinned) == held


def test_a_column_that_is_gone_is_an_error_of_ours(own_films):
    frame = own_films.scan("movies").select("plot")
    own_films.sql("ALTER TABLE movies DROP COLUMN plot")
    with pytest.raises(lancesql.UnknownColumnError, match="plot"):
        frame.collect()


def test_collect_async_and_sinks(films, tmp_path):
    frame = films.vector_search("movies", QUERY, k=3)
    wanted = frame.collect()
    assert asyncio.run(_collect(frame)).equals(wanted)
    frame.sink_parquet(tmp_path / "found.parquet")
    assert pl.read_parquet(tmp_path / "found.parquet").equals(wanted)
    films.scan("movies").filter(c.year > 1980).sink_parquet(tmp_path / "new.parquet")
    assert pl.read_parquet(tmp_path / "new.parquet").equals(films.scan("movies").filter(c.year > 1980).collect())
    together = pl.collect_all([frame, films.fts("movies", "space"), films.scan("movies").select("id")] * 3)
    assert together[0].equals(wanted)
    assert together[5]["id"].len() == 12


async def _collect(frame):
    return await frame.collect_async()


def test_errors_are_ours_and_come_at_once(films):
    with pytest.raises(lancesql.UnknownTableError, match=r"(?s)'moves' does not exist.*did you mean 'movies'"):
        films.scan("moves")
    with pytest.raises(lancesql.UnknownTableError) as caught:
        films.scan("moves")
    assert "LINE 1" not in str(caught.value)  # there is no statement of the caller's to point into
    with pytest.raises(lancesql.ArgumentError, match=r"(?s)no argument 'kk'.*did you mean 'k'"):
        films.vector_search("movies", QUERY, kk=3)
    with pytest.raises(lancesql.ArgumentError, match=r"(?s)unknown metric 'cosin'.*did you mean 'cosine'"):
        films.vector_search("movies", QUERY, metric="cosin")
    with pytest.raises(lancesql.UnknownColumnError, match=r"(?s)'yeer'.*did you mean 'year'"):
        films.vector_search("movies", QUERY, filter=c.yeer > 3)
    with pytest.raises(lancesql.UnknownColumnError, match=r"(?s)'yeer'.*did you mean 'year'"):
        films.vector_search("movies", QUERY, filter="yeer > 3")
    with pytest.raises(lancesql.ArgumentError, match="filter cannot be a set"):
        films.vector_search("movies", QUERY, filter={1})
    with pytest.raises(lancesql.ArgumentError, match="not the name of an argument"):
        films.vector_search("movies", QUERY, **{"k => 3) --": 1})
    with pytest.raises(lancesql.ArgumentError, match="2 dimensions, column 'vector' has 4"):
        films.vector_search("movies", [1.0, 0.0]).collect()


def test_names_are_quoted(own_films):
    own_films.sql("""CREATE TABLE "Old-1" AS SELECT 1 AS "a ""b", 'x''y' AS "c'd" """)
    frame = own_films.scan("Old-1")
    assert frame.filter(c('a "b') == 1, c("c'd") == "x'y").collect().rows() == [(1, "x'y")]
    for name in ("o'dd", 'o"dd', "movies' --", 'movies" --'):
        with pytest.raises(lancesql.LanceSQLError):
            own_films.scan(name)
        with pytest.raises(lancesql.LanceSQLError):
            own_films.fts(name, "x")


@pytest.mark.parametrize("make", [lambda db: db.scan("movies"), lambda db: db.vector_search("movies", QUERY)])
def test_pickling_is_refused(films, make):
    for act in (lambda frame: pickle.dumps(frame), lambda frame: frame.serialize()):
        with pytest.raises(Exception, match="a LazyFrame over a connection cannot be pickled or serialized"):
            act(make(films))


def test_a_closed_connection(library):
    db = lancesql.connect(library)
    frame = db.scan("movies")
    db.close()
    with pytest.raises(lancesql.ConnectionClosedError):
        frame.collect()


def test_batches_are_not_copied(own_films):
    from lancesql.frames.scan import TableRows

    rows = TableRows(own_films, 'lance."movies"')
    (batch,) = rows.read_batches(rows.plan_reading(("id", "vector"), None, []))
    assert find_addresses(pl.from_arrow(batch)) == find_addresses(batch)


def find_addresses(data):
    table = pa.RecordBatchReader.from_stream(data).read_all() if isinstance(data, pl.DataFrame) else data
    columns = [one.chunk(0) if isinstance(one, pa.ChunkedArray) else one for one in table.columns]
    return [columns[0].buffers()[1].address, columns[1].flatten().buffers()[1].address]


def test_a_table_of_an_attached_database(own_films, library):
    own_films.sql(f"ATTACH '{library}' AS other (TYPE LANCE)")
    own_films.sql("DELETE FROM movies WHERE id < 5")
    assert own_films.scan("other.movies").select(pl.len()).collect().item() == 12
    found = own_films.vector_search("other.movies", QUERY, k=3, filter=c.title.str.contains("[a-t]$"))
    own = own_films.sql(
        "SELECT id FROM vector_search('other.movies', $q, k => 3) WHERE title ~ '.*[a-t]'", {"q": QUERY}
    )
    assert ids(found) == [one for (one,) in own.fetchall()]


def test_other_ways_to_read_a_frame(films):
    assert sum(one.height for one in films.scan("movies").collect_batches()) == 12
    counted = pl.SQLContext(movies=films.scan("movies")).execute("SELECT count(*) AS n FROM movies WHERE year > 1980")
    assert counted.collect()["n"].to_list() == [films.scan("movies").filter(c.year > 1980).collect().height]
    assert copy.deepcopy(films.scan("movies")).select("id").collect().height == 12


def test_the_limit_of_rows_holds_for_what_is_read(own_films):
    own_films.sql("SET lancesql.max_rows = 5")
    assert own_films.scan("movies").head(5).collect().height == 5
    with pytest.raises(lancesql.RowLimitError):
        own_films.scan("movies").collect()
