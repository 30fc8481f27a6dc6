"""Which version of a table is read: by number, tag, branch and moment; nothing that is written is passed over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import lance
import pyarrow as pa
import pytest

import lancesql
from lancesql import ArgumentError, LanceSQLError, ParseError, UnsupportedError


@pytest.fixture
def db(tmp_path: Path) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path) as db:
        fill(db)
        yield db


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lancesql.Connection]:
    with lancesql.connect(tmp_path_factory.mktemp("snapshots")) as db:
        fill(db)
        yield db


def fill(db: lancesql.Connection) -> None:
    db.execute("CREATE TABLE t AS SELECT i AS id, [i, 1]::FLOAT[2] AS v FROM range(3) r(i)")
    for number in range(3):
        db.execute("INSERT INTO t VALUES ($n, [$n, 2])", {"n": 10 + number})


def count(db: lancesql.Connection, snapshot: str) -> int:
    ((found,),) = db.sql(f"SELECT count(*) FROM t {snapshot}").fetchall()
    return int(found)


@pytest.mark.parametrize("zone", ["UTC", "America/Lima", "Asia/Kathmandu"])
def test_a_moment_is_read_by_the_time_zone_of_the_session(db: lancesql.Connection, zone: str) -> None:
    versions = db.sql("SELECT version, timestamp FROM (SHOW VERSIONS ON t) ORDER BY version").fetchall()
    db.execute(f"SET TimeZone = '{zone}'")
    for version, moment in versions:
        text = moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S.%f")
        micros = int(moment.timestamp() * 1e6) + 1
        for snapshot in (
            f"AT (TIMESTAMP => '{text}')",
            f"AT (TIMESTAMP => TIMESTAMP '{text}')",
            f"AT (TIMESTAMP => '{text}'::TIMESTAMP - INTERVAL '0 days')",
            f"FOR TIMESTAMP AS OF '{moment.isoformat()}'",
            f"TIMESTAMP AS OF {micros}",
        ):
            assert count(db, snapshot) == 2 + version, snapshot
        ((found,),) = db.sql(
            f"SELECT count(*) FROM vector_search('t', [0, 0], k => 99, timestamp => '{text}')"
        ).fetchall()
        assert found == 2 + version
    earlier = versions[0][1].astimezone(ZoneInfo(zone)) - timedelta(milliseconds=1)
    with pytest.raises(ArgumentError, match="no version that early"):
        count(db, f"AT (TIMESTAMP => '{earlier.strftime('%Y-%m-%d %H:%M:%S.%f')}')")


def test_now_is_asked_each_time(db: lancesql.Connection, tmp_path: Path) -> None:
    for number in range(3):
        assert count(db, "TIMESTAMP AS OF now()") == 6 + number
        with lancesql.connect(tmp_path) as other:
            other.execute("INSERT INTO t VALUES (99, [0, 0])")


@pytest.mark.parametrize(
    ("snapshot", "error", "message"),
    [
        ("@1", ParseError, "syntax error"),
        ("TIMESTAMP AS OF now() - INTERVAL 1 DAY", ParseError, "stands in brackets"),
        ("AT (TIMESTAMP => 'soon')", ArgumentError, "'soon' is not a timestamp"),
        ("AT (TIMESTAMP => NULL)", ArgumentError, "not a timestamp"),
        ("AT (TIMESTAMP => 'infinity')", ArgumentError, "not a timestamp"),
        ("AT (TIMESTAMP => id)", LanceSQLError, '"id"'),
        ("AT (TIMESTAMP => nope())", LanceSQLError, "nope"),
        ("AT (VERSION => 1 + 1)", ArgumentError, "written in the statement"),
        ("AT (VERSION => 9)", ArgumentError, "no version 9"),
        ("AT (BRANCH => 'side', VERSION => 'x')", ArgumentError, "a version of a branch is a number"),
        ("AT (BRANCH => 'side')", ArgumentError, "no branch 'side'"),
        ("AS x (a) AT (VERSION => 1)", LanceSQLError, ""),
        ("VERSION AS OF -1", LanceSQLError, ""),
    ],
)
@pytest.mark.parametrize(
    "query", ["SELECT count(*) FROM t {}", "SELECT id FROM t {}", "SELECT id + 1 FROM t {} WHERE id > 1"]
)
def test_what_is_not_understood_is_refused(
    shared: lancesql.Connection, query: str, snapshot: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        shared.sql(query.format(snapshot)).fetchall()
    assert message in str(caught.value)


def test_branches_and_their_tags(db: lancesql.Connection, tmp_path: Path) -> None:
    db.execute("CREATE BRANCH side ON t AS OF VERSION 1")
    main = lance.dataset(tmp_path / "t.lance")
    side = main.checkout_version(("side", None))
    row = pa.table({"id": pa.array([77], pa.int64()), "v": pa.array([[7, 7]], pa.list_(pa.float32(), 2))})
    lance.write_dataset(row, side, mode="append")
    newest = main.checkout_version(("side", None)).version
    main.tags.create("of_side", ("side", newest))
    for snapshot in ("AT (BRANCH => 'side')", f"AT (BRANCH => 'side', VERSION => {newest})", "AT (TAG => 'of_side')"):
        rows = db.sql(f"SELECT id FROM t {snapshot} ORDER BY id").fetchall()
        assert rows == [(0,), (1,), (2,), (77,)], snapshot
    assert count(db, "AT (BRANCH => 'side', VERSION => 1)") == 3
    assert count(db, f"AT (VERSION => {newest})") == 4  # of the main line: three and one
    for argument in ("branch => 'side'", f"branch => 'side', version => {newest}", "tag => 'of_side'"):
        assert db.sql(f"SELECT id FROM vector_search('t', [7, 7], k => 1, {argument})").fetchall() == [(77,)]
    tags = db.sql("SELECT name, version, branch FROM (SHOW TAGS ON t)").fetchall()
    assert tags == [("of_side", newest, "side")]
    assert all(not one for (one,) in db.sql("SELECT tags FROM (SHOW VERSIONS ON t)").fetchall())
    for version in ("BRANCH side", "TAG of_side", f"BRANCH 'side' VERSION {newest}"):
        with pytest.raises(UnsupportedError, match="cannot go back to a version of a branch"):
            db.execute(f"RESTORE TABLE t TO {version}")
    assert (count(db, ""), main.latest_version) == (6, 4)
    difference = "SELECT change, id FROM (DIFF TABLE t BETWEEN {}) ORDER BY id"
    assert db.sql(difference.format("VERSION 1 AND BRANCH 'side'")).fetchall() == [("insert", 77)]
    assert db.sql(difference.format("TAG 'of_side' AND VERSION 1")).fetchall() == [("delete", 77)]
    assert db.sql(difference.format("BRANCH 'side' VERSION 1 AND TAG 'of_side'")).fetchall() == [("insert", 77)]
    with pytest.raises(UnsupportedError, match="have parted"):
        db.sql(difference.format("VERSION 4 AND BRANCH 'side'"))
    with lancesql.connect(tmp_path) as other:
        assert other.sql("VACUUM t RETAIN 1 VERSIONS").to_arrow()["kept_by"].to_pylist() == [["branch side"]]
        assert count(other, "AT (TAG => 'of_side')") == 4
