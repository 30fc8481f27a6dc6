"""Statements of SQLAlchemy Core answer as they do over SQLite, which is the oracle."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import and_, case, cast, func, not_, or_, select

import lancesql.sqlalchemy as lance

META = sa.MetaData()
FILMS = sa.Table(
    "films",
    META,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("title", sa.String),
    sa.Column("year", sa.Integer),
    sa.Column("rating", sa.Float),
    sa.Column("seen", sa.Boolean),
    sa.Column("released", sa.Date),
    sa.Column("added", sa.DateTime),
)
REVIEWS = sa.Table(
    "reviews",
    META,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("film_id", sa.Integer),
    sa.Column("stars", sa.Integer),
)
MOMENT = dt.datetime(2024, 2, 29, 12, 30, 15, 250)
FILM_ROWS = [
    (1, "Alien", 1979, 8.5, True, dt.date(1979, 5, 25), MOMENT),
    (2, "100% Wolf", 2020, 5.5, False, None, None),
    (3, "It's a_gift", 1934, 7.25, None, dt.date(1934, 11, 30), MOMENT + dt.timedelta(days=1)),
    (4, None, None, None, True, dt.date(2000, 1, 1), MOMENT),
    (5, "Ikiru", 1952, 8.25, False, None, None),
]
REVIEW_ROWS = [(1, 1, 5), (2, 1, 4), (3, 3, 3), (4, 5, 4), (5, 9, 1)]


def fill(engine: sa.Engine) -> None:
    META.create_all(engine)
    with engine.begin() as connection:
        for table, rows in ((FILMS, FILM_ROWS), (REVIEWS, REVIEW_ROWS)):
            connection.execute(table.insert(), [dict(zip(table.c.keys(), row, strict=True)) for row in rows])


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """SQLite, and a Lance database of the same rows; not to be written to."""
    both = (
        sa.create_engine("sqlite://"),
        sa.create_engine(f"lancesql:///{tmp_path_factory.mktemp('films')}"),
    )
    for engine in both:
        fill(engine)
    yield both
    for engine in both:
        engine.dispose()


F, R = FILMS.c, REVIEWS.c
STARS = select(R.film_id, func.avg(R.stars).label("stars")).group_by(R.film_id).subquery("s")
OTHER = FILMS.alias("other")
YEARS = select(F.id, F.year).where(F.year < 2000).cte("years")
QUERIES: dict[str, Any] = {
    "columns": select(F.id, F.title.label("name"), F.rating * 2, F.seen, F.released, F.added),
    "predicates": select(F.id).where(and_(or_(F.year > 1950, F.rating < 6), not_(F.seen.is_(True)))),
    "like": select(F.id).where(F.title.like("%li%")),
    "ilike": select(F.id).where(F.title.ilike("%ALI%")),
    "contains": select(F.id).where(F.title.contains("0% W", autoescape=True)),
    "startswith": select(F.id).where(F.title.startswith("It's a_", autoescape=True)),
    "in": select(F.id).where(F.year.in_([1979, 1934, 1])),
    "in nothing": select(F.id).where(F.year.in_([])),
    "not in": select(F.id).where(F.year.not_in([1979, 1934])),
    "pairs": select(F.id).where(sa.tuple_(F.id, F.year).in_([(1, 1979), (2, 1)])),
    "null": select(F.id).where(F.title.is_(None)),
    "distinct from": select(F.id).where(F.seen.is_distinct_from(True)),
    "between dates": select(F.id).where(F.released.between(dt.date(1970, 1, 1), dt.date(2000, 1, 1))),
    "moment": select(F.id).where(F.added == MOMENT),
    "quote": select(F.id).where(F.title == "It's a_gift"),
    "case": select(F.id, case((F.year < 1950, "old"), (F.year < 1990, "middle"), else_="new")),
    "cast": select(F.id, cast(F.year, sa.String), cast(F.rating, sa.Integer).is_(None)),
    "concat": select(F.id, F.title + "!" + cast(F.id, sa.String)),
    "coalesce": select(F.id, func.coalesce(F.title, "?"), func.lower(F.title), func.length(F.title)),
    "division": select(F.id, F.year / 10, F.year // 10, F.year % 10),
    "aggregates": select(func.count(), func.count(F.title), func.min(F.year), func.max(F.rating), func.sum(F.year)),
    "filtered": select(func.count().filter(F.year > 1950), func.count(F.seen.distinct())),
    "groups": select(F.seen, func.count().label("n")).group_by(F.seen).having(func.count() > 1),
    "join": select(F.id, R.id, R.stars).join(REVIEWS, R.film_id == F.id),
    "outer join": select(F.id, R.stars).outerjoin(REVIEWS, R.film_id == F.id),
    "full join": select(F.id, R.id).join(REVIEWS, R.film_id == F.id, full=True),
    "self join": select(F.id, OTHER.c.id).join(OTHER, OTHER.c.year > F.year),
    "subquery": select(F.title, STARS.c.stars).join(STARS, STARS.c.film_id == F.id),
    "scalar": select(F.id, select(func.count()).where(R.film_id == F.id).scalar_subquery()),
    "exists": select(F.id).where(select(R.id).where(R.film_id == F.id).exists()),
    "in subquery": select(F.id).where(F.id.in_(select(R.film_id).where(R.stars > 3))),
    "union": select(F.id).where(F.id < 3).union(select(R.film_id)),
    "union all": select(F.id).union_all(select(R.film_id)),
    "except": select(F.id).except_(select(R.film_id)),
    "intersect": select(F.id).intersect(select(R.film_id)),
    "cte": select(YEARS.c.id).where(YEARS.c.year > 1940),
    "window": select(F.id, func.row_number().over(partition_by=F.seen, order_by=F.id)),
    "distinct": select(F.seen).distinct(),
    "page": select(F.id).order_by(F.id.desc()).limit(2).offset(1),
    "nulls last": select(F.id).order_by(F.year.desc().nulls_last()).limit(4),
    "literal": select(sa.literal("it's"), sa.literal(2), sa.literal(None), sa.true(), sa.literal(2.5)),
    "text": sa.text("SELECT id FROM films WHERE year > :y AND title <> 'a\\:n'").bindparams(y=1950),
    "bound": select(F.id).where(F.year > sa.bindparam("y", 1950), F.id < sa.bindparam("top", 5)),
}  # fmt: skip


@pytest.mark.parametrize("name", QUERIES)
def test_a_query(engines: Any, name: str) -> None:
    ordered = name in ("page", "nulls last")
    answers = []
    for engine in engines:
        with engine.connect() as connection:
            for _ in range(2):  # the second time out of the caches
                rows = [tuple(row) for row in connection.execute(QUERIES[name])]
        answers.append(rows if ordered else sorted(rows, key=repr))
    assert answers[1] == answers[0]
    assert answers[0] or name == "in nothing"


WRITES: dict[str, Callable[[], Any]] = {
    "insert": lambda: FILMS.insert().values(id=9, title="it's"),
    "insert many": lambda: FILMS.insert().values([{"id": 8, "year": 1}, {"id": 9, "year": None}]),
    "insert select": lambda: FILMS.insert().from_select(["id", "year"], select(F.id + 10, F.year)),
    "update": lambda: FILMS.update().where(F.year < 1960).values(title=F.title + "!", rating=None),
    "update all": lambda: FILMS.update().values(seen=True),
    "update none": lambda: FILMS.update().where(F.id == 77).values(seen=True),
    "update from": lambda: FILMS.update().where(F.id == R.film_id, R.stars == 3).values(year=R.stars),
    "update subquery": lambda: FILMS.update().values(year=select(func.max(R.stars)).scalar_subquery()),
    "delete": lambda: FILMS.delete().where(F.year.is_(None)),
    "delete in": lambda: FILMS.delete().where(F.id.in_(select(R.film_id))),
    "delete all": lambda: FILMS.delete(),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_write(engine: sa.Engine, name: str) -> None:
    found = []
    for one in (sa.create_engine("sqlite://"), engine):
        fill(one)
        with one.begin() as connection:
            count = connection.execute(WRITES[name]()).rowcount
        with one.connect() as connection:
            found.append((count, sorted(map(tuple, connection.execute(select(FILMS))), key=repr)))
        one.dispose()
    assert found[1] == found[0]


def test_many_parameters_are_one_commit(engine: sa.Engine) -> None:
    fill(engine)
    update = FILMS.update().where(F.id == sa.bindparam("key")).values(title=sa.bindparam("name"))
    with engine.begin() as connection:
        versions = connection.execute(sa.text("SHOW VERSIONS ON films")).all()
        done = connection.execute(update, [{"key": i, "name": f"film {i}"} for i in range(4)])
        assert done.rowcount == 3
        assert len(connection.execute(sa.text("SHOW VERSIONS ON films")).all()) == len(versions) + 1


def test_returning(engine: sa.Engine) -> None:
    fill(engine)
    with engine.begin() as connection:
        assert connection.execute(FILMS.insert().values(id=7, year=1).returning(F.id, F.year + 1)).all() == [(7, 2)]
        many = connection.execute(FILMS.insert().returning(F.id), [{"id": 10, "year": 1}, {"id": 11, "year": 2}])
        assert sorted(many.scalars()) == [10, 11]
        assert connection.execute(FILMS.update().where(F.id == 7).values(year=5).returning(F.year)).scalars().all() == [
            5
        ]
        assert connection.execute(FILMS.delete().where(F.id == 7).returning(F.id)).all() == [(7,)]


def test_upsert(engine: sa.Engine) -> None:
    fill(engine)
    rows = [{"id": 1, "title": "new", "year": 1}, {"id": 20, "title": "added", "year": 2}]
    statement = lance.insert(FILMS)
    statement = statement.on_conflict_do_update(index_elements=["id"], set_={"title": statement.excluded.title})
    with engine.begin() as connection:
        connection.execute(statement, rows)
        found = connection.execute(select(F.id, F.title, F.year).where(F.id.in_([1, 20])).order_by(F.id)).all()
        assert found == [(1, "new", 1979), (20, "added", 2)]
        connection.execute(lance.insert(FILMS).values(id=1, title="not").on_conflict_do_nothing(index_elements=["id"]))
        assert connection.scalar(select(F.title).where(F.id == 1)) == "new"


TYPES: dict[str, tuple[Any, list[Any]]] = {
    "bigint": (sa.BigInteger, [2**62, -(2**63)]),
    "utinyint": (lance.SizedInteger("UTINYINT"), [0, 255]),
    "numeric": (sa.Numeric(12, 4), [decimal.Decimal("12345678.1234"), decimal.Decimal("-0.5000")]),
    "float": (sa.Float, [0.1, float("inf")]),
    "real": (sa.REAL, [0.5]),
    "half": (lance.HALF, [0.25]),
    "bool": (sa.Boolean, [True, False]),
    "text": (sa.Text, ["it's", "", "ü\n'"]),
    "bytes": (sa.LargeBinary, [b"\0\xff", b""]),
    "date": (sa.Date, [dt.date(1, 1, 1), dt.date(9999, 12, 31)]),
    "time": (sa.Time, [dt.time(23, 59, 59, 999999)]),
    "datetime": (sa.DateTime, [MOMENT]),
    "zoned": (sa.DateTime(timezone=True), [MOMENT.replace(tzinfo=dt.UTC)]),
    "uuid": (sa.Uuid, [uuid.UUID(int=5)]),
    "uuid text": (sa.Uuid(as_uuid=False), [str(uuid.UUID(int=5))]),
    "json": (sa.JSON, [{"a": [1, None, "it's"]}, [1, 2], "text", 3]),
    "enum": (sa.Enum("red", "green", name="colour"), ["red"]),
    "array": (sa.ARRAY(sa.Integer), [[1, 2], []]),
    "array of arrays": (sa.ARRAY(sa.String, dimensions=2), [[["a"], []]]),
    "vector": (lance.Vector(2), [[1.0, 2.0], [0.5, -0.25]]),
    "half vector": (lance.Vector(2, "HALF"), [[1.0, 2.0]]),
    "struct": (lance.SQLType("STRUCT(a INTEGER, b VARCHAR)"), [{"a": 1, "b": None}]),
}  # fmt: skip


@pytest.mark.parametrize("name", TYPES)
def test_a_type_comes_back_as_it_went(engine: sa.Engine, name: str) -> None:
    kind, values = TYPES[name]
    table = sa.Table("held", sa.MetaData(), sa.Column("id", sa.Integer), sa.Column("value", kind))
    table.metadata.create_all(engine)
    rows = [{"id": at, "value": value} for at, value in enumerate([*values, None])]
    with engine.begin() as connection:
        connection.execute(table.insert(), rows)
        connection.execute(table.insert().values(id=-1, value=values[0]))
        found = connection.execute(select(table.c.value).order_by(table.c.id)).scalars().all()
        assert found == [values[0], *values, None]
        assert [type(one) for one in found[:-1]] == [type(one) for one in [values[0], *values]]
        reflected = sa.Table("held", sa.MetaData(), autoload_with=connection)
        again = connection.execute(select(reflected.c.value).order_by(reflected.c.id)).scalars().all()
    if name not in ("uuid", "json"):  # Lance keeps their text
        assert again == found


def test_members_of_json(engine: sa.Engine) -> None:
    table = sa.Table("held", sa.MetaData(), sa.Column("id", sa.Integer), sa.Column("value", sa.JSON))
    table.metadata.create_all(engine)
    value = table.c.value
    with engine.begin() as connection:
        connection.execute(table.insert(), [{"id": 1, "value": {"a": {"b": [1, "x"]}}}, {"id": 2, "value": {"a": 7}}])
        assert connection.scalar(select(value[("a", "b", 1)].as_string()).where(table.c.id == 1)) == "x"
        assert connection.scalar(select(value["a"]).where(table.c.id == 1)) == {"b": [1, "x"]}
        assert connection.scalar(select(value["a"].as_integer() + 1).where(table.c.id == 2)) == 8


def test_what_sqlite_lacks(engine: sa.Engine) -> None:
    fill(engine)
    values = sa.values(sa.column("a", sa.Integer), name="v").data([(1,), (2,)])
    with engine.connect() as connection:
        assert connection.scalars(select(F.id).order_by(F.id).offset(1).fetch(3)).all() == [2, 3, 4]
        assert sorted(connection.scalars(select(values.c.a))) == [1, 2]
        counted = select(F.id, select(func.count()).where(R.film_id == F.id).lateral("l"))
        assert dict(connection.execute(counted).all())[1] == 2  # type: ignore[arg-type]


def test_words_of_postgresql_that_mean_something_else_are_not_used(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        word = sa.literal("abcd")
        assert connection.scalar(select(word.regexp_match("b.d"))) is True
        assert connection.scalar(select(~word.regexp_match("B"))) is True
        assert connection.scalar(select(word.regexp_match("B", flags="i"))) is True
        assert connection.scalar(select(word.regexp_replace("b.", "x"))) == "axd"
        assert connection.scalar(select(sa.literal(5).bitwise_xor(1))) == 4
        assert connection.scalar(select(func.char_length("äb"))) == 2
        assert isinstance(connection.scalar(select(func.now())), dt.datetime)
        with pytest.raises(sa.exc.CompileError, match="no FOR UPDATE"):
            connection.execute(select(sa.literal(1)).with_for_update())
        with pytest.raises(sa.exc.CompileError, match="WITH TIES"):
            connection.execute(select(F.id).order_by(F.year).fetch(1, with_ties=True))
