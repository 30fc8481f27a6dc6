"""Which snapshot of a table is read: `AT (VERSION => 3)`, `FOR VERSION AS OF 3` and their like, found by tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lancesql.errors import ParseError, Span, nearest_name

from .calls import Argument, split_arguments
from .tokens import Token, TokenType, find_closing, is_word

__all__ = ["SNAPSHOT_KINDS", "AtClause", "SnapshotKind", "find_at_clauses"]

SnapshotKind = Literal["version", "timestamp", "tag", "branch"]

SNAPSHOT_KINDS: dict[str, SnapshotKind] = {
    "VERSION": "version",
    "SYSTEM_VERSION": "version",
    "TIMESTAMP": "timestamp",
    "SYSTEM_TIME": "timestamp",
    "TAG": "tag",
    "BRANCH": "branch",
}


_KINDS = ("VERSION", "TIMESTAMP", "TAG", "BRANCH")
_OPERATORS = (
    TokenType.PLUS, TokenType.DASH, TokenType.STAR, TokenType.SLASH, TokenType.DCOLON, TokenType.DPIPE
)  # fmt: skip
_WORDS = (TokenType.VAR, TokenType.CURRENT_TIMESTAMP, TokenType.CURRENT_DATE, TokenType.LOCALTIMESTAMP)


@dataclass(frozen=True)
class AtClause:
    """`AT (VERSION => 3)`: which snapshot of a table is read.

    Attributes:
        branch: The branch that a version is of, in `AT (BRANCH => 'b', VERSION => 3)`.
    """

    kind: SnapshotKind
    value: Argument
    span: Span
    branch: Argument | None = None


def find_at_clauses(tokens: list[Token]) -> tuple[AtClause, ...]:
    """The clauses that name a snapshot, in the order of the text.

    Example:
        >>> from lancesql.parser.tokens import read_tokens
        >>> [one.kind for one in find_at_clauses(read_tokens("FROM a AT (TAG => 'x'), b FOR VERSION AS OF 3"))]
        ['tag', 'version']
    """
    clauses = []
    for index in range(len(tokens) - 3):
        clause = _read_at(tokens, index) or _read_as_of(tokens, index)
        if clause is not None:
            clauses.append(clause)
    return tuple(clauses)


def _read_at(tokens: list[Token], index: int) -> AtClause | None:
    if not is_word(tokens[index], "AT") or tokens[index + 1].token_type is not TokenType.L_PAREN:
        return None
    if not is_word(tokens[index + 2], *_KINDS):
        if tokens[index + 3].token_type is not TokenType.FARROW:
            return None
        word = tokens[index + 2]
        near = nearest_name(word.text.upper(), _KINDS)
        raise ParseError(
            f"AT takes {', '.join(_KINDS)}, not {word.text}",
            hint=f"did you mean {near}?" if near else "write AT (VERSION => 3) or AT (TIMESTAMP => '…')",
            span=Span(word.start, word.end + 1),
        )
    closing = find_closing(tokens, index + 1)
    arguments = split_arguments(tokens, index + 1, closing)
    span = Span(tokens[index].start, tokens[closing].end + 1)
    given = {SNAPSHOT_KINDS.get((one.name or "").upper()): one for one in arguments}
    if len(arguments) == 2 and given.keys() == {"branch", "version"}:
        return AtClause("version", given["version"], span, given["branch"])
    if len(arguments) != 1 or arguments[0].name is None:
        hint = "write AT (VERSION => 3), AT (TIMESTAMP => '…') or AT (BRANCH => '…', VERSION => 3)"
        raise ParseError("AT takes one argument, or a branch and a version of it", hint=hint, span=span)
    return AtClause(SNAPSHOT_KINDS[arguments[0].name.upper()], arguments[0], span)


def _read_as_of(tokens: list[Token], index: int) -> AtClause | None:
    """`[FOR] VERSION | TIMESTAMP | … AS OF value`: a literal, a parameter, a call, or an expression in brackets."""
    at = index + is_word(tokens[index], "FOR")
    if at == index and index and is_word(tokens[index - 1], "FOR"):
        return None
    words = tokens[at : at + 3]
    if len(words) < 3 or not is_word(words[0], *SNAPSHOT_KINDS):
        return None
    if not is_word(words[1], "AS") or not is_word(words[2], "OF"):
        return None
    value = _read_value(tokens, at + 3)
    if not value:
        return None
    span = Span(tokens[index].start, value[-1].end + 1)
    place = Span(value[0].start, value[-1].end + 1)
    behind = tokens[at + 3 + len(value) : at + 4 + len(value)]
    if behind and behind[0].token_type in _OPERATORS:
        raise ParseError(
            "an expression behind AS OF stands in brackets",
            hint="AT (TIMESTAMP => now() - INTERVAL '1 day') takes one without",
            span=Span(place.start, behind[0].end + 1),
        )
    return AtClause(SNAPSHOT_KINDS[words[0].text.upper()], Argument(None, place, place, tuple(value)), span)


def _read_value(tokens: list[Token], at: int) -> list[Token]:
    if at >= len(tokens):
        return []
    kind = tokens[at].token_type
    if kind in (TokenType.NUMBER, TokenType.STRING) or kind is TokenType.PLACEHOLDER:
        return tokens[at : at + 1]
    if kind is TokenType.PARAMETER:
        return tokens[at : at + 2]
    if is_word(tokens[at], "TIMESTAMP", "TIMESTAMPTZ", "DATE") and at + 1 < len(tokens):
        return tokens[at : at + 2] if tokens[at + 1].token_type is TokenType.STRING else []
    opening = at if kind is TokenType.L_PAREN else at + 1
    if opening < len(tokens) and tokens[opening].token_type is TokenType.L_PAREN:
        return tokens[at : find_closing(tokens, opening) + 1]
    return tokens[at : at + 1] if kind in _WORDS else []
