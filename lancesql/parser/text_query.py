"""The query language of `fts()`: words, phrases, AND, OR, NOT, + and -, columns, parentheses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn

from lancesql.errors import Span
from lancesql.plan.text import (
    AllOf,
    AnyOf,
    Boosted,
    Excluding,
    InColumn,
    Phrase,
    Preferring,
    Prefix,
    TextQuery,
    TextReading,
    Words,
)

from .text_tokens import TextToken, read_text_tokens, refuse_query

__all__ = ["parse_text_query"]

_DEEPEST = 50
_NO_WANTED = "what is excluded has to be taken from something: a word that is wanted is missing beside it"


@dataclass
class _Chain:
    """Clauses joined by AND, or one alone.

    Attributes:
        span: Where it begins.
        required: Whether it carries a plus.
    """

    span: Span
    wanted: list[TextQuery] = field(default_factory=list)
    unwanted: list[TextQuery] = field(default_factory=list)
    required: bool = False

    @property
    def query(self) -> TextQuery:
        query = _join_all(self.wanted)
        return Excluding(query, tuple(self.unwanted)) if self.unwanted else query


def parse_text_query(text: str, reading: TextReading | None = None) -> TextQuery:
    """Reads a text query. AND binds closer than words side by side, which `reading` joins by OR or by AND.

    Example:
        >>> parse_text_query('"neural network"~2')
        Phrase(text='neural network', slop=2)
        >>> parse_text_query("deep AND learning") == AllOf((Words("deep", "and"), Words("learning", "and")))
        True
        >>> parse_text_query("+deep sea blue -lake") == Excluding(
        ...     Preferring(Words("deep", "and"), (Words("sea blue"),)), (Words("lake", "and"),))
        True

    Raises:
        ArgumentError: When an operator stands where it means nothing; the span is one of `text`.
    """
    reading = reading or TextReading()
    tokens = read_text_tokens(text, reading)
    return _Parser(text, tokens, reading).read() if tokens else Words("")


class _Parser:
    def __init__(self, text: str, tokens: list[TextToken], reading: TextReading) -> None:
        self.text = text
        self.tokens = tokens
        self.reading = reading
        self.at = 0
        self.open: list[TextToken] = []
        self.column: TextToken | None = None

    def read(self) -> TextQuery:
        query = self._read_list() if self._peek() != "close" else None
        if query is None or self.at < len(self.tokens):
            self._refuse("the parenthesis is not opened", self.tokens[self.at], "'\\)' is the sign itself")
        return query

    def _peek(self) -> str:
        return self.tokens[self.at].kind if self.at < len(self.tokens) else ""

    def _take(self, kind: str) -> TextToken | None:
        if self._peek() != kind:
            return None
        self.at += 1
        return self.tokens[self.at - 1]

    def _read_list(self) -> TextQuery:
        """Chains up to the end or to a closing parenthesis; signs of the chains are those of the whole list."""
        groups: list[list[_Chain]] = [[]]
        while self._peek() not in ("", "close"):
            operator = self._take("or")
            if operator is not None:
                if not groups[-1]:
                    self._refuse_dangling(operator)
                self._refuse_signs(groups[-1][-1], operator)
                groups.append([])
            chain = self._read_chain()
            if operator is not None:
                self._refuse_signs(chain, operator)
            groups[-1].append(chain)
        chains = [chain for group in groups for chain in group]
        excluded = [chain for chain in chains if not chain.wanted]
        unwanted = [one for chain in excluded for one in chain.unwanted]
        required = [chain.query for chain in chains if chain.wanted and chain.required]
        plain = [[one.query for one in group if one.wanted and not one.required] for group in groups]
        if self.reading.operator == "and":
            alternatives = [_join_all(group) for group in plain if group]
            wanted = _join_all([*required, *([_join_any(alternatives)] if alternatives else [])])
        else:
            alternatives = _merge_words(query for group in plain for query in group)
            wanted = _join_any(alternatives)
            if required:
                wanted = Preferring(_join_all(required), tuple(alternatives)) if alternatives else _join_all(required)
        if not required and not alternatives:
            raise refuse_query(
                self.text, _NO_WANTED, excluded[0].span, "write wanted -unwanted, or wanted NOT unwanted"
            )
        return Excluding(wanted, tuple(unwanted)) if unwanted else wanted

    def _refuse_signs(self, chain: _Chain, operator: TextToken) -> None:
        if not chain.wanted or chain.required:
            sign = "is required (+)" if chain.wanted else "is excluded (-, NOT)"
            raise refuse_query(
                self.text,
                f"what {sign} is no alternative: it cannot stand beside {operator.text}",
                chain.span,
                "put it outside parentheses: +wanted -unwanted (this OR that)",
            )

    def _read_chain(self) -> _Chain:
        if self.at >= len(self.tokens):
            self._refuse_missing()
        chain = _Chain(self.tokens[self.at].span)
        while True:
            sign = self._take("+") or self._take("-") or self._take("not")
            if sign is not None and self._peek() in ("+", "-", "not"):
                self._refuse("only one sign stands before a word", self.tokens[self.at], "write -word, or NOT word")
            clause, is_word = self._read_clause()
            more = self._peek() == "and"
            if is_word and (sign is not None or more or chain.wanted or chain.unwanted):
                clause = _tighten(clause)
            if sign is None or sign.kind == "+":
                chain.wanted.append(clause)
                chain.required = chain.required or sign is not None
            else:
                chain.unwanted.append(clause)
            if self._take("and") is None:
                return chain

    def _read_clause(self) -> tuple[TextQuery, bool]:
        """What an operator applies to, and whether it is one word as it was written."""
        column = self._take("column")
        if column is not None and self.column is not None:
            hint = "a word is looked for in one column, or in all"
            self._refuse(f"'{column.text}:' stands within '{self.column.text}:'", column, hint)
        self.column = column or self.column
        token = self._take("word") or self._take("prefix") or self._take("phrase")
        boost: float | None
        query: TextQuery
        if token is not None:
            boost = token.boost
            query = self._make_leaf(token)
        elif self._peek() == "open":
            query, boost = self._read_group()
        else:
            self._refuse_missing()
        if column is not None:
            self.column = None
            query = InColumn(column.text, query)
        is_word = token is not None and token.kind == "word"
        return (query if boost is None or boost == 1 else Boosted(query, boost)), is_word

    def _make_leaf(self, token: TextToken) -> TextQuery:
        if token.kind == "prefix":
            return Prefix(token.text)
        if token.kind == "phrase":
            return Phrase(token.text, self.reading.slop if token.slop is None else token.slop)
        fuzziness = self.reading.fuzziness if token.fuzziness is None else token.fuzziness
        return Words(token.text, self.reading.operator, fuzziness)

    def _read_group(self) -> tuple[TextQuery, float | None]:
        opening = self.tokens[self.at]
        self.at += 1
        if self._peek() == "close":
            self._refuse("nothing stands between the parentheses", opening, "put words there, or leave them out")
        self.open.append(opening)
        if self.at >= len(self.tokens):
            self._refuse_open(opening)
        if len(self.open) > _DEEPEST:
            self._refuse(f"parentheses are nested more than {_DEEPEST} deep", opening, "leave some of them out")
        query = self._read_list()
        closing = self._take("close")
        if closing is None:
            self._refuse_open(opening)
        self.open.pop()
        return query, closing.boost

    def _refuse_open(self, opening: TextToken) -> NoReturn:
        self._refuse("the parenthesis is not closed", opening, "close it; '\\(' is the sign itself")

    def _refuse_missing(self) -> NoReturn:
        if self.at >= len(self.tokens):
            self._refuse_dangling(self.tokens[-1])
        token = self.tokens[self.at]
        if token.kind == "close" and self.at and self.tokens[self.at - 1].kind != "close":
            self._refuse_dangling(self.tokens[self.at - 1])
        self._refuse_dangling(token)

    def _refuse_dangling(self, token: TextToken) -> NoReturn:
        if token.kind in ("and", "or"):
            self._refuse(
                f"a word is missing beside {token.text}",
                token,
                f'"{token.text}" in quotation marks is a word, and so is {token.text.lower()}',
            )
        self._refuse(f"a word is missing behind '{token.text}'", token, f'"{token.text}" in quotation marks is a word')

    def _refuse(self, message: str, token: TextToken, hint: str) -> NoReturn:
        raise refuse_query(self.text, message, token.span, hint)


def _tighten(query: TextQuery) -> TextQuery:
    """One written word of which, when the index cuts it into several, each has to be there."""
    match query:
        case Words():
            return replace(query, operator="and")
        case Boosted(inner, factor):
            return Boosted(_tighten(inner), factor)
        case InColumn(column, inner):
            return InColumn(column, _tighten(inner))
        case _:
            return query


def _join_all(items: Sequence[TextQuery]) -> TextQuery:
    return items[0] if len(items) == 1 else AllOf(tuple(items))


def _join_any(items: Sequence[TextQuery]) -> TextQuery:
    return items[0] if len(items) == 1 else AnyOf(tuple(items))


def _merge_words(items: Iterable[TextQuery]) -> list[TextQuery]:
    """The items, neighbouring words as one; they are alternatives either way."""
    merged: list[TextQuery] = []
    for item in items:
        last = merged[-1] if merged else None
        if isinstance(item, Words) and isinstance(last, Words) and _is_alike(item, last):
            merged[-1] = replace(last, text=f"{last.text} {item.text}")
        else:
            merged.append(item)
    return merged


def _is_alike(one: Words, other: Words) -> bool:
    return one.operator == other.operator == "or" and one.fuzziness == other.fuzziness
