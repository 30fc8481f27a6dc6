"""Which types Lance does not keep, and which DuckDB itself casts to those of the columns they are written to."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import duckdb

from lancesql.errors import UnsupportedError
from lancesql.plan.spelling import quote_name

from .engine_errors import explain_engine_error

__all__ = ["cast_stored", "find_unstored", "is_cast", "is_held_as_text", "write_as_text"]

_QUOTED = re.compile("'(?:[^']|'')*'" + r'|"(?:[^"]|"")*"')
_WORD = re.compile(r"[A-Z][A-Z0-9_]*(?: WITH TIME ZONE)?")
_UNSTORED = re.compile(r"(?<!\w)(BIT|TIME WITH TIME ZONE|UHUGEINT|BIGNUM|VARIANT)(?!\w)")
_HIDDEN = re.compile(r"(?<!\w)(UUID|JSON|INTERVAL|UNION|TIMESTAMP WITH TIME ZONE)(?!\w)")
"""Arrow gives these as others, or the session decides what they are as another one."""
_TEXTS = re.compile(r"(?<!\w)(UUID|JSON|ENUM\((?:[^()])*\))(?!\w)")
_NUMBER = re.compile(r"(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|FLOAT(?:16)?|DOUBLE|DECIMAL)\Z")
_MOMENTS = {"DATE": "date", "TIME": "time", "TIME_NS": "time", "TIMESTAMP WITH TIME ZONE": "moment"}


def find_unstored(type_: str) -> str | None:
    """The part of a type whose values Arrow gives as others: bits as bytes, times without their zone.

    Example:
        >>> find_unstored("STRUCT(a BIT[], b VARCHAR)")
        'BIT'
    """
    found = _UNSTORED.search(_QUOTED.sub("", type_))
    return None if found is None else found.group(1)


def is_held_as_text(type_: str, word: str) -> bool:
    """Whether a type, or one within it, is the one of that name."""
    return re.search(rf"(?<!\w){word}(?!\w)", _QUOTED.sub("", type_)) is not None


def write_as_text(type_: str) -> str:
    """The type with text for each UUID within it.

    Example:
        >>> write_as_text('STRUCT("UUID" UUID[])')
        'STRUCT("UUID" VARCHAR[])'
    """
    return re.sub(
        r"""('(?:[^']|'')*'|"(?:[^"]|"")*")|(?<!\w)UUID(?!\w)""", lambda found: found.group(1) or "VARCHAR", type_
    )


def is_cast(source: str, target: str) -> bool:
    """Whether DuckDB makes values of the target's type: Arrow has others for those of the source, or casts otherwise.

    Numbers are left to Arrow, which refuses what it would have to round, and so are texts and structs.

    Example:
        >>> is_cast("UUID", "BLOB"), is_cast("UUID", "VARCHAR"), is_cast("DOUBLE[]", "FLOAT[2]")
        (True, False, False)
    """
    plain = _QUOTED.sub("", source)
    if target == "UUID" and plain == "VARCHAR":
        return True
    kept = _TEXTS.sub("VARCHAR", plain).replace("HUGEINT", "DECIMAL(38,0)")
    wanted = _TEXTS.sub("VARCHAR", _QUOTED.sub("", target))
    if kept == wanted or not kept:  # the type of a NULL is quoted
        return False
    if _UNSTORED.search(plain) or _HIDDEN.search(plain) or "TIMESTAMP WITH TIME ZONE" in wanted:
        return kept != "VARCHAR" or _HIDDEN.search(plain) is not None
    if kept == "VARCHAR" or wanted == "VARCHAR":
        return wanted == "VARCHAR"
    if "STRUCT" in kept + wanted:
        return False
    words = [_name_kind(one) for one in (*_WORD.findall(kept), *_WORD.findall(wanted))]
    if kept[-1] == "]" or kept.startswith("MAP") or "[" in wanted or wanted.startswith("MAP"):
        return any(one != "number" for one in words)
    return len(set(words)) > 1 and set(words) <= {"date", "time", "timestamp"}


def _name_kind(word: str) -> str:
    if _NUMBER.match(word):
        return "number"
    return "timestamp" if word.startswith("TIMESTAMP_") else _MOMENTS.get(word, word.lower())


def _write_cast(column: str, source: str, target: str) -> str:
    if source == "VARCHAR":  # a text that is no UUID breaks the check, which says so
        return f"coalesce(CAST(TRY_CAST({column} AS UUID) AS VARCHAR), {column})"
    return f"CAST({column} AS {target})"


def cast_stored(
    relation: duckdb.DuckDBPyRelation, stores: Callable[[Sequence[str]], Sequence[str | None]]
) -> duckdb.DuckDBPyRelation:
    """The relation as it is written to columns of these types, where Arrow would give others.

    Args:
        relation: The relation.
        stores: Names the types for the names of the relation's columns; some are not known.

    Raises:
        UnsupportedError: When rows would be stored as something else.
        LanceSQLError: When DuckDB has no such cast.
    """
    targets = stores(relation.columns)
    parts, casts = [], False
    for number, (name, one, target) in enumerate(zip(relation.columns, relation.types, targets, strict=True), 1):
        found = find_unstored(str(one))
        if target is not None and is_cast(str(one), target):
            parts.append(f"{_write_cast(f'#{number}', str(one), target)} AS {quote_name(name)}")
            casts = True
            continue
        if found is not None:
            what = "a value" if name.startswith("__lancesql") else f"column '{name}'"
            raise UnsupportedError(f"{what} is {found}, which Lance cannot store", hint="cast it to VARCHAR")
        parts.append(f"#{number} AS {quote_name(name)}")
    try:
        return relation.project(", ".join(parts)) if casts else relation
    except duckdb.Error as error:
        raise explain_engine_error(error) from None
