"""Trees of text queries written down again, in one of the many ways that mean them."""

from __future__ import annotations

import random
from typing import Any

from lancesql.plan.text import (
    AllOf,
    AnyOf,
    Boosted,
    Demoting,
    Excluding,
    InColumn,
    Phrase,
    Preferring,
    Prefix,
    TextQuery,
    Words,
)

__all__ = ["Printer", "write_json"]

_SIGNS = frozenset('\\+-:()~*^"“”„')


class Printer:
    """Writes the query language."""

    def __init__(self, chooser: random.Random) -> None:
        self.chooser = chooser

    def write_list(self, query: TextQuery) -> str:
        """What stands alone, or between parentheses."""
        match query:
            case AnyOf(items):
                return self.chooser.choice([" ", "  ", " OR ", " || "]).join(map(self._write_alternative, items))
            case Preferring(required, optional):
                return " ".join(self._write_required(required) + [self._write_alternative(one) for one in optional])
            case Excluding(wanted, unwanted) if self.chooser.random() < 0.6:
                parts = self._write_wanted(wanted)
                for one in unwanted:
                    sign = self.chooser.choice(["-", "NOT "])
                    place = self.chooser.randint(0, len(parts)) if one is unwanted[0] else len(parts)
                    parts.insert(place, f"{sign}{self._write_clause(one, tight=True)}")
                return " ".join(parts)
            case AllOf() | Words(_, "and") if self.chooser.random() < 0.5:
                return " ".join(self._write_required(query))
            case _:
                return self._write_alternative(query)

    def _write_wanted(self, query: TextQuery) -> list[str]:
        match query:
            case AnyOf(items):
                return list(map(self._write_alternative, items))
            case Preferring(required, optional):
                return self._write_required(required) + list(map(self._write_alternative, optional))
            case _:
                return [self._write_alternative(query)]

    def _write_required(self, query: TextQuery) -> list[str]:
        items = query.items if isinstance(query, AllOf) else (query,)
        return [f"+{self._write_clause(item, tight=True)}" for item in items]

    def _write_alternative(self, query: TextQuery) -> str:
        match query:
            case AllOf(items):
                return self._write_chain(items, ())
            case Excluding(wanted, unwanted):
                return self._write_chain(wanted.items if isinstance(wanted, AllOf) else (wanted,), unwanted)
            case Words(text, "or"):
                return " ".join(self._write_word(word, query.fuzziness) for word in text.split(" "))
            case _:
                return self._write_clause(query, tight=False)

    def _write_chain(self, wanted: tuple[TextQuery, ...], unwanted: tuple[TextQuery, ...]) -> str:
        parts = [self._write_clause(one, tight=True) for one in wanted]
        parts += [self.chooser.choice(["NOT ", "-"]) + self._write_clause(one, tight=True) for one in unwanted]
        return self.chooser.choice([" AND ", " && "]).join(parts)

    def _write_clause(self, query: TextQuery, *, tight: bool) -> str:
        """One thing that a sign can stand before; `tight` where every part of a word has to be there."""
        match query:
            case Boosted(InColumn() as inner, factor):
                return f"{self._write_clause(inner, tight=tight)}^{factor}"
            case Boosted(inner, factor):
                return f"{self._write_atom(inner, tight=tight)}^{factor}"
            case InColumn(column, inner):
                named = self.chooser.choice([column, column.upper(), column.lower()])
                return f"{self._escape(named)}:{self._write_atom(inner, tight=tight)}"
            case _:
                return self._write_atom(query, tight=tight)

    def _write_atom(self, query: TextQuery, *, tight: bool) -> str:
        match query:
            case Words(text, operator, fuzziness) if (operator == "and") == tight and " " not in text:
                return self._write_word(text, fuzziness)
            case Words(text, "or"):
                return f"({self._write_alternative(query)})"
            case Words(text, _, fuzziness):
                return f"(+{self._write_word(text, fuzziness)})"
            case Prefix(text):
                return f"{self._escape(text)}*"
            case Phrase(text, slop):
                escaped = "".join(f"\\{letter}" if letter in '\\"“”„' else letter for letter in text)
                opening, closing = self.chooser.choice(['""', "“”", "„“"])
                return f"{opening}{escaped}{closing}" + (f"~{slop}" if slop or self.chooser.random() < 0.2 else "")
            case _:
                return f"({self.write_list(query)})"

    def _write_word(self, word: str, fuzziness: object) -> str:
        signs = {0: self.chooser.choice(["", "~0"]), "auto": "~"}
        return self._escape(word) + signs.get(fuzziness, f"~{fuzziness}")

    def _escape(self, word: str) -> str:
        plain = self.chooser.random() < 0.5
        return "".join(
            f"\\{letter}"
            if (letter in _SIGNS or letter.isspace()) and not (plain and at and letter in "+-")
            else letter
            for at, letter in enumerate(word)
        )


def write_json(query: TextQuery) -> dict[str, Any]:
    """The structured form."""
    match query:
        case Boosted(inner, factor):
            written = write_json(inner)
            written["match"]["boost"] = factor
            return written
        case InColumn(column, inner):
            (kind, body), *_ = write_json(inner).items()
            return {kind: {"column": column, **body}}
        case Words(text, operator, fuzziness):
            return {"match": {"terms": text, "operator": operator.title(), "fuzziness": fuzziness}}
        case Phrase(text, slop):
            return {"phrase": {"terms": text, "slop": slop}}
        case Demoting(positive, negative, factor):
            sides = {"positive": write_json(positive), "negative": write_json(negative)}
            return {"boost": {**sides, "negative_boost": factor}}
        case Excluding(wanted, unwanted):
            boolean = _write_boolean(wanted) or {"must": [write_json(wanted)]}
            return {"boolean": {**boolean, "must_not": list(map(write_json, unwanted))}}
        case _:
            return {"boolean": _write_boolean(query)}


def _write_boolean(query: TextQuery) -> dict[str, Any]:
    match query:
        case AllOf(items):
            return {"must": list(map(write_json, items))}
        case AnyOf(items):
            return {"should": list(map(write_json, items))}
        case Preferring(required, optional):
            inner = _write_boolean(required) if isinstance(required, AllOf) else {"must": [write_json(required)]}
            return {**inner, "should": list(map(write_json, optional))}
        case _:
            return {}
