"""Stage 3, the types everyone passes around: frozen dataclasses, no I/O."""

from __future__ import annotations

from .commands import (
    ChangeSetting,
    Command,
    CreateView,
    DatabaseCommand,
    DropView,
    Explain,
    SettingCommand,
    ShowSettings,
    ViewCommand,
)
from .query import DirectAnswer, OutputColumn, QueryPlan
from .sources import Conjunct, FullTextSearch, FusedSearch, RowCount, Source, TableScan, VectorSearch
from .values import Constant, Parameter, ScalarQuery, Value

LogicalPlan = QueryPlan | Command | SettingCommand | ViewCommand | DatabaseCommand | Explain

__all__ = [
    "ChangeSetting",
    "Command",
    "Conjunct",
    "Constant",
    "CreateView",
    "DatabaseCommand",
    "DirectAnswer",
    "DropView",
    "Explain",
    "FullTextSearch",
    "FusedSearch",
    "LogicalPlan",
    "OutputColumn",
    "Parameter",
    "QueryPlan",
    "RowCount",
    "ScalarQuery",
    "SettingCommand",
    "ShowSettings",
    "Source",
    "TableScan",
    "Value",
    "VectorSearch",
    "ViewCommand",
]
