"""One connection in several threads, connections made by `cursor`, and children of the process."""

from __future__ import annotations

import multiprocessing
import os
import random
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

import lancesql
from lancesql import ConnectionClosedError, LanceSQLError, QueryInterruptedError
from tests.library import open_library

ROOT = Path(__file__).resolve().parent.parent
STATEMENTS = (
    ("SELECT id FROM vector_search('movies', $q, k => 3)", [1.0, 0.0, 0.0, 0.0]),
    ("SELECT id FROM vector_search('movies', $q, k => 3) WHERE upper(title) > 'B'", [0.0, 1.0, 0.0, 0.0]),
    ("SELECT id FROM vector_search('movies', $q, k => 4) m WHERE m.id IN (SELECT movie_id FROM box_office)", [1.0] * 4),
    ("SELECT id, _score FROM fts('movies', 'monster OR chief') ORDER BY _score DESC, id", None),
    ("SELECT genre, count(*) FROM (SELECT unnest(genres) AS genre FROM movies) GROUP BY genre ORDER BY genre", None),
    ("SELECT r.id, m.id FROM reviews r, LATERAL vector_search('movies', [r.stars, r.id, 0, 0], k => 1) m", None),
    ("SELECT sum(gross) FROM box_office JOIN movies ON id = movie_id WHERE year > 1975", None),
    ("SELECT id, title FROM movies ORDER BY vector <-> [0, 0, 1, 0] LIMIT 2", None),
    ("SELECT sum(range) FROM range(20000)", None),
    ("SHOW VERSIONS ON stock", None),
)


@pytest.fixture
def db(library: Path) -> Iterator[lancesql.Connection]:
    with open_library(library) as db:
        yield db


def ask(db: lancesql.Connection, number: int) -> list[tuple[object, ...]]:
    sql, vector = STATEMENTS[number]
    return db.sql(sql, None if vector is None else {"q": vector}).fetchall()


def run_in_threads(acts: list[Callable[[], object]]) -> None:
    """Runs each act on a thread of its own, all at once, and raises the first error of any."""
    start = threading.Barrier(len(acts))

    def work(act: Callable[[], object]) -> object:
        start.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        for done in [pool.submit(work, act) for act in acts]:
            done.result()


def test_eight_threads_on_one_connection(db: lancesql.Connection) -> None:
    wanted = [ask(db, number) for number in range(len(STATEMENTS))]

    def work(seed: int) -> None:
        for number in random.Random(seed).choices(range(len(STATEMENTS)), k=25):
            assert ask(db, number) == wanted[number]

    run_in_threads([lambda seed=seed: work(seed) for seed in range(8)])


def test_threads_that_write_and_change_the_session(db: lancesql.Connection, tmp_path: Path) -> None:
    with lancesql.connect(tmp_path / "own") as own:
        own.execute("CREATE TABLE counted (thread INTEGER, n INTEGER)")

        def work(thread: int) -> None:
            for n in range(4):
                own.register(f"given_{thread}", pa.table({"thread": [thread], "n": [n]}))
                own.execute(f"INSERT INTO counted SELECT * FROM given_{thread}")
                own.execute(f"CREATE OR REPLACE VIEW seen_{thread} AS SELECT n FROM counted WHERE thread = {thread}")
                assert own.sql(f"SELECT max(n) FROM seen_{thread}").fetchall() == [(n,)]
                own.execute("SET lancesql.recall = 0.9")

        run_in_threads([lambda thread=thread: work(thread) for thread in range(8)])
        found = own.sql("SELECT thread, list_sort(list(n)) FROM counted GROUP BY thread ORDER BY thread").fetchall()
        assert found == [(thread, [0, 1, 2, 3]) for thread in range(8)]


def test_one_lazy_result_in_several_threads(db: lancesql.Connection) -> None:
    result = db.sql("SELECT m.id, r.range FROM movies m, range(500) r ORDER BY ALL")
    answers: list[pa.Table] = []
    run_in_threads([lambda: answers.append(result.to_arrow())] * 6)
    assert len(answers) == 6
    assert all(one is answers[0] for one in answers)


def test_a_stream_that_another_thread_ends_says_so(db: lancesql.Connection) -> None:
    """Each row of the stream is right until then; it never ends early without an error."""
    reader = db.sql("SELECT a.id, r.range FROM movies a, range(1000000) r").to_reader()
    rows = reader.read_next_batch().num_rows
    run_in_threads([lambda: db.sql("SELECT sum(gross) FROM box_office").fetchall()])
    assert 0 < rows < 12_000_000
    with pytest.raises(LanceSQLError, match="ended this stream"):
        reader.read_all()


def test_a_function_that_uses_the_connection_of_its_statement_is_told(library: Path) -> None:
    """DuckDB calls it on a thread of its own, which must not wait for the statement that waits for it."""
    own = duckdb.connect()
    with lancesql.connect(library, duckdb=own) as db:
        told: list[str] = []

        def look(number: int) -> int:
            try:
                db.sql("SELECT sum(a.id) FROM movies a, range(3) b").fetchall()
            except LanceSQLError as error:
                told.append(str(error))
            return number

        own.create_function("look", look, ["BIGINT"], "BIGINT", side_effects=True)
        assert db.sql("SELECT sum(look(id)) FROM movies WHERE id < 4").fetchall() == [(6,)]
        assert all("busy" in one or "being read" in one for one in told), told
    own.close()


def test_an_embedding_function_may_use_a_cursor(library: Path, tmp_path: Path) -> None:
    with lancesql.connect(library) as db, db.cursor() as other:
        db.register_embedding(
            "movies",
            "vector",
            lambda texts: [[other.sql("SELECT count(*) FROM movies").fetchall()[0][0], 0, 0, 0] for _ in texts],
        )
        assert db.sql("SELECT embed('monster') AS v FROM movies LIMIT 1").fetchall() == [((12.0, 0.0, 0.0, 0.0),)]


def test_close_stops_what_another_thread_runs(library: Path) -> None:
    db = lancesql.connect(library)
    started = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        started.set()
        try:
            db.sql("SELECT sum(sqrt(a.range * b.range)) FROM range(200000) a, range(200000) b").fetchall()
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    while not any(watch._running for watch in db._watches.find_all()):
        threading.Event().wait(0.002)
    db.close()
    thread.join()
    # Between the statement and the reading of its rows there is nothing to interrupt.
    assert [type(one) for one in failures] in ([QueryInterruptedError], [ConnectionClosedError])
    with pytest.raises(ConnectionClosedError):
        db.sql("SELECT 1")


def test_an_answer_that_is_not_read_yet_ends_with_its_connection(library: Path) -> None:
    db = lancesql.connect(library)
    answer = db.sql("SELECT m.id FROM movies m, range(3)")
    db.close()
    with pytest.raises(ConnectionClosedError, match="the connection is closed"):
        answer.fetchall()


# --- cursors


def test_a_cursor_runs_while_its_parent_is_read(db: lancesql.Connection) -> None:
    with db.cursor() as other:
        reader = db.sql("SELECT a.id, r.range FROM movies a, range(100000) r").to_reader()
        rows = reader.read_next_batch().num_rows
        assert other.sql("SELECT sum(gross) FROM box_office").fetchall() == [(916,)]
        assert ask(other, 0) == [(1,), (2,), (6,)]
        assert rows + sum(batch.num_rows for batch in reader) == 1_200_000


def test_a_cursor_takes_over_the_session_and_keeps_its_own(db: lancesql.Connection) -> None:
    db.register("given", pa.table({"n": [7]}))
    db.execute("CREATE VIEW early AS SELECT id, title FROM movies WHERE year < 1960")
    db.execute("SET lancesql.recall = 0.5")
    db.execute("SET TimeZone = 'Asia/Tokyo'")
    with db.cursor() as other:
        assert other.sql("SELECT n, title FROM given, early").fetchall() == [(7, "Casablanca")]
        assert other.settings.recall == 0.5
        assert other.sql("SELECT current_setting('TimeZone')").fetchall() == [("Asia/Tokyo",)]
        other.execute("DROP VIEW early")
        other.execute("RESET lancesql.recall")
        assert db.sql("SELECT count(*) FROM early").fetchall() == [(1,)]
        assert db.settings.recall == 0.5
        other.execute("CREATE TABLE memory.main.later AS SELECT 1 AS n")
    assert db.sql("SELECT n FROM later").fetchall() == [(1,)]


def test_a_cursor_knows_the_attached_databases(db: lancesql.Connection, tmp_path: Path) -> None:
    db.execute(f"ATTACH '{tmp_path / 'more'}' AS more (TYPE LANCE)")
    db.execute("CREATE TABLE more.notes AS SELECT 1 AS n")
    db.execute("USE more")
    with db.cursor() as other:
        assert other.sql("SELECT n FROM notes").fetchall() == [(1,)]
        other.execute("USE lance")
        other.execute("DETACH more")
    assert db.sql("SELECT n FROM more.notes").fetchall() == [(1,)]


def test_a_table_that_a_cursor_made_shadows_a_plan_that_was_kept(db: lancesql.Connection) -> None:
    assert len(db.sql("SELECT * FROM halves").fetchall()) == 2
    with db.cursor() as other:
        other.execute("CREATE TABLE memory.main.halves AS SELECT 1 AS n")
        with pytest.raises(lancesql.AmbiguousNameError):
            db.sql("SELECT * FROM halves").fetchall()


def test_eight_cursors_at_once(db: lancesql.Connection) -> None:
    wanted = [ask(db, number) for number in range(len(STATEMENTS))]

    def work(seed: int) -> None:
        with db.cursor() as own:
            for number in random.Random(seed).choices(range(len(STATEMENTS)), k=12):
                assert ask(own, number) == wanted[number]

    run_in_threads([lambda seed=seed: work(seed) for seed in range(8)])


# --- children

CHILD = """
import multiprocessing, sys
import lancesql

QUERY = {"q": [1.0, 0.0, 0.0, 0.0]}
SQL = "SELECT m.id FROM vector_search('movies', $q, k => 3) m JOIN range(100) r ON r.range = m.id ORDER BY 1"

def ask_anew(answers):
    with lancesql.connect(sys.argv[1]) as own:
        answers.put(own.sql(SQL, QUERY).fetchall())

def connect_late(answers):
    try:
        lancesql.connect(sys.argv[1])
    except lancesql.StorageError as error:
        answers.put(str(error).split(" forked")[0])
    answers.put(lancesql.sql("SELECT 42").fetchall())

def ask_inherited(answers):
    for act in (lambda: db.sql(SQL, QUERY), lambda: unread.fetchall(), lambda: db.cursor(), db.tables, stream.read_all):
        try:
            act()
            answers.put("answered")
        except lancesql.ConnectionClosedError as error:
            answers.put(str(error).split(" by process")[0])
    db.close()
    answers.put(len(read.to_arrow()))

def run_child(method, work, count):
    context = multiprocessing.get_context(method)
    answers = context.Queue()
    child = context.Process(target=work, args=(answers,))
    child.start()
    for _ in range(count):
        print(answers.get(timeout=60))
    child.join(60)
    print(child.exitcode)

run_child("fork", ask_anew, 1)
db = lancesql.connect(sys.argv[1])
lancesql.sql("SELECT 1").fetchall()
read = db.sql(SQL, QUERY)
print(read.fetchall())
unread = db.sql("SELECT sum(id) FROM movies JOIN range(100) ON range = id")
stream = db.sql("SELECT a.id, r.range FROM movies a, range(100000) r").to_reader()
stream.read_next_batch()
run_child("fork", connect_late, 2)
run_child("fork", ask_inherited, 6)
print(stream.read_all().num_rows > 0, db.sql(SQL, QUERY).fetchall())
db.close()
"""


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="fork is of Unix")
def test_a_child_opens_its_own_and_is_told_of_an_inherited_one(library: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(CHILD), str(library)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    nearest = "[(1,), (2,), (6,)]"
    late = ["Lance cannot be used in a process", "[(42,)]", "0"]
    told = ["the connection was opened"] * 5
    wanted = [nearest, "0", nearest, *late, *told, "3", "0", f"True {nearest}"]
    assert done.stdout.splitlines() == wanted, done.stderr
