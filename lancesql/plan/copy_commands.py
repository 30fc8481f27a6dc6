"""COPY: one frozen dataclass for each way that rows go to a file, or come from one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lancesql.catalog import TableInfo

from .query import QueryPlan

__all__ = ["CopyFromArrow", "CopyToArrow", "CopyToFile"]


@dataclass(frozen=True)
class CopyToFile:
    """`COPY … TO 'file'` in a format of DuckDB: its relation is the whole statement."""

    name: str
    query: QueryPlan


@dataclass(frozen=True)
class CopyToArrow:
    """`COPY … TO 'file' (FORMAT arrow)`: a file of Arrow's IPC format."""

    name: str
    query: QueryPlan
    compression: Literal["lz4", "zstd"] | None = None


@dataclass(frozen=True)
class CopyFromArrow:
    """`COPY table FROM 'file' (FORMAT arrow)`, into a Lance table."""

    table: TableInfo
    path: str
    columns: tuple[str, ...] = ()
