"""The library as Arrow tables, and the text that stands for each object in the embedding."""

from __future__ import annotations

import dataclasses
from typing import Any

import pyarrow as pa

from lancesql.demo.docstrings import DocumentedObject, Library

__all__ = ["modules_to_table", "objects_to_table", "write_contexts"]


def write_contexts(library: Library) -> list[str]:
    """One text per object: its name, its docstring, and the summaries of the module and the class it belongs to.

    "Return True if finished" says little; with "class Future" and its module's summary it says what is finished.
    """
    summaries = {found.name: found.summary for found in library.objects if found.kind in ("module", "class")}
    return [_write_context(found, summaries) for found in library.objects]


def objects_to_table(library: Library, vectors: pa.Array[Any]) -> pa.Table:
    """The documented objects with their vectors, one row each."""
    fields = [field.name for field in dataclasses.fields(DocumentedObject)]
    columns = {name: [getattr(found, name) for found in library.objects] for name in fields}
    return pa.table({**columns, "vector": vectors})


def modules_to_table(library: Library) -> pa.Table:
    """The modules and their counts, one row each."""
    return pa.Table.from_pylist([dataclasses.asdict(module) for module in library.modules])


def _write_context(found: DocumentedObject, summaries: dict[str, str]) -> str:
    owner, _, name = found.name.rpartition(".")
    parts = [found.name, name, found.summary, found.text]
    if found.kind != "module":
        parts.append(summaries.get(found.module, ""))
    if found.kind == "method":
        parts.append(summaries.get(owner, ""))
    return "\n".join(parts)
