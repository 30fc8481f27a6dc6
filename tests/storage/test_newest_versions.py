"""The newest version is what Lance says, though its folder is looked at alone for as long as it stays as it is."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import lance
import pyarrow as pa
import pytest

import lancesql
from lancesql.storage.newest_versions import NewestVersions

ROWS = pa.table({"id": [1, 2, 3]})


@pytest.fixture
def uri(tmp_path: Path) -> str:
    uri = str(tmp_path / "docs.lance")
    lance.write_dataset(ROWS, uri)
    return uri


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders settle after a tenth of a second, many ticks of this machine's clock."""
    monkeypatch.setattr("lancesql.storage.newest_versions._SETTLED", 0.1)


def ask_of(uri: str, asked: list[int]) -> Callable[[], int]:
    def ask() -> int:
        asked.append(lance.dataset(uri).latest_version)
        return asked[-1]

    return ask


def settle(newest: NewestVersions, uri: str, ask: Callable[[], int]) -> None:
    newest.find(uri, ask)
    time.sleep(0.15)
    newest.find(uri, ask)


@pytest.mark.usefixtures("soon")
def test_lance_is_not_asked_of_a_folder_that_has_settled(uri: str) -> None:
    newest, asked = NewestVersions(), []
    settle(newest, uri, ask_of(uri, asked))
    assert [newest.find(uri, ask_of(uri, asked)) for _ in range(5)] == [1] * 5
    assert asked == [1, 1]


@pytest.mark.usefixtures("soon")
def test_every_commit_is_seen_at_once(uri: str) -> None:
    newest, asked = NewestVersions(), []
    ask = ask_of(uri, asked)
    for number in range(2, 40):
        if number % 10 == 0:
            settle(newest, uri, ask)
        lance.write_dataset(ROWS, uri, mode="append")
        assert newest.find(uri, ask) == number


def test_a_folder_that_was_just_changed_is_asked_of_every_time(uri: str) -> None:
    newest, asked = NewestVersions(), []
    for _ in range(20):
        newest.find(uri, ask_of(uri, asked))
    assert len(asked) == 20


@pytest.mark.usefixtures("soon")
def test_a_table_made_anew_is_not_taken_for_the_old_one(uri: str) -> None:
    newest, asked = NewestVersions(), []
    ask = ask_of(uri, asked)
    lance.write_dataset(ROWS, uri, mode="append")
    settle(newest, uri, ask)
    assert newest.find(uri, ask) == 2
    shutil.rmtree(uri)
    with pytest.raises(ValueError, match="not found"):
        newest.find(uri, ask)
    lance.write_dataset(ROWS, uri)
    assert newest.find(uri, ask) == 1


def test_what_is_no_folder_here_is_asked_of_every_time() -> None:
    newest, answers = NewestVersions(), iter([4, 5])
    assert [newest.find("s3://bucket/docs.lance", lambda: next(answers)) for _ in range(2)] == [4, 5]


@pytest.mark.usefixtures("soon")
def test_a_cached_statement_sees_what_another_handle_commits(uri: str) -> None:
    with lancesql.connect(Path(uri).parent) as db:
        for _ in range(3):
            assert db.sql("SELECT count(*) FROM docs").fetchall() == [(3,)]
            time.sleep(0.12)
        for number in range(2, 12):
            lance.write_dataset(ROWS, uri, mode="append")
            assert db.sql("SELECT count(*) FROM docs").fetchall() == [(3 * number,)]
