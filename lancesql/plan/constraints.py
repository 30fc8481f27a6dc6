"""What a table asks of its rows, kept in the metadata of its schema: defaults, checks, the primary key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

__all__ = [
    "COMMENT",
    "DEFAULT",
    "NAME",
    "PRIMARY_KEY",
    "PRIMARY_KEY_PLACE",
    "Check",
    "Constraints",
    "add_checks",
    "add_metadata",
    "read_constraints",
    "write_checks",
]

DEFAULT, COMMENT, PRIMARY_KEY = b"lancesql:default", b"lancesql:comment", b"lance-schema:unenforced-primary-key"
PRIMARY_KEY_PLACE = b"lance-schema:unenforced-primary-key:position"
NAME = b"lancesql:name"
"""What the checks of a table call a column, whatever it is called by now."""
_CHECKS = b"lancesql:checks"


@dataclass(frozen=True)
class Check:
    """A predicate that no row may make false.

    Attributes:
        text: The predicate, as it was written.
        columns: The columns it names: what it calls them, and what they are called now.
    """

    text: str
    columns: tuple[tuple[str, str], ...]

    def names(self, column: str) -> bool:
        """Whether it names a column."""
        return any(name == column for _, name in self.columns)


@dataclass(frozen=True)
class Constraints:
    """What a table asks of its rows.

    Attributes:
        defaults: Column → the expression whose value it has where a row gives none.
        checks: Predicates that no row may make false; without those that name a column that is gone.
        primary_key: The columns by which a row is told from all others. Nobody looks whether a key is there before a
            row is appended.
    """

    defaults: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    primary_key: tuple[str, ...] = ()


def read_constraints(schema: pa.Schema) -> Constraints:
    """The constraints of a table.

    Example:
        >>> column = pa.field("n", pa.int32(), metadata={DEFAULT: b"7", NAME: b"m"})
        >>> read_constraints(pa.schema([column], write_checks([("m > 0", ["m"])])))
        Constraints(defaults={'n': '7'}, checks=(Check(text='m > 0', columns=(('m', 'n'),)),), primary_key=())
    """
    columns = [(one.name, one.metadata or {}) for one in schema]
    key = [(int(metadata.get(PRIMARY_KEY_PLACE, 0)), name) for name, metadata in columns if PRIMARY_KEY in metadata]
    return Constraints(
        defaults={name: metadata[DEFAULT].decode() for name, metadata in columns if DEFAULT in metadata},
        checks=tuple(_read_checks(schema)),
        primary_key=tuple(name for _, name in sorted(key, key=lambda one: one[0])),
    )


def _read_checks(schema: pa.Schema) -> Iterator[Check]:
    held = (schema.metadata or {}).get(_CHECKS)
    called = {(one.metadata or {}).get(NAME, b"").decode(): one.name for one in schema}
    for text, columns in json.loads(held) if held else ():
        if all(name in called for name in columns):
            yield Check(text, tuple((name, called[name]) for name in columns))


def write_checks(checks: Sequence[tuple[str, Sequence[str]]]) -> dict[bytes | str, bytes | str]:
    """The metadata of a schema that holds checks: each with the columns it names, of which each has its `NAME`."""
    return {_CHECKS: json.dumps(list(checks)).encode()} if checks else {}


def add_checks(schema: pa.Schema, checks: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The metadata of a schema that has more checks, each with the column it names."""
    held = json.loads((schema.metadata or {}).get(_CHECKS, b"[]"))
    more = [[text, [column]] for text, column in checks]
    return {_CHECKS.decode(): json.dumps([*(one for one in held if one not in more), *more])}


def add_metadata(one: pa.Field[Any], metadata: Mapping[bytes, bytes]) -> pa.Field[Any]:
    """The field with more metadata."""
    merged: dict[bytes | str, bytes | str] = {}
    merged.update(one.metadata or {})  # type: ignore[arg-type]
    merged.update(metadata)  # type: ignore[arg-type]
    return one.with_metadata(merged) if metadata else one
