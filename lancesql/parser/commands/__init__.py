"""The statements that are not queries: their grammar, a family a file."""

from .cursor import NameSyntax, OptionSyntax, TokenCursor
from .dispatch import read_command
from .syntax import (
    AnalyzeSyntax,
    CommandSyntax,
    CreateIndexSyntax,
    CreateTableSyntax,
    CreateViewSyntax,
    DescribeSyntax,
    DropTableSyntax,
    DropViewSyntax,
    ExplainSyntax,
    InsertSyntax,
    SetSyntax,
    ShowIndexesSyntax,
    ShowSettingsSyntax,
    ShowTablesSyntax,
)

__all__ = [
    "AnalyzeSyntax",
    "CommandSyntax",
    "CreateIndexSyntax",
    "CreateTableSyntax",
    "CreateViewSyntax",
    "DescribeSyntax",
    "DropTableSyntax",
    "DropViewSyntax",
    "ExplainSyntax",
    "InsertSyntax",
    "NameSyntax",
    "OptionSyntax",
    "SetSyntax",
    "ShowIndexesSyntax",
    "ShowSettingsSyntax",
    "ShowTablesSyntax",
    "TokenCursor",
    "read_command",
]
