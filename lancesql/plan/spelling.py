"""Names and texts as a statement has to write them."""

from __future__ import annotations

import re

from lancesql.catalog import TableInfo

__all__ = ["quote_name", "quote_text", "spell_column", "spell_name", "spell_table"]

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = """
all analyse analyze and anti any array as asc asof asymmetric at authorization binary both by case cast check
collate collation column columns concurrently constraint create cross default deferrable desc describe distinct do
else end except false fetch for foreign freeze from full generated glob group having ilike in initially inner
intersect into is isnull join lambda lateral leading left like limit map natural not notnull null offset on only or
order outer overlaps pivot pivot_longer pivot_wider placing positional primary qualify references returning right
select semi show similar some struct summarize symmetric table tablesample then to trailing true try_cast tuple
union unique unpack unpivot using variadic verbose when where window with
"""


def quote_name(name: str) -> str:
    """A name between quotation marks.

    Example:
        >>> print(quote_name('12" single'))
        "12"" single"
    """
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """A text as a literal.

    Example:
        >>> print(quote_text("it's"))
        'it''s'
    """
    return "'" + text.replace("'", "''") + "'"


def spell_name(name: str) -> str:
    """A name as advice and hints give it, between quotation marks where it would be read as something else without.

    Example:
        >>> spell_name("title"), spell_name("my title"), spell_name("select")
        ('title', '"my title"', '"select"')
    """
    if _PLAIN.fullmatch(name) and name.lower() not in _RESERVED.split():
        return name
    return quote_name(name)


def spell_column(column: str) -> str:
    """A column, or the field of a struct that a path leads to, as advice and hints give it.

    Example:
        >>> spell_column("s.from")
        's."from"'
    """
    return ".".join(spell_name(part) for part in column.split("."))


def spell_table(table: TableInfo) -> str:
    """A table's name with that of its database, or its path between quotation marks, and the branch behind it."""
    branch = f" AT (BRANCH => {quote_text(table.branch)})" if table.branch else ""
    return _spell_name_of(table) + branch


def _spell_name_of(table: TableInfo) -> str:
    if "/" in table.name or "\\" in table.name:
        return quote_text(table.name)
    own = table.name.removeprefix(f"{table.database}.") if table.database else table.name
    return f"{spell_name(table.database)}.{spell_name(own)}" if table.database else spell_name(own)
