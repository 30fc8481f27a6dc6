"""Options of a command, `WITH (name = value)`: their types and ranges, and the values that were given."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lancesql.errors import ArgumentError, Span, nearest_name
from lancesql.parser.commands import OptionSyntax

from .languages import Language, find_language

__all__ = ["Age", "Choice", "Flag", "Names", "Number", "Option", "Share", "read_options"]

_LONGEST = 2.0**40
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_PART = re.compile(
    r"(\d+(?:\.\d+)?)\s*(s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:ours?)?|d(?:ays?)?|w(?:eeks?)?)(?!\w)", re.IGNORECASE
)


@dataclass(frozen=True)
class Number:
    """A whole number within a range, or one of a few."""

    least: int = 1
    most: int = 2**31 - 1
    choices: tuple[int, ...] = ()


@dataclass(frozen=True)
class Share:
    """A number between 0 and 1; neither of them, unless the ends count."""

    ends: bool = False


@dataclass(frozen=True)
class Flag:
    """true or false."""


@dataclass(frozen=True)
class Choice:
    """One of these words, in any case; the values are how they are meant."""

    words: Mapping[str, str]


@dataclass(frozen=True)
class Names:
    """One name or a list of names, or true for all of them."""


@dataclass(frozen=True)
class Age:
    """A length of time as text, `'14 days'`; meant in seconds."""


Option = Number | Share | Flag | Choice | Language | Names | Age

SYNONYMS = {
    "retain_n_versions": "retain_versions",
    "target_rows_per_fragment": "target_rows",
    "distance_type": "metric",
    "metric_type": "metric",
    "max_iters": "max_iterations",
    "ivf_partitions": "num_partitions",
    "lists": "num_partitions",
    "nlist": "num_partitions",
    "num_lists": "num_partitions",
    "nbits": "num_bits",
    "max_connections": "m",
    "ef_const": "ef_construction",
    "with_positions": "with_position",
    "tokenizer": "base_tokenizer",
    "stop_words": "remove_stop_words",
    "stemming": "stem",
    "lang": "language",
    "ngram_min": "ngram_min_length",
    "ngram_max": "ngram_max_length",
    "min_ngram_length": "ngram_min_length",
    "max_ngram_length": "ngram_max_length",
}


def read_options(
    options: Sequence[OptionSyntax], known: Mapping[str, Option], owner: str
) -> tuple[dict[str, object], dict[str, Span]]:
    """The options by name, checked, and where each value stands.

    Raises:
        ArgumentError: When one is unknown, repeated, or has a bad value.
    """
    values: dict[str, object] = {}
    spans: dict[str, Span] = {}
    for option in options:
        name = option.name if option.name in known else SYNONYMS.get(option.name, option.name)
        if name not in known:
            near = nearest_name(name, [*known, *(alias for alias, target in SYNONYMS.items() if target in known)])
            listed = f"{owner} takes {', '.join(known)}" if known else f"{owner} takes no options"
            raise ArgumentError(
                f"{owner} has no option '{option.name}'",
                hint=f"did you mean '{near}'? {listed}" if near else listed,
                span=option.span,
            )
        if name in values:
            raise ArgumentError(f"option '{name}' is given twice", span=option.span)
        values[name] = _read_value(name, option, known[name])
        spans[name] = option.value_span
    return values, spans


def _read_value(name: str, option: OptionSyntax, known: Option) -> object:
    value = option.value
    match known:
        case Number(least, most, choices):
            fits = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
            if fits and (not choices or value in choices):
                return value
            wanted = " or ".join(map(str, choices)) if choices else f"a whole number from {least} to {most}"
        case Share(ends):
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if is_number and (0 < value < 1 or (ends and value in (0, 1))):  # type: ignore[operator]
                return float(value)  # type: ignore[arg-type]
            wanted = "a number from 0 to 1" if ends else "a number between 0 and 1"
        case Flag():
            word = str(value).lower()
            if word in ("true", "false", "1", "0", "on", "off"):
                return word in ("true", "1", "on")
            wanted = "true or false"
        case Choice(words):
            if isinstance(value, str) and value.lower() in words:
                return words[value.lower()]
            wanted = f"one of {', '.join(dict.fromkeys(words.values()))}"
        case Language():
            if isinstance(value, str):
                return find_language(value, option.value_span)
            wanted = "a code like 'de' or a name like 'German'"
        case Age():
            seconds = _read_age(value)
            if seconds is not None:
                return seconds
            wanted = "a length of time like '14 days' or '12 hours'"
        case Names():
            if isinstance(value, bool | str):
                return (
                    value.lower() == "true" if isinstance(value, str) and value.lower() in ("true", "false") else value
                )
            if isinstance(value, tuple) and value and all(isinstance(one, str) for one in value):
                return value
            wanted = "true, the name of a column, or a list of names"
    near = nearest_name(value, known.words) if isinstance(known, Choice) and isinstance(value, str) else None
    raise ArgumentError(
        f"option '{name}' is {wanted}, not {value!r}",
        hint=f"did you mean '{near}'?" if near else None,
        span=option.value_span,
    )


def _read_age(value: object) -> float | None:
    """The seconds of `14 days`; parts add up."""
    parts = _PART.findall(value) if isinstance(value, str) else []
    if not parts or _PART.sub("", str(value)).strip(" ,"):
        return None
    seconds = sum(float(number) * _SECONDS[unit[0].lower()] for number, unit in parts)
    return seconds if seconds <= _LONGEST else None
