"""Every command: it is carried out, it fails and leaves everything as it was, and bad input is shown its place."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import shutil
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lance
import pyarrow as pa
import pyarrow.ipc as ipc
import pytest

import lancesql
from lancesql.engines.namespace import Namespace
from lancesql.plan import (
    column_commands,
    copy_commands,
    database_commands,
    index_commands,
    row_commands,
    upkeep_commands,
)
from lancesql.plan import commands as plan
from tests.differential.rows import count_rows

from .cases import CASES, SESSION, TABLES

MODULES = (column_commands, copy_commands, database_commands, index_commands, row_commands, upkeep_commands)
PARTS = {row_commands.ChangedRows, row_commands.MergeBranch, index_commands.IndexPlan}
"""What commands are made of."""
ROWS = pa.table(
    {
        "id": pa.array([700, 701], pa.int64()),
        "k": pa.array([1, 2], pa.int32()),
        "s": ["seven", "eight"],
        "x": [1.0, None],
        "v": pa.array([[1, 2, 3], None], pa.list_(pa.float32(), 3)),
    }
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of every kind, and databases."""
    folder = tmp_path_factory.mktemp("template")
    (folder / "rows.csv").write_text("id,s\n700,seven\n")
    for name, texts in {"rows": ["seven", "eight"], "bad": ["good", "bad"]}.items():
        rows = ROWS.set_column(2, "s", pa.array(texts))
        with ipc.new_file(str(folder / f"{name}.arrow"), rows.schema) as file:
            file.write_table(rows)
    for name, statements in TABLES.items():
        with lancesql.connect(folder / name) as db:
            for statement in statements:
                db.execute(statement)
    return folder


@contextlib.contextmanager
def open_copy(template: Path, folder: Path) -> Iterator[lancesql.Connection]:
    shutil.copytree(template, folder, dirs_exist_ok=True)
    with lancesql.connect(folder / "main") as db:
        for statement in SESSION:
            db.execute(statement.replace("{folder}", str(folder)))
        yield db


@pytest.fixture(scope="module")
def stage(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[lancesql.Connection, Path]]:
    """A session for all statements that change nothing."""
    folder = tmp_path_factory.mktemp("stage")
    with open_copy(template, folder) as db:
        yield db, folder


def look(db: lancesql.Connection, folder: Path) -> dict[str, Any]:
    """All that a statement could change."""
    seen: dict[str, Any] = {"settings": db.settings, "views": dict(db._views)}
    seen["databases"] = db.sql("SHOW DATABASES").fetchall()
    seen["files"] = sorted(one.name for one in folder.iterdir())
    for path in sorted(folder.glob("*/*.lance")):
        table = lance.dataset(path)
        names = [one.name for one in table.describe_indices()]
        seen[path.name] = (table.version, table.schema, sorted(table.tags.list()), sorted(table.branches.list()), names)
        seen[f"{path.name}: rows"] = count_rows(table.to_table(with_row_id=True))
        seen[f"{path.name}: files"] = sorted(str(one.relative_to(path)) for one in path.rglob("*") if one.is_file())
        seen[f"{path.name}: metadata"] = (table.schema.metadata, table.config())
    return seen


def list_cases(kind: str) -> list[Any]:
    return [
        pytest.param(command, statement, id=f"{command.__name__}: {statement}"[:90])
        for command, cases in CASES.items()
        for statement in getattr(cases, kind)
    ]


def test_every_command_has_cases_of_every_kind() -> None:
    kinds = plan.Command | plan.SettingCommand | plan.ViewCommand | plan.DatabaseCommand
    known = {*typing.get_args(kinds), plan.Explain}
    modules = (plan, *MODULES)
    defined = {
        one
        for module in modules
        for one in vars(module).values()
        if inspect.isclass(one) and dataclasses.is_dataclass(one) and one.__module__ == module.__name__
    }
    assert defined - PARTS == known
    assert set(CASES) == known
    assert [
        command for command, cases in CASES.items() if not (cases.done and cases.fails and cases.makes_no_sense)
    ] == []


@pytest.mark.parametrize("command", CASES, ids=lambda command: command.__name__)
def test_a_command_is_carried_out(command: type, template: Path, tmp_path: Path) -> None:
    with open_copy(template, tmp_path) as db:
        for statement in CASES[command].done:
            text = statement.replace("{folder}", str(tmp_path))
            assert isinstance(db._plan(text, Namespace(None)), command), statement
            db.sql(text).to_arrow()


@pytest.mark.parametrize(("command", "statement"), list_cases("fails"))
def test_what_fails_leaves_everything_as_it_was(command: type, statement: str, stage: Any) -> None:
    db, folder = stage
    before = look(db, folder)
    with pytest.raises(lancesql.LanceSQLError) as caught:
        db.sql(statement.replace("{folder}", str(folder))).to_arrow()
    assert "__lancesql" not in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert look(db, folder) == before


@pytest.mark.parametrize(("command", "statement"), list_cases("makes_no_sense"))
def test_bad_input_is_shown_its_place(command: type, statement: str, stage: Any) -> None:
    db, folder = stage
    before, text = look(db, folder), statement.replace("{folder}", str(folder))
    with pytest.raises(lancesql.LanceSQLError) as caught:
        db.sql(text).to_arrow()
    error = caught.value
    assert error.sql == text
    assert error.span is not None
    assert "^" in str(error)
    assert "<" not in error.message
    assert look(db, folder) == before
