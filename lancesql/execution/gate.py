"""Which texts have to be planned at all: the others are DuckDB's as they are, for about a microsecond."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lancesql.parser.calls import SEARCH_FUNCTIONS, names_facets
from lancesql.parser.embed_calls import names_embed
from lancesql.parser.text_calls import names_text_function
from lancesql.settings import SETTINGS_SCHEMA
from lancesql.storage.databases import Databases

__all__ = ["Gate"]

_COMMANDS = (
    r"create|insert|drop|show|describe|desc|explain|analyze|optimize|restore|reindex|diff|copy|export"
    r"|attach|detach|use"
)

_WORD = re.compile(r"\w+")
_LONG = 2_000


class Gate:
    """Looks for the names that make a text ours: tables, views, search functions and commands."""

    def __init__(self, database: Databases) -> None:
        self._database = database
        self._pattern: re.Pattern[str] | None = None
        self._plain: frozenset[str] = frozenset()
        self._others: tuple[str, ...] = ()
        self._names: frozenset[str] | None = None

    def passes(self, sql: str, names: Iterable[str]) -> bool:
        """Whether a text has to be planned; `names` are those beside the database's tables, in lower case."""
        known = self._database.known_names().union(names)
        if self._pattern is None or known != self._names:
            words = sorted(SEARCH_FUNCTIONS | known | {SETTINGS_SCHEMA}, key=len, reverse=True)
            wanted = {*words, *_COMMANDS.split("|"), "embed", "facets", "lance"}
            self._plain = frozenset(word for word in wanted if _WORD.fullmatch(word))
            self._others = tuple(wanted - self._plain)
            alternatives = "|".join([*map(re.escape, words), _COMMANDS, r"(?:embed|facets)(?=\s*\()"])
            pattern = rf"(?<!\w)(?:{alternatives})(?!\w)|\.lance(?!\w)|(?<!\w)lance\s*\."
            self._pattern, self._names = re.compile(pattern, re.IGNORECASE), known
        if self._pattern.search(sql, 0, _LONG) is not None:
            return True
        if len(sql) <= _LONG or not self._may_pass(sql.lower()):
            return names_text_function(sql)
        return self._pattern.search(sql) is not None or names_text_function(sql)

    def _may_pass(self, folded: str) -> bool:
        """Whether a long text holds one of the words at all, for a tenth of what the pattern takes."""
        words = _WORD.findall(folded)
        return not self._plain.isdisjoint(words) or any(other in folded for other in self._others)

    def names_lance(self, sql: str, views: Iterable[str]) -> bool:
        """Whether a text that passed may name a table, a view or a search of ours."""
        folded = sql.lower()
        names = (self._database.known_names() | SEARCH_FUNCTIONS).union(views)
        return "lance" in folded or _names_any(names, folded) or names_embed(sql) or names_facets(sql)

    def has_new_names(self, sql: str) -> bool:
        """Whether a text names a table that was not there at the last listing."""
        before = self._database.known_names()
        self._database.table_names()
        new = self._database.known_names() - before
        return _names_any(new, sql.lower())


def _names_any(names: Iterable[str], folded: str) -> bool:
    """Whether a text names one of these: as a word, or anywhere what is more than a word."""
    words = set(_WORD.findall(folded))
    return any(name in words if _WORD.fullmatch(name) else name in folded for name in names)
