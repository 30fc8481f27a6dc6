"""Commands → what they did, as a table."""

from __future__ import annotations

import pyarrow as pa

from lancesql.execution.embeddings.describe import show_embeddings
from lancesql.execution.progress import show_progress
from lancesql.execution.query import run_plan
from lancesql.execution.run import OpenQuery, Run
from lancesql.execution.targets import find_inserted
from lancesql.plan.commands import (
    AddCheck,
    AddColumn,
    AnalyzeTable,
    ChangeColumn,
    ChangeType,
    CloneTable,
    Command,
    CommentOn,
    CopyFromArrow,
    CopyToArrow,
    CopyToFile,
    CreateIndex,
    CreateReference,
    CreateTable,
    DefineTable,
    DeleteRows,
    DescribeTable,
    DiffTable,
    DropCheck,
    DropIndex,
    DropReference,
    DropTable,
    InsertInto,
    MergeRows,
    OptimizeTable,
    RefreshIndexes,
    RenameTable,
    RestoreTable,
    SetAutoCleanup,
    SetPrimaryKey,
    ShowConstraints,
    ShowDatabases,
    ShowEmbeddings,
    ShowHealth,
    ShowHistory,
    ShowIndexes,
    ShowTables,
    TruncateTable,
    UpdateRows,
    VacuumTable,
)
from lancesql.storage.calibration import analyze_table
from lancesql.storage.maintenance import drop_index
from lancesql.storage.references import create_reference, drop_reference
from lancesql.storage.versions import restore_version
from lancesql.storage.writes.columns import change_column, comment_on, rename_table
from lancesql.storage.writes.tables import define_table, drop_remains, drop_table, insert_rows, truncate_table

from .changes import delete_rows, update_rows
from .checks import add_check, drop_check, list_constraints
from .column_types import retype
from .columns import add_to_table
from .copy import copy_from_arrow, copy_to_arrow
from .databases import find_database, show_databases
from .indexes import answer_efforts, create_index, list_indexes
from .keys import add_primary_key
from .maintenance import answer_health, change_auto_cleanup, optimize, refresh, vacuum
from .merge import merge_rows
from .rules import make_rules
from .tables import answer_count, clone, count_rows, describe_newest, describe_table, show_tables, write_table
from .versions import compare_versions, show_history

__all__ = ["run_command"]


def run_command(command: Command, run: Run, open_query: OpenQuery) -> pa.Table:
    """Carries out a command.

    Args:
        command: What to do.
        run: The run it belongs to.
        open_query: Runs the query within the command, as a stream; called again when it has to be read anew.

    Returns:
        One row with `count` for what writes rows, the index for CREATE INDEX, nothing for DROP TABLE, and what SHOW and
        DESCRIBE ask for.

    Raises:
        ExecutionError: When it cannot be carried out; the tables are then as they were.
    """
    database = find_database(command, run.database)
    match command:
        case DeleteRows():
            return delete_rows(command, run, open_query)
        case UpdateRows():
            return update_rows(command, run, open_query)
        case MergeRows():
            return merge_rows(command, run, open_query)
        case TruncateTable(table):
            return answer_count(truncate_table(database, table))
        case CreateTable():
            return answer_count(write_table(command, database, run.settings, open_query))
        case CloneTable():
            return answer_count(clone(command, run.database))
        case DefineTable(name, schema, replace, if_not_exists):
            define_table(database, name, schema, replace=replace, if_not_exists=if_not_exists)
            return answer_count(0)
        case InsertInto(target, query, columns, by_name):
            with show_progress(f"writing {target.name}") as report:
                return answer_count(
                    insert_rows(
                        database,
                        target,
                        lambda: open_query(query, find_inserted(target, columns, by_name=by_name)),
                        columns=columns,
                        by_name=by_name,
                        on_rows=count_rows(report),
                        rules=make_rules(target, run, report),
                    )
                )
        case CopyToFile(_, query):
            return run_plan(run.within(query))
        case CopyToArrow():
            return answer_count(copy_to_arrow(command, open_query))
        case CopyFromArrow(target):
            return answer_count(copy_from_arrow(command, run))
        case ShowHistory():
            return show_history(command, database)
        case CreateReference(_, name):
            version = create_reference(database, command)
            return pa.table({"name": pa.array([name]), "version": pa.array([version], pa.int64())})
        case DropReference():
            drop_reference(database, command)
            return pa.table({})
        case RestoreTable(table):
            return pa.table({"version": pa.array([restore_version(database, table)], pa.int64())})
        case DiffTable():
            return compare_versions(command, run)
        case AddColumn():
            add_to_table(command, run, open_query)
            return describe_newest(command.table, database)
        case ChangeColumn():
            change_column(database, command)
            return describe_newest(command.table, database)
        case AddCheck():
            add_check(command, run, open_query)
            return describe_newest(command.table, database)
        case DropCheck():
            drop_check(command, run)
            return describe_newest(command.table, database)
        case SetPrimaryKey():
            add_primary_key(command, run, open_query)
            return describe_newest(command.table, database)
        case ChangeType():
            return retype(command, run, open_query)
        case RenameTable(table, name):
            rename_table(database, table, name)
            return pa.table({})
        case CommentOn(table, column, text):
            comment_on(database, table, column, text)
            return pa.table({})
        case DropIndex(table, name):
            if name:
                drop_index(database, table, name)
            return pa.table({})
        case RefreshIndexes():
            return refresh(command, database)
        case OptimizeTable():
            return optimize(command, database)
        case VacuumTable():
            return vacuum(command, database)
        case ShowHealth():
            return answer_health(command, database)
        case SetAutoCleanup():
            return change_auto_cleanup(command, database)
        case DropTable(name, table, has_remains):
            if table is not None:
                drop_table(database, name)
            elif has_remains:
                drop_remains(database, name)
            return pa.table({})
        case CreateIndex():
            return create_index(command, database)
        case ShowEmbeddings():
            return show_embeddings(run)
        case ShowDatabases():
            return show_databases(command)
        case ShowTables(views, name):
            return show_tables(run.database.list_tables(name), views)
        case ShowConstraints(table):
            return list_constraints(table)
        case ShowIndexes(tables):
            return list_indexes(tables, run.database.of)
        case AnalyzeTable(table):
            with show_progress(f"analyzing {table.name}") as report:
                return answer_efforts(analyze_table(database, table, report))
        case DescribeTable(table):
            return describe_table(table)
