"""Names of SQL types, read from DuckDB's spelling."""

from __future__ import annotations

import functools
from dataclasses import dataclass

__all__ = ["EngineType", "parse_engine_type"]


@dataclass(frozen=True)
class EngineType:
    """A SQL type without its arguments: `DECIMAL(4,1)[]` is LIST of DECIMAL.

    Attributes:
        name: The type's name in capitals; `LIST` and `ARRAY` stand for the suffixes `[]` and `[n]`.
        children: Element, key and value, fields or members, in order.
    """

    name: str
    children: tuple[EngineType, ...] = ()


@functools.lru_cache(maxsize=512)
def parse_engine_type(text: str) -> EngineType:
    """Reads a type as DuckDB spells it.

    Example:
        >>> parse_engine_type("MAP(VARCHAR, DECIMAL(4,1)[])").children[1]
        EngineType(name='LIST', children=(EngineType(name='DECIMAL', children=()),))
    """
    return _TypeReader(text).read_type()


class _TypeReader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def read_type(self) -> EngineType:
        self._skip_spaces()
        start = self.at
        if self._peek() == '"':
            self._skip_quoted('"')
        while self._peek() not in ("", "(", ")", ",", "["):
            self.at += 1
        name = self.text[start : self.at].strip().upper()
        children: list[EngineType] = []
        if self._peek() == "(":
            self.at += 1
            if name in {"STRUCT", "UNION", "MAP", "TUPLE"}:
                children = self._read_children(named=name in {"STRUCT", "UNION"})
            else:
                self._skip_arguments()
        node = EngineType(name, tuple(children))
        while self._peek() == "[":
            end = self.text.index("]", self.at)
            node = EngineType("ARRAY" if end > self.at + 1 else "LIST", (node,))
            self.at = end + 1
        return node

    def _read_children(self, *, named: bool) -> list[EngineType]:
        children: list[EngineType] = []
        while self._peek() not in ("", ")"):
            self._skip_spaces()
            if named:
                self._skip_field_name()
            children.append(self.read_type())
            self._skip_spaces()
            if self._peek() == ",":
                self.at += 1
        self.at += 1
        return children

    def _skip_field_name(self) -> None:
        start = self.at
        if self._peek() == '"':
            self._skip_quoted('"')
        else:
            while self._peek() not in ("", " ", ",", ")", "(", "["):
                self.at += 1
        if self._peek() != " ":  # DuckDB 1.x spells an unnamed struct STRUCT(INTEGER, VARCHAR)
            self.at = start

    def _skip_arguments(self) -> None:
        depth = 1
        while depth and self._peek():
            character = self._peek()
            if character in "'\"":
                self._skip_quoted(character)
                continue
            depth += {"(": 1, ")": -1}.get(character, 0)
            self.at += 1

    def _skip_quoted(self, quote: str) -> None:
        # A doubled quote ends one quoted run and starts the next; skipping both is the same.
        end = self.text.find(quote, self.at + 1)
        self.at = len(self.text) if end < 0 else end + 1
        if self._peek() == quote:
            self._skip_quoted(quote)

    def _skip_spaces(self) -> None:
        while self._peek() == " ":
            self.at += 1

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]
