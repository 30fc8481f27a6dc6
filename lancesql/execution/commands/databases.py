"""Databases attached, chosen and listed."""

from __future__ import annotations

import pyarrow as pa

from lancesql.catalog import DatabaseInfo, TableInfo
from lancesql.errors import LanceSQLError
from lancesql.execution.run import Run
from lancesql.plan.commands import (
    AttachDatabase,
    Command,
    DatabaseCommand,
    DetachDatabase,
    DiffTable,
    ShowDatabases,
)
from lancesql.storage.database import LanceDatabase
from lancesql.storage.databases import Databases

__all__ = ["find_database", "run_database_command", "show_databases"]


def run_database_command(command: DatabaseCommand, run: Run) -> None:
    """Changes which databases the session knows, or which of them plain names mean.

    Raises:
        StorageError: When there is no database to attach; what is attached is then as it was.
    """
    databases = run.database
    match command:
        case AttachDatabase(name, path, read_only, given, span, snapshot):
            if path is None:
                return
            options = given if given is not None else databases.main.storage_options
            try:
                databases.attach(LanceDatabase(path, options, read_only=read_only, name=name, snapshot=snapshot))
            except LanceSQLError as error:
                error.span = error.span or span
                raise
        case DetachDatabase(name):
            databases.detach(name)
        case _:
            if command.statement:
                run.ask_engine(lambda: run.engine.run(command.statement, None, run.registered, run.namespace))
            databases.use(command.name)


def find_database(command: Command, databases: Databases) -> LanceDatabase:
    """The database that a command is about."""
    changed = getattr(command, "changed", command)
    table = command.newer if isinstance(command, DiffTable) else getattr(changed, "table", None)
    if isinstance(table, TableInfo):
        return databases.of(table)
    name = getattr(command, "name", None)
    return databases.current if name is None else databases.find_database(name)


def show_databases(command: ShowDatabases) -> pa.Table:
    """A row for each database."""
    kinds: list[tuple[str, DatabaseInfo]] = [
        *(("lance", one) for one in command.databases),
        *(("duckdb", one) for one in command.engine_databases),
    ]
    return pa.table(
        {
            "database_name": pa.array([one.name for _, one in kinds], pa.string()),
            "type": pa.array([kind for kind, _ in kinds], pa.string()),
            "path": pa.array([one.path for _, one in kinds], pa.string()),
            "read_only": pa.array([one.read_only for _, one in kinds], pa.bool_()),
            "current": pa.array([one.current for _, one in kinds], pa.bool_()),
        }
    )
