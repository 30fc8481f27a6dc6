"""Settings of a session: what they change, and when."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

import lancesql
from lancesql.settings import Settings
from tests.library import open_library


def test_a_statement_whose_plan_is_kept_sees_changed_settings(tmp_path: Path) -> None:
    with lancesql.connect(tmp_path / "db") as db:
        db.execute(
            "CREATE TABLE t AS SELECT i AS id, [sin(i), cos(i * i), sin(3 * i), cos(i)]::FLOAT[4] AS vector "
            "FROM range(400) AS r(i)"
        )
        db.execute("CREATE INDEX ON t (vector) USING IVF_FLAT WITH (num_partitions = 4)")
        sql = "SELECT id FROM vector_search('t', [1, 0, 0, 1], k => 3, exact => false)"
        assert "for recall 0.95" in db.explain(sql)
        assert "for recall 0.95" in db.sql(sql).explain()
        assert "for recall 0.95" in db.sql(sql).explain()
        db.sql("SET lancesql.recall = 0.5")
        assert "for recall 0.5" in db.sql(sql).explain()
        assert "for recall 0.7" in db.explain(sql.replace("k => 3", "k => 3, recall => 0.7"))
        db.sql("RESET lancesql.recall")
        assert "for recall 0.95" in db.sql(sql).explain()
        db.sql("SET lancesql.recall = 1")
        assert "exact: a recall of 1 is asked for" in db.sql(sql.replace(", exact => false", "")).explain()


def test_settings_are_of_one_connection(library: Path) -> None:
    with open_library(library) as one, open_library(library) as other:
        one.sql("SET lancesql.max_rows = 7; SET lancesql.timeout = 2")
        assert (one.settings.max_rows, one.settings.timeout) == (7, 2.0)
        assert other.settings == Settings()


def test_a_mistake_changes_nothing(library: Path) -> None:
    with open_library(library) as db:
        for statement in (
            "SET lancesql.recall = 2",
            "SET lancesql.recall = 0.9 0.8",
            "EXPLAIN SET lancesql.recall = 0.9",
        ):
            try:
                db.sql(statement)
            except lancesql.LanceSQLError:
                continue
        assert db.settings == Settings()


@pytest.mark.parametrize("name", [one.name for one in fields(Settings)])
def test_each_default_is_a_value_the_setting_takes(name: str) -> None:
    with lancesql.connect() as db:
        value = getattr(Settings(), name)
        spelled = "NULL" if value is None else str(value).lower()
        db.sql(f"SET lancesql.{name} = {spelled}")
        assert db.settings == Settings()
        assert db.sql(f"SHOW lancesql.{name}").fetchall() == [(value,)]


def test_settings_are_checked_and_do_not_change_in_place() -> None:
    with pytest.raises(lancesql.ArgumentError, match="'recall' is a number above 0, at most 1, not 3"):
        Settings(recall=3)
    with pytest.raises(FrozenInstanceError):
        Settings().recall = 0.5  # type: ignore[misc]
