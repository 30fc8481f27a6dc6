"""The same values whether DuckDB's own fetchall or Arrow brought them."""

import datetime as dt
import decimal
import math
import uuid
import zoneinfo

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from lancesql.execution.results.rows import table_to_rows

# Arrow drops the offset of TIME WITH TIME ZONE.
LOST_IN_ARROW = {"time_tz"}


def all_types():
    with duckdb.connect() as connection:
        relation = connection.sql("SELECT * FROM test_all_types()")
        return [name for name in relation.columns if name not in LOST_IN_ARROW]


def fetch_both_ways(query, *, settings=()):
    with duckdb.connect() as connection:
        for setting in settings:
            connection.execute(setting)
        native = connection.sql(query).fetchall()
        relation = connection.sql(query)
        types = [str(kind) for kind in relation.types]
        return native, table_to_rows(relation.to_arrow_table(), types)


def assert_same(left, right):
    assert type(left) is type(right), (left, right)
    if isinstance(left, float):
        assert left == right or (math.isnan(left) and math.isnan(right))
    elif isinstance(left, (list, tuple)):
        assert len(left) == len(right), (left, right)
        for a, b in zip(left, right, strict=True):
            assert_same(a, b)
    elif isinstance(left, dict):
        assert list(left) == list(right)
        for key in left:
            assert_same(left[key], right[key])
    elif isinstance(left, dt.datetime):
        assert left == right  # aware moments compare by instant
        assert (left.tzinfo is None) == (right.tzinfo is None)
        assert left.utcoffset() == right.utcoffset()
    else:
        assert left == right


@pytest.fixture(autouse=True)
def _need_pytz():
    pytest.importorskip("pytz", reason="DuckDB's own fetchall needs it for zoned timestamps")


@pytest.mark.parametrize("column", all_types())
def test_every_duckdb_type(column):
    native, ours = fetch_both_ways(f'SELECT "{column}" FROM test_all_types()')
    assert_same(native, ours)


@pytest.mark.parametrize("column", all_types())
def test_every_duckdb_type_of_an_empty_answer(column):
    native, ours = fetch_both_ways(f'SELECT "{column}" FROM test_all_types() LIMIT 0')
    assert native == ours == []


@pytest.mark.parametrize("column", all_types())
def test_every_duckdb_type_nested(column):
    native, ours = fetch_both_ways(
        f"""SELECT list("{column}") AS l, first({{'a': "{column}", 'b': [{{'c': "{column}"}}]}}) AS s,
                   map {{1: first("{column}")}} AS m, array_value(first("{column}"), NULL) AS f
            FROM test_all_types()"""
    )
    assert_same(native, ours)


@pytest.mark.parametrize(
    "query",
    [
        (
            "SELECT (-1)::HUGEINT, sum(range), sum(range) FILTER (range > 99), "
            "170141183460469231731687303715884105727::HUGEINT FROM range(5)"
        ),
        "SELECT 12345678901234567890123::BIGNUM, 0::BIGNUM, (-5)::BIGNUM",
        "SELECT make_timestamp_ns(-1), make_timestamp_ns(-1001), make_timestamp_ns(1999), NULL::TIMESTAMP_NS",
        (
            "SELECT 'infinity'::TIMESTAMP_S, '-infinity'::TIMESTAMP_MS, 'infinity'::TIMESTAMP_NS, "
            "'infinity'::TIMESTAMP, '-infinity'::TIMESTAMPTZ, 'infinity'::DATE, '-infinity'::DATE"
        ),
        (
            "SELECT '0044-03-15 (BC)'::DATE, '0044-03-15 (BC) 01:02:03.5'::TIMESTAMP, '10000-01-01'::DATE, "
            "'12345-01-01 00:00:00.000001'::TIMESTAMP, '0001-01-01'::DATE, '0001-12-31 (BC)'::DATE, '9999-12-31'::DATE"
        ),
        "SELECT '10000-01-01 10:11:12'::TIMESTAMPTZ, '2024-07-01 12:00:00+00'::TIMESTAMPTZ",
        "SELECT INTERVAL '1 month -3 days', INTERVAL '-1 microsecond', INTERVAL '-5 years', INTERVAL '30:00:00.5'",
        (
            "SELECT map {[1, 2]: 'a'}, map {{'a': 1}: 2}, map {array_value(1, 2): 2}, map {1.5::DOUBLE: 1}, "
            "map {'a'::BLOB: 1}, MAP {}, NULL::MAP(INTEGER, UUID)"
        ),
        "SELECT row(1, '101'::BIT), {'a': 1::HUGEINT, 'b c': 5::UHUGEINT, 'd\"e': '101'::BIT, 'UUID': 'x'}",
        "SELECT union_value(a := '101'::BIT) UNION ALL SELECT NULL",
        (
            "SELECT [1::HUGEINT, NULL], [['1'::BIT]], map {1::HUGEINT: '1'::BIT}, array_value('11'::BIT, '0'::BIT), "
            "'x'::ENUM('x', 'it''s (a UUID'), 'UUID'"
        ),
        "SELECT '{}'::JSON, NULL, 1.5::DECIMAL(38, 0), 7::DECIMAL(38, 0)",
        "SELECT i, i % 3 = 0, nullif(i % 5, 2), repeat('é', i), [i, NULL] FROM range(20) t(i)",
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_awkward_values(query, zone):
    native, ours = fetch_both_ways(query, settings=[f"SET TimeZone = '{zone}'"])
    assert_same(native, ours)


def test_uuids_nested():
    query = """SELECT u, [u], {'u': u}, map {u: u}, array_value(u, u), union_value(a := u)
               FROM (SELECT '00112233-4455-6677-8899-aabbccddeeff'::UUID AS u)"""
    native, ours = fetch_both_ways(query)
    assert_same(native, ours)


def test_lossless_exports():
    query = """SELECT '00112233-4455-6677-8899-aabbccddeeff'::UUID, (-7)::HUGEINT, 3::UHUGEINT, '1011'::BIT, 5::BIGNUM,
                      '{}'::JSON, '12:00:00+02'::TIMETZ, '24:00:00-02:30:15'::TIMETZ, '10:00:00.5-02:30:15'::TIMETZ,
                      {'h': 1::HUGEINT, 't': '12:00:00+00'::TIMETZ}"""
    native, ours = fetch_both_ways(query, settings=["SET arrow_lossless_conversion = true"])
    assert_same(native, ours)


def arrow_answers():
    """Arrow columns as Lance stores them that DuckDB can read too."""
    vectors = pa.array([[1.0, 2.0], None, [math.inf, -0.5]], pa.list_(pa.float32(), 2))
    moments = [dt.datetime(2024, 7, 1, 12, 0, 0, 123456), None, dt.datetime(1, 1, 1)]
    late = [dt.datetime(2024, 7, 1), None, dt.datetime(1700, 1, 1)]
    return {
        "vector": vectors,
        "vector sliced": pa.concat_arrays([vectors, vectors]).slice(1, 3),
        "multivector": pa.array([[[1.0, 2.0]], [], None], pa.list_(pa.list_(pa.float32(), 2))),
        "large list": pa.array([["a"], None, []], pa.large_list(pa.string())),
        "list view": pa.array([[1, 2], None, []], pa.list_view(pa.int32())),
        "string view": pa.array(["a", None, "ß"], pa.string_view()),
        "binary view": pa.array([b"a", None, b""], pa.binary_view()),
        "large string": pa.array(["a", None, ""], pa.large_string()),
        "fixed binary": pa.array([b"ab", None, b"cd"], pa.binary(2)),
        "dictionary": pa.array(["a", None, "b"]).dictionary_encode(),
        "dictionary of numbers": pa.array([5, None, 7]).dictionary_encode(),
        "run end encoded": pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array(["a", None])),
        "date64": pa.array([dt.date(2024, 1, 1), None, dt.date(1, 1, 1)], pa.date64()),
        "time32": pa.array([dt.time(1, 2, 3), None, dt.time(0)], pa.time32("ms")),
        "time64 ns": pa.array([3_723_000_001_999, None, 0], pa.time64("ns")),
        "timestamp s": pa.array(late, pa.timestamp("s")),
        "timestamp ms": pa.array(late, pa.timestamp("ms")),
        "timestamp us": pa.array(moments, pa.timestamp("us")),
        "timestamp ns": pa.array([-1, None, 1999], pa.timestamp("ns")),
        "timestamp tz": pa.array(late, pa.timestamp("us", "Europe/Paris")),
        "timestamp tz ms": pa.array(late, pa.timestamp("ms", "+05:30")),
        "timestamp tz ns": pa.array([-1, None, 1999], pa.timestamp("ns", "UTC")),
        "duration s": pa.array([dt.timedelta(days=3), None, dt.timedelta(seconds=-1)], pa.duration("s")),
        "duration ns": pa.array([-1, -1999, 1999], pa.duration("ns")),
        "duration us": pa.array([dt.timedelta(microseconds=3), None, dt.timedelta(seconds=-1)], pa.duration("us")),
        "decimal": pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("-2.25")], pa.decimal128(38, 2)),
        "small decimal": pa.array([decimal.Decimal("1.5"), None, decimal.Decimal("-2.5")], pa.decimal32(5, 1)),
        "bool": pa.array([True, None, False]),
        "null": pa.nulls(3),
        "uint64": pa.array([2**64 - 1, None, 0], pa.uint64()),
        "float with nan": pa.array([math.nan, None, 1e300]),
        "struct": pa.array([{"a": 1, "b": ["x"]}, None, {"a": None, "b": None}]),
        "map": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int32())),
        "uuid": pa.array([uuid.UUID(int=5).bytes, None, uuid.UUID(int=6).bytes], pa.uuid()),
        "json": pa.array(['{"a": 1}', None, "[]"], pa.json_()),
        "bool8": pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, None, 0], pa.int8())),
        "tensor": pa.ExtensionArray.from_storage(
            pa.fixed_shape_tensor(pa.float32(), [1, 2]), pa.array([[1, 2], None, [3, 4]], pa.list_(pa.float32(), 2))
        ),
    }


@pytest.mark.parametrize("name", arrow_answers())
def test_arrow_straight_from_lance_equals_duckdb(name):
    answer = pa.table({"x": arrow_answers()[name]})
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        native = connection.sql("SELECT * FROM answer").fetchall()
    ours = table_to_rows(answer)
    if "tz" in name:
        assert [value for (value,) in native] == [value for (value,) in ours]
    else:
        assert_same(native, ours)
    sliced = table_to_rows(answer.slice(1, 2))
    assert repr(sliced) == repr(ours[1:3])


def test_values_duckdb_cannot_read():
    table = pa.table(
        {
            "half": pa.array(np.array([1.5, 2.5], "f2")),
            "halves": pa.FixedSizeListArray.from_arrays(pa.array(np.array([1, 2, 3, 4], "f2")), 2),
            "wide": pa.array([decimal.Decimal("1.5"), None], pa.decimal256(60, 1)),
            "either": pa.UnionArray.from_dense(
                pa.array([1, 0], pa.int8()), pa.array([0, 0], pa.int32()), [pa.array([7]), pa.array(["a"])]
            ),
        }
    )
    assert table_to_rows(table) == [
        (1.5, (1.0, 2.0), decimal.Decimal("1.5"), "a"),
        (2.5, (3.0, 4.0), None, 7),
    ]
    assert [type(value) for value in table_to_rows(table)[0][:2]] == [float, tuple]


def test_a_zone_is_kept():
    moment = dt.datetime(2024, 7, 1, 12, tzinfo=dt.UTC)
    ((value,),) = table_to_rows(pa.table({"t": pa.array([moment], pa.timestamp("us", "Europe/Paris"))}))
    assert value == moment
    assert value.tzinfo == zoneinfo.ZoneInfo("Europe/Paris")
    assert value.hour == 14


def test_moments_at_the_edge_of_a_zone():
    last = pa.array([253402300799_000_000], pa.int64()).cast(pa.timestamp("us", "Asia/Tokyo"))
    ((value,),) = table_to_rows(pa.table({"t": last}))
    assert value == dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)


def test_an_interval_longer_than_python_can_hold():
    ((value,),) = table_to_rows(pa.table({"i": pa.array([pa.MonthDayNano([36_000_005, 2, -1_500_000_000])])}))
    assert value == "3000000 years 5 months 2 days -00:00:01.5"


def test_no_columns_and_many_chunks():
    assert table_to_rows(pa.table({"a": [1, 2]}).select([])) == [(), ()]
    chunked = pa.chunked_array([[1, 2], [], [None]])
    assert table_to_rows(pa.table({"a": chunked, "b": chunked})) == [(1, 1), (2, 2), (None, None)]
    assert table_to_rows(pa.table({"a": pa.chunked_array([], pa.int64())})) == []


def test_columns_of_the_same_name():
    table = pa.table([pa.array([1]), pa.array(["x"])], names=["a", "a"])
    assert table_to_rows(table, ["INTEGER", "VARCHAR"]) == [(1, "x")]
