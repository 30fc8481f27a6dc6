"""Random chains of steps over tables and searches: the same rows as over what those give, held in memory."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lancesql.frames import table_to_polars
from tests.differential.conftest import DIFFERENTIAL, scaled
from tests.differential.tables import COLUMNS
from tests.frames.predicates import PREDICATES, choose_values

pytestmark = pytest.mark.filterwarnings("ignore")  # Polars warns of what some of these mean
c = pl.col
COMPARED = [column for column in COLUMNS if column.name not in ("tags", "nums", "reals", "llist", "st")]
ROWWISE = [name for name in PREDICATES if name not in ("aggregate", "column", "in null alone")]
ENGINES = st.sampled_from(["in-memory", "streaming"])
QUERY = [1.0, 0.0, 0.0, 0.0]
SEARCHES = [
    lambda db, **more: db.vector_search("movies", QUERY, k=6, **more),
    lambda db, **more: db.fts("movies", "monster OR crew OR space", **more),
    lambda db, **more: db.hybrid_search("movies", QUERY, "space", k=6, **more),
]


@st.composite
def leaves(draw):
    column = draw(st.sampled_from(COMPARED))
    values = choose_values(column, draw(st.integers(0, 1000)))
    return PREDICATES[draw(st.sampled_from(ROWWISE))](c(column.name), values)


FILM_LEAVES = st.sampled_from(
    [
        c.year > 1980,
        c.year.is_between(1975, 1990),
        c.rating.is_null(),
        c.rating < 8.2,
        c.title.str.contains("e"),
        c.title.str.contains("[a-m]$"),
        c.id.is_in([1, 3, 5, 7, None]),
        (c.id + 1) % 3 != 0,
        c.title.str.len_chars() > 6,
        c.year.eq_missing(1979),
    ]
)


def trees(leaf):
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.builds(lambda a, b: a & b, inner, inner),
            st.builds(lambda a, b: a | b, inner, inner),
            st.builds(lambda a: ~a, inner),
        ),
        max_leaves=4,
    )


def steps(tree):
    return st.one_of(
        st.builds(lambda one: lambda f: f.filter(one), tree),
        st.builds(lambda n: lambda f: f.head(n), st.integers(0, 8)),
        st.builds(lambda n, m: lambda f: f.slice(n, m), st.integers(0, 4), st.integers(0, 5)),
        st.sampled_from(
            [
                lambda f: f.with_columns(double=c.id * 2).filter(c.double > 6),
                lambda f: f.with_row_index("row").filter(c.row % 2 == 0).drop("row"),
                lambda f: f.filter(c.id >= c.id.mean()),
                lambda f: f.join(f.filter(c.id % 2 == 0), on="id", how="semi", maintain_order="left"),
                lambda f: f.unique("id", keep="first", maintain_order=True),
            ]
        ),
    )


def run(frame, chain, engine):
    for step in chain:
        frame = step(frame)
    try:
        return frame.select("id").collect(engine=engine)["id"].to_list()
    except pl.exceptions.PolarsError as error:
        return type(error)


@settings(DIFFERENTIAL, max_examples=scaled(80))
@given(
    chain=st.lists(steps(trees(leaves())), min_size=1, max_size=4), engine=st.sampled_from(["in-memory", "streaming"])
)
def test_a_scan(edges, edge_db, chain, engine):
    assert run(edge_db.scan("edges"), chain, engine) == run(table_to_polars(edges).lazy(), chain, engine)


@settings(DIFFERENTIAL, max_examples=scaled(80))
@given(
    search=st.sampled_from(SEARCHES),
    before=st.none() | trees(FILM_LEAVES),
    chain=st.lists(steps(trees(FILM_LEAVES)), max_size=4),
    engine=ENGINES,
)
def test_a_search(shared_films, search, before, chain, engine):
    db, movies = shared_films
    kept = movies if before is None else movies.filter(before)
    listed = ", ".join(map(str, kept["id"])) or "NULL"
    held = search(db, filter=f"id IN ({listed})").collect()
    assert run(search(db, filter=before), chain, engine) == run(held.lazy(), chain, engine)


@pytest.fixture(scope="module")
def shared_films(library):
    import lancesql

    with lancesql.connect(library) as db:
        yield db, db.scan("movies").collect()
