"""What the shell offers while a statement is written: names of tables, columns, functions, arguments, keywords."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from lancesql.binder.searches.signatures import SIGNATURES
from lancesql.errors import LanceSQLError
from lancesql.plan.spelling import quote_name

if TYPE_CHECKING:
    import lancesql

__all__ = ["DOT_COMMANDS", "Names", "SqlCompleter", "read_names"]

DOT_COMMANDS = (".explain", ".help", ".quit", ".schema", ".tables", ".timer")

_WORD = re.compile(r"[\w$]*$")
_STRING_OR_COMMENT = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_OPEN_TABLE = re.compile(r"\b(\w+)\s*\(\s*'([^'()]*)$")
_SOURCE = re.compile(
    r"\b(?:from|join|into|index\s+on|describe|update)\s+(?:lance\.)?\"?(?P<table>\w+(?:\.\w+)?)\b\"?(?!\s*\()"
    r"(?:\s+(?:as\s+)?\"?(?P<alias>\w+)\"?)?"
    r"|\b(?:lance_)?(?:vector_search|fts|hybrid_search)\s*\(\s*['\"]?(?P<searched>\w+(?:\.\w+)?)",
    re.IGNORECASE,
)
_AFTER_TABLE = re.compile(
    r"\b(?:from|join|into|table|index(?:es)?(?:\s+\w+)?\s+on|describe|update|exists)\s+[\w\"]*$", re.IGNORECASE
)


@dataclass(frozen=True)
class Names:
    """The names a statement may use.

    Attributes:
        columns: The columns of each table, by the table's name.
    """

    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    functions: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()


def read_names(db: lancesql.Connection) -> Names:
    """Asks the connection for its names; what cannot be read is left out."""
    return Names(
        columns={table: tuple(_read_columns(db, table)) for table in db.tables()},
        functions=tuple(_read_list(db, "SELECT DISTINCT function_name FROM duckdb_functions() ORDER BY 1")),
        keywords=tuple(_read_list(db, "SELECT upper(keyword_name) FROM duckdb_keywords() ORDER BY 1")),
    )


class SqlCompleter(Completer):
    """Completes the word before the cursor by what may stand there."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """The completions, likeliest first."""
        text = document.text_before_cursor
        if text.lstrip().startswith("."):
            yield from self._complete_command(text.lstrip())
            return
        opened = _OPEN_TABLE.search(text)
        if opened and opened[1].lower() in SIGNATURES:
            yield from _match(opened[2], self.names.columns, "table")
            return
        word = _WORD.search(text)
        prefix = word[0] if word else ""
        if not prefix and not complete_event.completion_requested and not text.endswith("."):
            return
        before = _STRING_OR_COMMENT.sub(lambda found: re.sub(r"[^\n]", "·", found[0]), text)
        if "'" in before:  # inside a text
            return
        yield from self._complete_word(before[: len(before) - len(prefix)], prefix, document.text)

    def _complete_word(self, before: str, prefix: str, statement: str) -> Iterator[Completion]:
        sources = dict(self._find_sources(statement))
        if before.endswith("."):
            owner = re.search(r"(\w+)\"?\.$", before)
            table = sources.get(owner[1].lower()) if owner else None
            if owner and owner[1].lower() == "lance":
                yield from _match(prefix, self._name_own("lance") or self._name_own(""), "table")
            elif owner and not table:
                yield from _match(prefix, self._name_own(owner[1]), "table")
            elif table:
                yield from _match(prefix, self.names.columns[table], "column")
            return
        if _AFTER_TABLE.search(before):
            yield from _match(prefix, self.names.columns, "table")
            yield from _match(prefix, SIGNATURES, "search", after="(")
            return
        call = _find_open_call(before)
        if call in SIGNATURES:
            yield from _match(prefix, SIGNATURES[call].names, "argument", after=" => ")
        columns = dict.fromkeys(column for table in sources.values() for column in self.names.columns[table])
        yield from _match(prefix, columns or self._all_columns(), "column")
        if not prefix:
            return
        yield from _match(prefix, self.names.columns, "table")
        yield from _match(prefix, SIGNATURES, "search", after="(")
        yield from _match(prefix, self.names.keywords, "keyword")
        yield from _match(prefix, self.names.functions, "function", after="(")

    def _complete_command(self, text: str) -> Iterator[Completion]:
        command, space, rest = text.partition(" ")
        if not space:
            yield from _match(command, DOT_COMMANDS, "command")
        elif command == ".schema":
            yield from _match(rest.lstrip(), self.names.columns, "table")
        elif command == ".timer":
            yield from _match(rest.lstrip(), ("on", "off"), "")

    def _find_sources(self, statement: str) -> Iterator[tuple[str, str]]:
        """The tables a statement mentions, by their own names and by their aliases."""
        tables = {table.lower(): table for table in self.names.columns}
        for found in _SOURCE.finditer(statement):
            table = tables.get((found["table"] or found["searched"]).lower())
            if table is None:
                continue
            yield table.rpartition(".")[2].lower(), table
            alias = found["alias"] if found["table"] else _read_alias(statement, found.start())
            if alias:
                yield alias.lower(), table

    def _name_own(self, database: str) -> list[str]:
        """The tables of an attached database, without its name; those of the current one for ""."""
        owned = [table.partition(".") for table in self.names.columns]
        if not database:
            return [table for table, dot, _ in owned if not dot]
        return [own for owner, dot, own in owned if dot and owner.lower() == database.lower()]

    def _all_columns(self) -> Iterable[str]:
        return dict.fromkeys(column for columns in self.names.columns.values() for column in columns)


def _match(prefix: str, names: Iterable[str], kind: str, after: str = "") -> Iterator[Completion]:
    folded = prefix.lower()
    for name in names:
        if name.lower().startswith(folded):
            quoted = name if re.fullmatch(r"[\w.]+", name) else quote_name(name)
            yield Completion(quoted + after, start_position=-len(prefix), display=name, display_meta=kind)


def _find_open_call(text: str) -> str:
    """The name of the innermost function whose parenthesis is open at the end of `text`."""
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        if text[at] == ")":
            depth += 1
        elif text[at] == "(" and depth:
            depth -= 1
        elif text[at] == "(":
            name = re.search(r"(\w+)\s*$", text[:at])
            return name[1].lower() if name else ""
    return ""


def _read_alias(statement: str, start: int) -> str | None:
    depth = 0
    for at in range(start, len(statement)):
        depth += {"(": 1, ")": -1}.get(statement[at], 0)
        if statement[at] == ")" and depth == 0:
            alias = re.match(r"\s*(?:as\s+)?(\w+)", statement[at + 1 :], re.IGNORECASE)
            return alias[1] if alias else None
    return None


def _read_columns(db: lancesql.Connection, table: str) -> list[str]:
    try:
        return db.sql(f'SELECT * FROM "{table.replace(chr(34), chr(34) * 2)}" LIMIT 0').columns
    except LanceSQLError:
        return []


def _read_list(db: lancesql.Connection, sql: str) -> list[str]:
    try:
        return [str(row[0]) for row in db.sql(sql).fetchall()]
    except LanceSQLError:
        return []
