"""Schemas as Lance keeps them, each field with its number, and one field of them put in or changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from lance.schema import LanceSchema

__all__ = ["find_free_number", "list_numbers", "put_field", "take_field"]

_FILLER = "__lancesql_filler"


def put_field(schema: Any, field: pa.Field[Any], number: int) -> Any:
    """The schema with another field in the place of that name; behind all others when there is none of that name.

    Upstream: a field gets its number from its place in a schema, or from the messages by which schemas are pickled.
    """
    fillers = [pa.field(f"{_FILLER}{before}", pa.int32()) for before in range(number)]
    _, new = _split_schema(LanceSchema.from_pyarrow(pa.schema([*fillers, field])))
    metadata, held = _split_schema(schema)
    held[field.name] = new[field.name]
    return LanceSchema._from_protos(metadata, *(part for parts in held.values() for part in parts))


def take_field(schema: Any, name: str) -> Any:
    """The schema without the field of that name."""
    metadata, held = _split_schema(schema)
    del held[name]
    return LanceSchema._from_protos(metadata, *(part for parts in held.values() for part in parts))


def find_free_number(dataset: Any) -> int:
    """The least number that no field has, nor had one that is dropped but still in the files."""
    stored: list[int] = [
        number for one in dataset.get_fragments() for file in one.metadata.files for number in file.fields
    ]
    return max([*stored, *list_numbers(dataset.lance_schema.fields())]) + 1


def _split_schema(schema: Any) -> tuple[str, dict[str, list[bytes]]]:
    """The metadata of a schema and the messages of each column."""
    _, (metadata, *parts) = schema.__reduce__()
    held: dict[str, list[bytes]] = {}
    for one in schema.fields():
        size = len(list_numbers([one]))
        held[one.name()], parts = parts[:size], parts[size:]
    return metadata, held


def list_numbers(fields: Sequence[Any]) -> list[int]:
    """The numbers of fields and of what is within them."""
    return [number for one in fields for number in (one.id(), *list_numbers(one.children()))]
