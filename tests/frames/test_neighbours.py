"""knn_join against a plain sort by distance, in both engines, with nulls, many rows and names that clash."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import lancesql

c = pl.col


@pytest.fixture(scope="module")
def spots(tmp_path_factory):
    numbers = np.random.default_rng(3)
    vectors = numbers.random((500, 4), dtype=np.float32)
    with lancesql.connect(tmp_path_factory.mktemp("spots")) as db:
        frame = pl.DataFrame({"id": range(500), "kind": [i % 3 for i in range(500)]}).with_columns(
            vec=pl.Series(vectors, dtype=pl.Array(pl.Float32, 4))
        )
        db.register("frame", frame)
        db.sql("CREATE TABLE spots AS SELECT * FROM frame")
        yield db, vectors


def ask(count, dtype=None):
    vectors = np.random.default_rng(4).random((count, 4), dtype=np.float32)
    column = pl.Series(vectors, dtype=pl.Array(pl.Float32, 4))
    frame = pl.DataFrame({"id": range(count), "vec": column if dtype is None else column.cast(dtype)})
    return frame.with_columns(vec=pl.when(c.id % 7 != 3).then(c.vec)), vectors


def rank(vectors, query, k, allowed):
    distances = ((vectors.astype(np.float64) - query) ** 2).sum(axis=1)
    order = np.lexsort((np.arange(len(vectors)), distances))
    return [int(one) for one in order if allowed(one)][:k]


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
@pytest.mark.parametrize("how", ["inner", "left"])
@pytest.mark.parametrize("dtype", [None, pl.List(pl.Float64)], ids=["array", "list"])
def test_each_row_finds_its_nearest(spots, engine, how, dtype):
    db, vectors = spots
    asked, queries = ask(40, dtype)
    joined = asked.lazy().lance.knn_join(db, "spots", on="vec", k=3, how=how, filter="kind <> 1")
    wanted = []
    for row, query in enumerate(queries):
        if row % 7 != 3:
            wanted += [(row, one) for one in rank(vectors, query, 3, lambda one: one % 3 != 1)]
        elif how == "left":
            wanted.append((row, None))
    got = joined.collect(engine=engine)
    assert got.select("id", "id_right").rows() == wanted
    assert got.schema == joined.collect_schema()
    assert got.columns == ["id", "vec", "id_right", "kind", "vec_right", "_distance"]
    assert got.filter(c.id == 5).select("id", "id_right").rows() == [one for one in wanted if one[0] == 5]


FILTERS = {
    "SQL": "kind <> 1",
    "pushed": c.kind != 1,
    "row ids": (c.kind + 1) % 3 != 2,
    "other rows": (c.kind != 1) & (c.id >= c.id.min()),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_comes_before_each_search(spots, name):
    db, vectors = spots
    asked, queries = ask(12)
    joined = asked.lazy().lance.knn_join(db, "spots", on="vec", k=4, filter=FILTERS[name], columns=["id", "_distance"])
    got = joined.collect()
    assert got.columns == ["id", "vec", "id_right", "_distance"]
    found = {row: rank(vectors, queries[row], 4, lambda one: one % 3 != 1) for row in range(12) if row % 7 != 3}
    assert got.select("id", "id_right").rows() == [(row, one) for row, near in found.items() for one in near]
    nothing = asked.lazy().lance.knn_join(db, "spots", on="vec", columns=[], filter=c.id < 0).collect()
    assert nothing.shape == (0, 2)


def test_what_is_written_behind_a_join_applies_to_its_rows(spots):
    db, _ = spots
    asked, _ = ask(20)
    joined = asked.lazy().lance.knn_join(db, "spots", on="vec", k=4, how="left")
    held = joined.collect()
    for shape in (
        lambda f: f.filter(c.id > 5, c.kind == 1).select("id", "id_right"),
        lambda f: f.head(7).filter(c.kind == 1),
        lambda f: f.group_by("id", maintain_order=True).agg(c._distance.min()),
        lambda f: f.select(pl.len()),
        lambda f: f.slice(3, 5).select("_distance"),
    ):
        assert shape(joined).collect().equals(shape(held.lazy()).collect())


def test_many_rows_are_asked_in_batches(spots):
    db, vectors = spots
    asked, queries = ask(5000)
    got = asked.lazy().lance.knn_join(db, "spots", on="vec", k=1).collect(engine="streaming")
    assert got["id"].to_list() == [row for row in range(5000) if row % 7 != 3]
    for row in (0, 18, 3000, 4999):
        nearest = got.filter(c.id == row)["id_right"].item()
        assert [nearest] == rank(vectors, queries[row], 1, lambda one: True)


def test_no_rows_and_no_neighbours(spots):
    db, _ = spots
    asked, _ = ask(3)
    assert asked.lazy().filter(c.id > 9).lance.knn_join(db, "spots", on="vec").collect().shape == (0, 6)
    none = asked.lazy().lance.knn_join(db, "spots", on="vec", filter="id > 999", how="left").collect()
    assert none["id_right"].to_list() == [None] * 3
    assert asked.lazy().lance.knn_join(db, "spots", on="vec", filter="id > 999").collect().height == 0


def test_the_arguments_of_a_join(spots):
    db, _ = spots
    asked, _ = ask(6)
    near = asked.lazy().lance.knn_join(db, "spots", on="vec", k=None, upper_bound=0.05, metric="l2", suffix="_near")
    got = near.collect()
    assert (got["_distance"] < 0.05).all()
    assert "id_near" in got.columns
    frame = asked.lazy().lance
    with pytest.raises(lancesql.UnknownColumnError, match=r"(?s)no column 'vek'.*did you mean 'vec'"):
        frame.knn_join(db, "spots", on="vek")
    with pytest.raises(lancesql.UnknownTableError, match="did you mean 'spots'"):
        frame.knn_join(db, "spot", on="vec")
    with pytest.raises(lancesql.ArgumentError, match="no argument 'kk'"):
        frame.knn_join(db, "spots", on="vec", kk=3)
    with pytest.raises(lancesql.ArgumentError, match="two columns would be named 'id'"):
        frame.knn_join(db, "spots", on="vec", suffix="")
    with pytest.raises(lancesql.UnknownColumnError, match=r"(?s)no column 'knd'.*did you mean 'kind'"):
        frame.knn_join(db, "spots", on="vec", columns=["knd"])
    with pytest.raises(lancesql.UnknownColumnError, match=r"(?s)'knd' of the filter.*did you mean 'kind'"):
        frame.knn_join(db, "spots", on="vec", filter=c.knd > 3)
    with pytest.raises(lancesql.ArgumentError, match="filter cannot be a int"):
        frame.knn_join(db, "spots", on="vec", filter=3)
    with pytest.raises(lancesql.ArgumentError, match="how is 'inner' or 'left'"):
        frame.knn_join(db, "spots", on="vec", how="full")
    with pytest.raises(lancesql.LanceSQLError, match="dimension"):
        pl.LazyFrame({"v": [[1.0]]}).lance.knn_join(db, "spots", on="v").collect()


def test_texts_are_embedded(spots):
    db, vectors = spots
    db.register_embedding("spots", "vec", lambda texts: [vectors[int(text)] for text in texts])
    asked = pl.LazyFrame({"words": ["7", None, "42"]})
    got = asked.lance.knn_join(db, "spots", on="words", k=1).collect()
    assert got.select("words", "id").rows() == [("7", 7), ("42", 42)]
    db.unregister_embedding("spots", "vec")
