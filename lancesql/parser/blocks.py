"""Where the clauses of a SELECT block stand, read from the tokens around one of its tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from lancesql.errors import Span

from .tokens import Token, TokenType, is_word

__all__ = ["Block", "JoinCondition", "TokenTree", "split_conjuncts", "split_list"]

_SET_OPERATORS = ("UNION", "EXCEPT", "INTERSECT")
_CLAUSES = ("SELECT", "FROM", "WHERE", "GROUP", "HAVING", "WINDOW", "QUALIFY", "ORDER", "LIMIT", "OFFSET", "RETURNING")
_TWO_WORDS = {TokenType.GROUP_BY: "GROUP", TokenType.ORDER_BY: "ORDER"}
_QUERY_STARTS = ("SELECT", "FROM", "WITH", "VALUES", "TABLE", "PIVOT", "UNPIVOT", "DESCRIBE", "SUMMARIZE", "SHOW")
_JOIN_WORDS = ("JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "SEMI", "ANTI", "ASOF", "POSITIONAL")
_OPEN = (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE)
_CLOSE = (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE)


@dataclass(frozen=True)
class JoinCondition:
    """The conjuncts of one `ON`, and whether the join is inner."""

    inner: bool
    conjuncts: tuple[Span, ...]


@dataclass(frozen=True)
class Block:
    """One SELECT block.

    Attributes:
        span: The whole block, without the parentheses around it.
        where: The conjuncts of WHERE.
        joins: The conditions of its joins.
        clauses: Clause keyword → span of what follows it.
        combined: Whether it is an arm of a UNION, EXCEPT or INTERSECT.
        outermost: Whether it is the statement's own block, not a subquery's.
    """

    span: Span
    where: tuple[Span, ...]
    joins: tuple[JoinCondition, ...]
    clauses: dict[str, Span] = field(default_factory=dict)
    combined: bool = False
    outermost: bool = False


class TokenTree:
    """The bracket structure of a token list."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.partner: dict[int, int] = {}
        self.parent: list[int] = []
        open_brackets: list[int] = []
        for index, token in enumerate(tokens):
            if token.token_type in _CLOSE and open_brackets:
                opening = open_brackets.pop()
                self.partner[opening] = index
            self.parent.append(open_brackets[-1] if open_brackets else -1)
            if token.token_type in _OPEN:
                open_brackets.append(index)

    def find_token(self, offset: int) -> int:
        """The index of the token that covers a character offset."""
        low, high = 0, len(self.tokens) - 1
        while low < high:
            middle = (low + high) // 2
            if self.tokens[middle].end < offset:
                low = middle + 1
            else:
                high = middle
        return low

    def read_block(self, offset: int) -> Block:
        """The SELECT block whose FROM clause covers a character offset."""
        anchor = self.find_token(offset)
        parent = self._enclosing_query(anchor)
        start, end = (parent + 1, self.partner.get(parent, len(self.tokens))) if parent >= 0 else (0, len(self.tokens))
        level = [index for index in range(start, end) if self.parent[index] == parent]
        arm, combined = self._select_arm(level, anchor)
        clauses = self._find_clauses(arm, end)
        where = clauses.get("WHERE")
        source = clauses.get("FROM")
        return Block(
            span=self.span(arm[0], arm[-1] + 1),
            where=tuple(split_conjuncts(self, *where)) if where else (),
            joins=tuple(self._read_joins(*source)) if source else (),
            clauses={name: self.span(first, last) for name, (first, last) in clauses.items() if first < last},
            combined=combined,
            outermost=parent < 0,
        )

    def read_query(self, offset: int) -> list[Token]:
        """The tokens of the query around a character offset, between the parentheses it stands in."""
        parent = self._enclosing_query(self.find_token(offset))
        return self.tokens[parent + 1 : self.partner.get(parent, len(self.tokens))]

    def span(self, first: int, last: int) -> Span:
        """The characters of the tokens `[first, last)`."""
        return Span(self.tokens[first].start, self.tokens[last - 1].end + 1)

    def _enclosing_query(self, anchor: int) -> int:
        parent = self.parent[anchor]
        while parent >= 0 and not is_word(self.tokens[parent + 1], *_QUERY_STARTS):
            parent = self.parent[parent]
        return parent

    def _select_arm(self, level: list[int], anchor: int) -> tuple[list[int], bool]:
        cuts = [
            position
            for position, index in enumerate(level)
            if is_word(self.tokens[index], *_SET_OPERATORS) and not self._is_type_name(index)
        ]
        if not cuts:
            return level, False
        edges = [-1, *cuts, len(level)]
        for left, right in pairwise(edges):
            arm = level[left + 1 : right]
            if arm and arm[0] <= anchor <= self.partner.get(arm[-1], arm[-1]):
                return arm, True
        return level, True

    def _is_type_name(self, index: int) -> bool:
        return (
            index + 1 < len(self.tokens)
            and self.tokens[index + 1].token_type is TokenType.L_PAREN
            and (index == 0 or not _ends_query(self.tokens[index - 1]))
        )

    def _find_clauses(self, arm: list[int], end: int) -> dict[str, tuple[int, int]]:
        marks: list[tuple[str, int]] = []
        for index in arm:
            token = self.tokens[index]
            word = _TWO_WORDS.get(token.token_type) or token.text.upper()
            quoted = token.token_type in (TokenType.STRING, TokenType.IDENTIFIER)
            if (
                (word not in _CLAUSES and not (word == "TABLE" and index == arm[0]))
                or quoted
                or (index and self.tokens[index - 1].token_type is TokenType.DOT)
            ):
                continue
            if word == "FROM" and index >= 1 and is_word(self.tokens[index - 1], "DISTINCT"):
                continue  # IS [NOT] DISTINCT FROM
            if word == "TABLE":
                word = "FROM"  # TABLE docs LIMIT 3
            if word not in ("SELECT", "FROM") and not any(name == "FROM" for name, _ in marks):
                continue  # a column called limit, offset or window
            marks.append((word, index))
        arm_end = min(arm[-1] + 1, end)
        clauses: dict[str, tuple[int, int]] = {}
        for position, (word, index) in enumerate(marks):
            stop = marks[position + 1][1] if position + 1 < len(marks) else arm_end
            clauses.setdefault(word, (index + 1, self._cut_sample(index + 1, stop)))
        return clauses

    def _cut_sample(self, first: int, stop: int) -> int:
        for index in range(first, stop - 1):
            if is_word(self.tokens[index], "USING") and is_word(self.tokens[index + 1], "SAMPLE"):
                return index
        return stop

    def _read_joins(self, first: int, last: int) -> list[JoinCondition]:
        joins: list[JoinCondition] = []
        kind: list[str] = []
        index = first
        while index < last:
            token = self.tokens[index]
            if token.token_type is TokenType.L_PAREN:
                closing = self.partner.get(index, last)
                if not is_word(self.tokens[index + 1], *_QUERY_STARTS):
                    joins += self._read_joins(index + 1, closing)
                index = closing
            elif is_word(token, *_JOIN_WORDS):
                if is_word(token, "JOIN"):
                    kind = self._read_join_kind(index)
            elif token.token_type is TokenType.COMMA:
                kind = []
            elif is_word(token, "ON"):
                stop = self._find_condition_end(index + 1, last)
                inner = not set(kind) & {"LEFT", "RIGHT", "FULL", "SEMI", "ANTI", "ASOF", "POSITIONAL"}
                joins.append(JoinCondition(inner, tuple(split_conjuncts(self, index + 1, stop))))
                index = stop - 1
            index += 1
        return joins

    def _read_join_kind(self, index: int) -> list[str]:
        words: list[str] = []
        while index > 0 and is_word(self.tokens[index - 1], *_JOIN_WORDS, "OUTER"):
            index -= 1
            words.append(self.tokens[index].text.upper())
        return words

    def _starts_join(self, index: int) -> bool:
        """A join word that is not a function: `left(title, 1)` is one, and `JOIN (SELECT …)` is none."""
        token = self.tokens[index]
        if not is_word(token, *_JOIN_WORDS) or is_word(token, "JOIN"):
            return is_word(token, "JOIN")
        return self.tokens[index + 1].token_type is not TokenType.L_PAREN

    def _find_condition_end(self, first: int, last: int) -> int:
        index = first
        while index < last:
            token = self.tokens[index]
            if token.token_type in _OPEN:
                index = self.partner.get(index, last)
            elif token.token_type is TokenType.COMMA or is_word(token, "ON") or self._starts_join(index):
                return index
            index += 1
        return last


def split_conjuncts(tree: TokenTree, first: int, last: int) -> list[Span]:
    """The spans that ANDs separate in the tokens `[first, last)`, in brackets too; one span when there is an OR."""
    tokens = tree.tokens
    parts: list[tuple[int, int]] = []
    start = index = first
    betweens = cases = 0
    while index < last:
        token = tokens[index]
        if token.token_type in _OPEN:
            index = tree.partner.get(index, last)
        elif is_word(token, "CASE"):
            cases += 1
        elif is_word(token, "END") and cases:
            cases -= 1
        elif cases:
            pass
        elif is_word(token, "BETWEEN"):
            betweens += 1
        elif is_word(token, "OR"):
            return [tree.span(first, last)]
        elif is_word(token, "AND"):
            if betweens:
                betweens -= 1
            else:
                parts.append((start, index))
                start = index + 1
        index += 1
    parts.append((start, last))
    if len(parts) > 1:
        return [span for a, b in parts if a < b for span in split_conjuncts(tree, a, b)]
    inside = split_conjuncts(tree, first + 1, last - 1) if _is_bracketed(tree, first, last) else []
    return inside if len(inside) > 1 else [tree.span(first, last)]


def _is_bracketed(tree: TokenTree, first: int, last: int) -> bool:
    """Whether one bracket with a predicate in it is all there is: neither a subquery nor a row of values."""
    is_one = tree.tokens[first].token_type is TokenType.L_PAREN and tree.partner.get(first) == last - 1
    if not is_one or first + 1 >= last - 1:
        return False
    commas = (at for at in range(first, last) if tree.tokens[at].token_type is TokenType.COMMA)
    return not is_word(tree.tokens[first + 1], *_QUERY_STARTS) and all(tree.parent[at] != first for at in commas)


def split_list(tree: TokenTree, first: int, last: int) -> list[tuple[int, int]]:
    """The parts that top-level commas separate in the tokens `[first, last)`."""
    commas = [index for index in range(first, last) if tree.tokens[index].token_type is TokenType.COMMA]
    own = [index for index in commas if tree.parent[index] == tree.parent[first]]
    edges = [first - 1, *own, last]
    return [(left + 1, right) for left, right in pairwise(edges) if left + 1 < right]


def _ends_query(token: Token) -> bool:
    return token.token_type not in (TokenType.COMMA, TokenType.DOT) and not is_word(token, "AS", "CAST")
