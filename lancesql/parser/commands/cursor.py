"""Names, lists of columns and options of a command, read token by token."""

from __future__ import annotations

from dataclasses import dataclass

from lancesql.errors import LanceSQLError, ParseError, Span, UnsupportedError
from lancesql.parser.tokens import Token, TokenType, is_word

__all__ = ["NameSyntax", "OptionSyntax", "TokenCursor"]

_NOT_A_NAME = frozenset(
    {
        "AS",
        "BY",
        "CASCADE",
        "FROM",
        "IF",
        "IN",
        "INTO",
        "ON",
        "OR",
        "RESTRICT",
        "SELECT",
        "TABLE",
        "USING",
        "VALUES",
        "WITH",
    }
)


@dataclass(frozen=True)
class NameSyntax:
    """A name, its qualifiers first.

    Attributes:
        parts: `("lance", "docs")` for `lance.docs`.
        quoted_string: It stands in single quotes, as a path does.
        span: Where it stands, with the version behind it.
        version: What `AT (…)` behind it names, as the catalog is asked for it.
    """

    parts: tuple[str, ...]
    quoted_string: bool
    span: Span
    version: int | str | None = None


@dataclass(frozen=True)
class OptionSyntax:
    """One `name = value` of a WITH list; the value is a plain Python value, or a tuple for a list."""

    name: str
    value: object
    span: Span
    value_span: Span


class TokenCursor:
    """A place among the tokens of one statement, that moves behind what it accepts."""

    def __init__(self, sql: str, tokens: list[Token], at: int = 0) -> None:
        self.sql = sql
        self.tokens = tokens
        self.at = at

    @property
    def span(self) -> Span:
        """Where the next token stands, or the end of the text."""
        if self.at_end():
            end = self.tokens[-1].end + 1
            return Span(end, end + 1)
        token = self.tokens[self.at]
        return Span(token.start, token.end + 1)

    @property
    def last_taken(self) -> Span:
        """Where the token in front of the cursor stands."""
        token = self.tokens[self.at - 1]
        return Span(token.start, token.end + 1)

    @property
    def last_span(self) -> Span:
        """Where the last token of the statement stands."""
        return Span(self.tokens[-1].start, self.tokens[-1].end + 1)

    @property
    def rest(self) -> Span:
        """Everything from the cursor on."""
        return Span(self.span.start, self.tokens[-1].end + 1)

    def remaining(self) -> list[Token]:
        """The tokens from the cursor on."""
        return self.tokens[self.at :]

    def cut_last(self, count: int) -> Span:
        """Everything from the cursor on but the last `count` tokens."""
        return Span(self.span.start, self.tokens[-count - 1].end + 1)

    def text_of(self, span: Span) -> str:
        """The user's text of a place."""
        return self.sql[span.start : span.end]

    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.tokens)

    def is_last(self) -> bool:
        """Whether at most one token is left."""
        return self.at >= len(self.tokens) - 1

    def ahead(self, count: int) -> Token | None:
        """The token `count` behind the next one."""
        return self.tokens[self.at + count] if self.at + count < len(self.tokens) else None

    def at_kind(self, kind: TokenType) -> bool:
        """Whether the next token is of a kind."""
        return not self.at_end() and self.tokens[self.at].token_type is kind

    def at_word(self, *words: str) -> bool:
        """Whether the next token is one of these words."""
        return not self.at_end() and is_word(self.tokens[self.at], *words)

    def ends_with(self, *words: str) -> bool:
        """Whether the statement ends with these words."""
        rest = self.remaining()
        return len(rest) > len(words) and all(
            is_word(token, word) for token, word in zip(rest[-len(words) :], words, strict=True)
        )

    def take(self) -> Token:
        """The next token, passed."""
        token = self.tokens[self.at]
        self.at += 1
        return token

    def accept(self, *words: str) -> bool:
        """Passes these words when they all come next."""
        coming = self.tokens[self.at : self.at + len(words)]
        if len(coming) < len(words) or not all(is_word(token, word) for token, word in zip(coming, words, strict=True)):
            return False
        self.at += len(words)
        return True

    def accept_kind(self, kind: TokenType) -> bool:
        """Passes the next token when it is of a kind."""
        if not self.at_kind(kind):
            return False
        self.at += 1
        return True

    def expected(self, what: str) -> ParseError:
        """The error that says what should stand here."""
        if self.at_end():
            return ParseError(f"the statement ends where {what} is expected", span=self.span)
        return ParseError(f"{what} is expected here, not '{self.text_of(self.span)}'", span=self.span)

    def read_name(self) -> NameSyntax | None:
        """A name with its qualifiers, or a path in quotes; None when there is none here."""
        start = self.at
        if self.at_kind(TokenType.STRING):
            token = self.take()
            return NameSyntax((token.text,), quoted_string=True, span=Span(token.start, token.end + 1))
        first = self._read_part()
        if first is None:
            return None
        parts = [first]
        while self.accept_kind(TokenType.DOT):
            part = self._read_part(behind_dot=True)
            if part is None:
                self.at = start
                return None
            parts.append(part)
        return NameSyntax(tuple(parts), quoted_string=False, span=Span(self.tokens[start].start, self.last_taken.end))

    def read_word(self) -> NameSyntax | None:
        """One name without qualifiers."""
        part = self._read_part()
        return None if part is None else NameSyntax((part,), quoted_string=False, span=self.last_taken)

    def read_columns(self) -> tuple[NameSyntax, ...]:
        """`(a, "b")`.

        Raises:
            ParseError: When anything but names stands in the brackets.
        """
        if not self.accept_kind(TokenType.L_PAREN):
            raise self.expected("(column)")
        columns: list[NameSyntax] = []
        while True:
            name = self.read_name()
            if name is None or name.quoted_string:
                raise self.expected("a column")
            columns.append(name)
            if self.accept_kind(TokenType.R_PAREN):
                return tuple(columns)
            if not self.accept_kind(TokenType.COMMA):
                raise self.expected("',' or ')'")

    def finish_with_options(self) -> tuple[tuple[OptionSyntax, ...], LanceSQLError | None]:
        """`[WITH (…)]` and the end of the statement: the options, and what is wrong there."""
        options: tuple[OptionSyntax, ...] = ()
        try:
            if self.accept("WITH"):
                options = self.read_options()
            if not self.at_end():
                raise self.expected("WITH (options) or the end of the statement")
        except (ParseError, UnsupportedError) as error:
            return options, error
        return options, None

    def read_options(self) -> tuple[OptionSyntax, ...]:
        """`(metric = 'cosine', num_partitions = 16)`.

        Raises:
            ParseError: When it is no list of names and values, or a value is not written in the statement.
        """
        if not self.accept_kind(TokenType.L_PAREN):
            raise self.expected("(option = value, …)")
        options: list[OptionSyntax] = []
        if self.accept_kind(TokenType.R_PAREN):
            return ()
        while True:
            name = self.read_word()
            if name is None:
                raise self.expected("the name of an option")
            if not any(self.accept_kind(kind) for kind in (TokenType.EQ, TokenType.FARROW, TokenType.COLON_EQ)):
                raise self.expected("'=' and a value")
            start = self.span
            value = self.read_value()
            options.append(
                OptionSyntax(name.parts[0].lower(), value, name.span, Span(start.start, self.last_taken.end))
            )
            if self.accept_kind(TokenType.R_PAREN):
                return tuple(options)
            if not self.accept_kind(TokenType.COMMA):
                raise self.expected("',' or ')'")

    def _read_part(self, *, behind_dot: bool = False) -> str | None:
        if self.at_end():
            return None
        token = self.tokens[self.at]
        if token.token_type is not TokenType.IDENTIFIER:
            is_name = token.text[:1].isalpha() or token.text[:1] == "_"
            if token.token_type in (TokenType.STRING, TokenType.NUMBER) or not is_name:
                return None
            if not behind_dot and token.text.upper() in _NOT_A_NAME:
                return None
        self.at += 1
        return token.text

    def read_value(self) -> object:
        """A number, a text, true, false, a name, or a list of these."""
        if self.at_end():
            raise self.expected("a value")
        token = self.tokens[self.at]
        kind = token.token_type
        if kind in (TokenType.PARAMETER, TokenType.PLACEHOLDER):
            raise ParseError("an option takes no parameter", hint="write the value in the statement", span=self.span)
        if kind is TokenType.L_BRACKET:
            return self._read_list()
        self.at += 1
        if kind is TokenType.STRING:
            return token.text
        if kind in (TokenType.TRUE, TokenType.FALSE):
            return kind is TokenType.TRUE
        if kind is TokenType.NUMBER:
            return _read_number(token.text, 1)
        if kind is TokenType.DASH and self.at_kind(TokenType.NUMBER):
            return _read_number(self.take().text, -1)
        if kind is TokenType.IDENTIFIER or token.text[:1].isalpha():
            return token.text
        self.at -= 1
        raise self.expected("a number, a text, true, false or a name")

    def _read_list(self) -> tuple[object, ...]:
        self.at += 1
        values: list[object] = []
        if self.accept_kind(TokenType.R_BRACKET):
            return ()
        while True:
            values.append(self.read_value())
            if self.accept_kind(TokenType.R_BRACKET):
                return tuple(values)
            if not self.accept_kind(TokenType.COMMA):
                raise self.expected("',' or ']'")


def _read_number(text: str, sign: int) -> int | float:
    digits = text.replace("_", "")
    return sign * (int(digits) if digits.isdigit() else float(digits))
