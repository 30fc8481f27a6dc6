"""The tokens of a text query: words, phrases, parentheses, and the signs before and behind them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from lancesql.errors import ArgumentError, Span, nearest_name
from lancesql.plan.text import Fuzziness, TextReading

__all__ = ["TextToken", "read_text_tokens", "refuse_query"]

Kind = Literal["word", "prefix", "phrase", "open", "close", "column", "and", "or", "not", "+", "-"]

_OPERATORS: dict[str, Kind] = {"AND": "and", "&&": "and", "OR": "or", "||": "or", "NOT": "not"}
_QUOTES = '"“”„'
_SPECIAL = frozenset(f"\\+-:()~*^{_QUOTES}")
_NO_MARK = frozenset("+-=>)")
_ESCAPED = "x"
_BEHIND = re.compile(rf"(?P<tilde>~[^\s()^{_QUOTES}]*)?(?P<star>\*+)?(?P<caret>\^[^\s(){_QUOTES}]*)?")
_NUMERIC = re.compile(r"[\d.+-]*")
_BOOST = re.compile(r"\d+\.?\d*|\.\d+")
_LEAST_BOOST, _MOST_BOOST = 1e-6, 1e6
_MOST_SLOP = 10_000


@dataclass(frozen=True)
class TextToken:
    """One token.

    Attributes:
        kind: What it is; `column` is the `name:` in front of something.
        text: The word, the phrase or the column's name, without escapes.
        span: Where it is in the query.
        fuzziness: The `~n` behind a word; None when there is none.
        slop: The `~n` behind a phrase; None when there is none.
        boost: The `^n` behind it; None when there is none.
    """

    kind: Kind
    text: str
    span: Span
    fuzziness: Fuzziness | None = None
    slop: int | None = None
    boost: float | None = None


def refuse_query(text: str, message: str, span: Span, hint: str) -> ArgumentError:
    """An error with its place in the query."""
    hint = f"{hint}; syntax => 'plain' takes every word as a word"
    return ArgumentError(f"text query: {message}", hint=hint, span=span, sql=text)


def read_text_tokens(text: str, reading: TextReading) -> list[TextToken]:
    """The tokens of a query.

    Raises:
        ArgumentError: When a sign stands where it means nothing, or `name:` names no column that is searched.
    """
    return _Scanner(text, reading).read()


class _Scanner:
    def __init__(self, text: str, reading: TextReading) -> None:
        self.text = text
        self.reading = reading
        self.at = 0
        self.tokens: list[TextToken] = []

    def read(self) -> list[TextToken]:
        while self.at < len(self.text):
            letter = self.text[self.at]
            if letter.isspace():
                self.at += 1
            elif letter == "(":
                self._add("open", letter, self.at + 1)
            elif letter == ")":
                self._read_close()
            elif letter in _QUOTES:
                self._read_phrase()
            elif letter in "+-" and self._is_mark():
                self._add("+" if letter == "+" else "-", letter, self.at + 1)
            else:
                self._read_word()
        return self.tokens

    def _add(self, kind: Kind, text: str, end: int) -> None:
        self.tokens.append(TextToken(kind, text, Span(self.at, end)))
        self.at = end

    def _is_mark(self) -> bool:
        """Whether a plus or a minus belongs to what follows: it is no dash, no arrow, and no sign of its own."""
        before = self.text[self.at - 1 : self.at]
        after = self.text[self.at + 1 : self.at + 2]
        free = not before or before.isspace() or before in f"(){_QUOTES}"
        return free and after != "" and not after.isspace() and after not in _NO_MARK

    def _read_close(self) -> None:
        start, self.at = self.at, self.at + 1
        tilde, star, caret = self._match_behind(self.at)
        if tilde is not None:
            raise self._refuse(
                "'~' belongs behind a word or a phrase", tilde, "write it behind each word: (deep~1 sea~1)"
            )
        if star is not None:
            raise self._refuse_star(star)
        boost = self._read_boost(caret)
        self.at = caret.end if caret is not None else self.at
        self.tokens.append(TextToken("close", ")", Span(start, start + 1), boost=boost))

    def _read_phrase(self) -> None:
        start = self.at
        letters: list[str] = []
        at = start + 1
        while at < len(self.text) and self.text[at] not in _QUOTES:
            if self.text[at] == "\\" and self.text[at + 1 : at + 2] in (*_QUOTES, "\\"):
                at += 1
            letters.append(self.text[at])
            at += 1
        if at >= len(self.text):
            hint = 'close it: "deep sea"; a mark that is meant as such is written \\"'
            raise self._refuse("the quotation mark is not closed", Span(start, start + 1), hint)
        phrase = "".join(letters)
        if not phrase.strip():
            raise self._refuse("the phrase is empty", Span(start, at + 1), "put words between the quotation marks")
        tilde, star, caret = self._match_behind(at + 1)
        if star is not None:
            raise self._refuse_star(star)
        slop = self._read_slop(tilde)
        boost = self._read_boost(caret)
        end = (caret or tilde or Span(at, at + 1)).end
        self.tokens.append(TextToken("phrase", phrase, Span(start, at + 1), slop=slop, boost=boost))
        self.at = end

    def _match_behind(self, at: int) -> tuple[Span | None, Span | None, Span | None]:
        match = _BEHIND.match(self.text, at)
        assert match is not None
        spans = [Span(*match.span(name)) if match.group(name) else None for name in ("tilde", "star", "caret")]
        return spans[0], spans[1], spans[2]

    def _read_word(self) -> None:
        letters, masked, places = self._scan_word()
        colon = masked.find(":")
        if colon > 0 and self._read_column("".join(letters[:colon]), masked, places, colon):
            return
        self._read_term(letters, masked, places)

    def _scan_word(self) -> tuple[list[str], str, list[int]]:
        """The letters up to the word's end, the same with escaped ones hidden, and where each stands."""
        letters: list[str] = []
        masked: list[str] = []
        places: list[int] = []
        at = self.at
        while at < len(self.text):
            letter, following = self.text[at], self.text[at + 1 : at + 2]
            if letter == "\\" and following and (following in _SPECIAL or following.isspace()):
                letters.append(following)
                masked.append(_ESCAPED)
                places.append(at)
                at += 2
                continue
            if letter.isspace() or letter in "()":
                break
            inches = (
                letter == '"' and bool(letters) and letters[-1].isdigit() and (not following or following in " \t\n)")
            )
            if letter in _QUOTES and not inches:
                break
            letters.append(letter)
            masked.append(letter)
            places.append(at)
            at += 1
        places.append(at)
        return letters, "".join(masked), places

    def _read_column(self, name: str, masked: str, places: list[int], colon: int) -> bool:
        """Takes the `name:` a word begins with, when it is one."""
        span = Span(places[0], places[colon])
        searched = _find_name(name, self.reading.columns)
        other = _find_name(name, self.reading.others)
        rest = masked[colon + 1 : colon + 2] or self.text[places[-1] : places[-1] + 1]
        if searched is None and other is None:
            self._refuse_unknown(name, rest, span)
            return False
        if searched is None:
            listed = ", ".join(self.reading.columns)
            raise self._refuse(
                f"column '{other}' is not searched",
                span,
                f"searched: {listed}; a text column is added with columns => […], any other is asked in WHERE; "
                f"'{name}\\:' is a word",
            )
        if not rest or rest.isspace() or rest == ")":
            hint = f"write {name}:word, {name}:\"some words\" or {name}:(…); '{name}\\:' is a word"
            raise self._refuse(f"a word is missing behind '{name}:'", Span(span.start, span.end + 1), hint)
        if self.tokens and self.tokens[-1].kind == "column":
            raise self._refuse(
                f"'{name}:' stands behind another column", span, "a word is looked for in one column, or in all"
            )
        self.tokens.append(TextToken("column", searched, span))
        self.at = places[colon + 1]
        if self.text[self.at : self.at + 1] not in ("(", *_QUOTES):
            self._read_word()
        return True

    def _refuse_unknown(self, name: str, rest: str, span: Span) -> None:
        if not self.reading.columns or not re.fullmatch(r"[^\W\d]\w*", name):
            return
        near = nearest_name(name, [*self.reading.columns, *self.reading.others])
        if rest.isalpha() or rest in ("(", *_QUOTES) or (rest.isdigit() and near is not None):
            did = f"did you mean '{near}'? " if near is not None else ""
            listed = ", ".join(self.reading.columns)
            raise self._refuse(
                f"there is no column '{name}'", span, f"{did}searched: {listed}; '{name}\\:' is a word with a colon"
            )

    def _read_term(self, letters: list[str], masked: str, places: list[int]) -> None:
        start, end = places[0], places[-1]
        self.at = end
        after_column = bool(self.tokens) and self.tokens[-1].kind == "column"
        if masked in _OPERATORS and not after_column:
            self.tokens.append(TextToken(_OPERATORS[masked], masked, Span(start, end)))
            return
        boost, cut = None, len(masked)
        caret = masked.find("^", 1)
        if caret > 0 or re.fullmatch(r"\^[\d.]+", masked):
            cut = max(caret, 0)
            boost = self._read_boost(Span(places[cut], end))
            self._refuse_nothing(cut, Span(places[cut], end))
        fuzziness: Fuzziness | None = None
        tilde = masked.rfind("~", 0, cut)
        if tilde >= 0 and _NUMERIC.fullmatch(masked, tilde + 1, cut):
            self._refuse_nothing(tilde, Span(places[tilde], end))
            if re.search(r"~[\d.]*$", masked[:tilde]):
                raise self._refuse("'~' stands twice", Span(places[tilde], end), "write word~1, word~2, or word~")
            fuzziness = self._read_fuzziness(masked[tilde + 1 : cut], Span(places[tilde], places[cut]))
            cut = tilde
        star = masked.find("*", 0, cut)
        if star >= 0:
            alone = not any(letter.isalnum() for letter in letters[:star])
            if star < cut - 1 or alone or fuzziness is not None:
                raise self._refuse_star(Span(places[star], places[star] + 1))
            text = "".join(letters[:star])
            self.tokens.append(TextToken("prefix", text, Span(start, places[cut]), boost=boost))
            return
        word = "".join(letters[:cut])
        self.tokens.append(TextToken("word", word, Span(start, places[cut]), fuzziness=fuzziness, boost=boost))

    def _refuse_nothing(self, cut: int, span: Span) -> None:
        if cut == 0:
            sign = self.text[span.start]
            hint = f"write it behind a word without a space; '\\{sign}' is the sign itself"
            raise self._refuse(f"there is nothing that '{sign}' belongs to", span, hint)

    def _refuse_star(self, span: Span) -> ArgumentError:
        return self._refuse(
            "'*' stands at the end of a word, behind its first letters",
            span,
            "write sea* for words that begin so; '\\*' is the sign itself",
        )

    def _read_fuzziness(self, digits: str, span: Span) -> Fuzziness:
        allowed: dict[str, Fuzziness] = {"": "auto", "0": 0, "1": 1, "2": 2}
        if digits not in allowed:
            raise self._refuse(
                f"a word may differ by 0, 1 or 2 letters, not '{digits}'", span, "write word~1, word~2, or word~"
            )
        return allowed[digits]

    def _read_slop(self, span: Span | None) -> int | None:
        if span is None:
            return None
        digits = self.text[span.start + 1 : span.end]
        if not (digits.isascii() and digits.isdigit()) or int(digits.lstrip("0")[:9] or 0) > _MOST_SLOP:
            shown = f"'{digits}'" if digits else "nothing"
            raise self._refuse(
                f"behind a phrase '~' takes a whole number up to {_MOST_SLOP}, not {shown}",
                span,
                'write "deep sea"~2 for at most two other words between them',
            )
        return int(digits)

    def _read_boost(self, span: Span | None) -> float | None:
        if span is None:
            return None
        digits = self.text[span.start + 1 : span.end]
        factor = float(digits) if digits.isascii() and _BOOST.fullmatch(digits) else 0.0
        if not _LEAST_BOOST <= factor <= _MOST_BOOST:
            shown = f"'{digits}'" if digits else "nothing"
            hint = "write word^2 or word^0.5; '\\^' is the sign itself"
            raise self._refuse(f"'^' takes a number above 0, up to a million, not {shown}", span, hint)
        return factor

    def _refuse(self, message: str, span: Span, hint: str) -> ArgumentError:
        return refuse_query(self.text, message, span, hint)


def _find_name(name: str, columns: tuple[str, ...]) -> str | None:
    """The column of that name, in any case."""
    if name in columns:
        return name
    alike = [column for column in columns if column.lower() == name.lower()]
    return alike[0] if len(alike) == 1 else None
