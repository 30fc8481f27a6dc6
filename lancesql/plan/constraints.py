"""What a table asks of its rows, kept in the metadata of its schema: defaults, checks, the primary key."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    "add_metadata",
    "list_called",
    "name_checks",
    "read_checks",
    "read_constraints",
    "with_checks",
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
        name: What errors and DROP CONSTRAINT call it; empty for one that has yet to get its name.
    """

    text: str
    columns: tuple[tuple[str, str], ...]
    name: str = ""

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
        >>> check = Check("m > 0", (("m", "n"),), "positive")
        >>> found = read_constraints(pa.schema([column], write_checks([check])))
        >>> found.defaults, found.checks == (check,)
        ({'n': '7'}, True)
    """
    columns = [(one.name, one.metadata or {}) for one in schema]
    key = [(int(metadata.get(PRIMARY_KEY_PLACE, 0)), name) for name, metadata in columns if PRIMARY_KEY in metadata]
    return Constraints(
        defaults={name: metadata[DEFAULT].decode() for name, metadata in columns if DEFAULT in metadata},
        checks=name_checks(read_checks(schema)),
        primary_key=tuple(name for _, name in sorted(key, key=lambda one: one[0])),
    )


def read_checks(schema: pa.Schema) -> list[Check]:
    """The checks of a table; those that were kept without a name have none."""
    held = (schema.metadata or {}).get(_CHECKS)
    called = {called: name for name, called in list_called(schema).items()}
    return [
        Check(text, tuple((one, called[one]) for one in columns), *name)
        for text, columns, *name in (json.loads(held) if held else ())
        if all(one in called for one in columns)
    ]


def list_called(schema: pa.Schema) -> dict[str, str]:
    """What checks call the columns that they know."""
    return {one.name: one.metadata[NAME].decode() for one in schema if one.metadata and NAME in one.metadata}


def write_checks(checks: Sequence[Check]) -> dict[bytes | str, bytes | str]:
    """The metadata of a schema that holds checks. Each of the columns that they name has its `NAME`."""
    listed = [[one.text, [called for called, _ in one.columns], one.name] for one in checks]
    return {_CHECKS: json.dumps(listed).encode()}


def with_checks(schema: pa.Schema, checks: Sequence[Check]) -> pa.Schema:
    """The schema with these checks, instead of those it has."""
    metadata: dict[bytes | str, bytes | str] = {}
    metadata.update(schema.metadata or {})  # type: ignore[arg-type]
    metadata.update(write_checks(checks))
    return schema.with_metadata(metadata)


def name_checks(checks: Iterable[Check], table: str = "", taken: Iterable[str] = ()) -> tuple[Check, ...]:
    """The checks, each with a name: what it has, or one as DuckDB gives.

    Args:
        checks: The checks.
        table: What names begin with.
        taken: Names that others have.

    Example:
        >>> [one.name for one in name_checks([Check("n > 0", (("n", "n"),)), Check("n < 9", (("n", "n"),))], "t")]
        ['t_n_check', 't_n_check1']
    """
    held = list(checks)
    known = {one.lower() for one in (*taken, *(one.name for one in held))}
    named = []
    for one in held:
        base = "_".join([*([table] if table else []), *(column for _, column in one.columns), "check"])
        names = (f"{base}{number or ''}" for number in range(len(known) + 1))
        name = one.name or next(name for name in names if name.lower() not in known)
        known.add(name.lower())
        named.append(replace(one, name=name))
    return tuple(named)


def add_metadata(one: pa.Field[Any], metadata: Mapping[bytes, bytes]) -> pa.Field[Any]:
    """The field with more metadata."""
    merged: dict[bytes | str, bytes | str] = {}
    merged.update(one.metadata or {})  # type: ignore[arg-type]
    merged.update(metadata)  # type: ignore[arg-type]
    return one.with_metadata(merged) if metadata else one
