"""Stage 3, the types everyone passes around: frozen dataclasses, no I/O."""

from __future__ import annotations

from .commands import Command, Explain
from .query import DirectAnswer, OutputColumn, QueryPlan
from .sources import Conjunct, FullTextSearch, HybridSearch, Source, TableScan, VectorSearch
from .values import Constant, Parameter, ScalarQuery, Value

LogicalPlan = QueryPlan | Command | Explain

__all__ = [
    "Command",
    "Conjunct",
    "Constant",
    "DirectAnswer",
    "Explain",
    "FullTextSearch",
    "HybridSearch",
    "LogicalPlan",
    "OutputColumn",
    "Parameter",
    "QueryPlan",
    "ScalarQuery",
    "Source",
    "TableScan",
    "Value",
    "VectorSearch",
]
