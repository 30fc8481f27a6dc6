"""CommandSyntax + catalog → Command: whose table a name is, and whether what is asked of it fits."""

from __future__ import annotations

from dataclasses import replace

from lancesql.binder.views import bind_create_view, bind_drop_view
from lancesql.errors import LanceSQLError
from lancesql.parser import read_tokens
from lancesql.parser.commands import (
    AlterSyntax,
    AnalyzeSyntax,
    AttachSyntax,
    AutoCleanupSyntax,
    CloneTableSyntax,
    CommandSyntax,
    CommentSyntax,
    ConstraintSyntax,
    CopyDatabaseSyntax,
    CopySyntax,
    CreateIndexSyntax,
    CreateReferenceSyntax,
    CreateTableSyntax,
    CreateViewSyntax,
    DeleteSyntax,
    DescribeSyntax,
    DetachSyntax,
    DiffSyntax,
    DropIndexSyntax,
    DropReferenceSyntax,
    DropTableSyntax,
    DropViewSyntax,
    InsertSyntax,
    MergeSyntax,
    OptimizeSyntax,
    PrimaryKeySyntax,
    RefreshIndexSyntax,
    RestoreSyntax,
    SetSyntax,
    ShowConstraintsSyntax,
    ShowDatabasesSyntax,
    ShowHealthSyntax,
    ShowHistorySyntax,
    ShowIndexesSyntax,
    ShowSettingsSyntax,
    ShowTablesSyntax,
    TruncateSyntax,
    UpdateSyntax,
    UseSyntax,
    VacuumSyntax,
    read_command,
)
from lancesql.plan.commands import (
    AnalyzeTable,
    ChangeSetting,
    Command,
    DatabaseCommand,
    DescribeTable,
    SettingCommand,
    ShowEmbeddings,
    ShowSettings,
    ViewCommand,
)
from lancesql.plan.expansion import Expansion, place_error
from lancesql.settings import Settings, check_setting, find_setting

from .alter import bind_alter, bind_comment
from .changes import bind_delete, bind_truncate, bind_update
from .checks import bind_constraint, bind_show_constraints
from .clones import bind_clone_table
from .copy import bind_copy, refuse_copy_database
from .databases import bind_attach, bind_detach, bind_show_databases, bind_show_tables, bind_use
from .indexes import bind_create_index, bind_drop_index, bind_refresh_index, bind_show_indexes
from .keys import bind_primary_key
from .maintenance import bind_auto_cleanup, bind_optimize, bind_show_health, bind_vacuum
from .merge import bind_merge
from .qualified import expand_change, note_expansion
from .rows import bind_insert
from .tables import bind_create_table, bind_drop_table
from .targets import CommandContext, find_target
from .versions import bind_create_reference, bind_diff, bind_drop_reference, bind_restore, bind_show_history

__all__ = ["bind_command"]


def bind_command(
    syntax: CommandSyntax, context: CommandContext
) -> Command | SettingCommand | ViewCommand | DatabaseCommand | None:
    """Resolves the names of a command.

    Args:
        syntax: The command, read.
        context: What it is bound with.

    Returns:
        The command, or None when its table is none of Lance: DuckDB runs the text.

    Raises:
        BindError: When a name, an option or a type does not fit.
        UnsupportedError: When the command is understood and refused.
    """
    expansion = expand_change(syntax, context)
    if expansion is not None:
        return _bind_expanded(expansion, context)
    match syntax:
        case CreateTableSyntax():
            return bind_create_table(syntax, context)
        case CloneTableSyntax():
            return bind_clone_table(syntax, context)
        case AttachSyntax():
            return bind_attach(syntax, context)
        case DetachSyntax():
            return bind_detach(syntax, context)
        case UseSyntax():
            return bind_use(syntax, context)
        case ShowDatabasesSyntax():
            return bind_show_databases(context)
        case InsertSyntax():
            return bind_insert(syntax, context)
        case CopySyntax():
            return bind_copy(syntax, context)
        case CopyDatabaseSyntax():
            refuse_copy_database(syntax, context)
            return None
        case DeleteSyntax():
            return bind_delete(syntax, context)
        case UpdateSyntax():
            return bind_update(syntax, context)
        case MergeSyntax():
            return bind_merge(syntax, context)
        case TruncateSyntax():
            return bind_truncate(syntax, context)
        case ShowHistorySyntax():
            return bind_show_history(syntax, context)
        case CreateReferenceSyntax():
            return bind_create_reference(syntax, context)
        case DropReferenceSyntax():
            return bind_drop_reference(syntax, context)
        case RestoreSyntax():
            return bind_restore(syntax, context)
        case DiffSyntax():
            return bind_diff(syntax, context)
        case AlterSyntax():
            return bind_alter(syntax, context)
        case ConstraintSyntax():
            return bind_constraint(syntax, context)
        case PrimaryKeySyntax():
            return bind_primary_key(syntax, context)
        case CommentSyntax():
            return bind_comment(syntax, context)
        case DropIndexSyntax():
            return bind_drop_index(syntax, context)
        case RefreshIndexSyntax():
            return bind_refresh_index(syntax, context)
        case OptimizeSyntax():
            return bind_optimize(syntax, context)
        case VacuumSyntax():
            return bind_vacuum(syntax, context)
        case ShowHealthSyntax():
            return bind_show_health(syntax, context)
        case AutoCleanupSyntax():
            return bind_auto_cleanup(syntax, context)
        case DropTableSyntax():
            return bind_drop_table(syntax, context)
        case CreateViewSyntax():
            return bind_create_view(syntax, context.bind_query(syntax.body), context.catalog)
        case DropViewSyntax():
            return bind_drop_view(syntax, context.catalog)
        case CreateIndexSyntax():
            return bind_create_index(syntax, context)
        case ShowTablesSyntax():
            return bind_show_tables(syntax.database, context)
        case ShowConstraintsSyntax():
            return bind_show_constraints(syntax, context)
        case ShowIndexesSyntax():
            return bind_show_indexes(syntax, context)
        case DescribeSyntax(name, shows_embeddings):
            table = find_target(name, context.catalog)
            if table is None and shows_embeddings and not context.catalog.engine_tables(name.parts[0]):
                return ShowEmbeddings()
            return None if table is None else DescribeTable(table)
        case AnalyzeSyntax(name):
            table = find_target(name, context.catalog)
            if table is not None:
                context.refuse_writing(name)
            return None if table is None else AnalyzeTable(table)
        case SetSyntax():
            return _bind_set(syntax)
        case ShowSettingsSyntax(given):
            return ShowSettings(None if given is None else find_setting(given.parts[0], given.span))
        case _:
            return None


def _bind_expanded(expansion: Expansion, context: CommandContext) -> Command | None:
    """The statement that is written out, bound; its errors stand in the user's own text."""
    syntax = read_command(expansion.text, read_tokens(expansion.text))
    assert syntax is not None
    try:
        command = bind_command(syntax, replace(context, sql=expansion.text))
    except LanceSQLError as error:
        raise place_error(error, expansion) from None
    return note_expansion(command, expansion) if isinstance(command, Command) else None


def _bind_set(syntax: SetSyntax) -> ChangeSetting:
    name = find_setting(syntax.name.parts[0], syntax.name.span)
    if syntax.value_span is None:
        return ChangeSetting(name, getattr(Settings(), name))
    return ChangeSetting(name, check_setting(name, syntax.value, syntax.value_span))
