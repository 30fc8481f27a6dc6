"""The languages a text index is told of, and how each is cut into words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lancesql.errors import ArgumentError, Span, nearest_name

__all__ = ["TOKENIZERS", "Language", "choose_text_options", "find_language"]

TOKENIZERS = ("simple", "whitespace", "raw", "ngram", "icu", "icu/split", "code")

_STEMMED = {
    "ar": "Arabic", "da": "Danish", "nl": "Dutch", "en": "English", "fi": "Finnish", "fr": "French", "de": "German",
    "el": "Greek", "hu": "Hungarian", "it": "Italian", "no": "Norwegian", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "es": "Spanish", "sv": "Swedish", "ta": "Tamil", "tr": "Turkish",
}  # fmt: skip
_IN_GRAMS = {"zh": "Chinese", "ja": "Japanese", "ko": "Korean"}
_IN_WORDS = {
    "af": "Afrikaans", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "cy": "Welsh",
    "et": "Estonian", "eu": "Basque", "fa": "Persian", "ga": "Irish", "gl": "Galician", "gu": "Gujarati",
    "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hy": "Armenian", "id": "Indonesian", "is": "Icelandic",
    "ka": "Georgian", "km": "Khmer", "kn": "Kannada", "lo": "Lao", "lt": "Lithuanian", "lv": "Latvian",
    "ml": "Malayalam", "mr": "Marathi", "ms": "Malay", "my": "Burmese", "ne": "Nepali", "pa": "Punjabi",
    "pl": "Polish", "sk": "Slovak", "sl": "Slovenian", "sq": "Albanian", "sr": "Serbian", "sw": "Swahili",
    "te": "Telugu", "th": "Thai", "tl": "Tagalog", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese",
}  # fmt: skip
_CODES = {**_STEMMED, **_IN_GRAMS, **_IN_WORDS}
_OTHER_CODES = {"nb": "no", "nn": "no", "cmn": "zh", "yue": "zh", "iw": "he", "fil": "tl"}
_WITHOUT_STEMS: dict[str, object] = {"stem": False, "remove_stop_words": False}
_GRAM_LENGTH = 2
_LISTED = (
    f"a code like 'de' or a name like 'German'; stemmed are {', '.join(_STEMMED.values())}; "
    f"any part of a text is found in {', '.join(_IN_GRAMS.values())}"
)


@dataclass(frozen=True)
class Language:
    """A language as an option: its ISO 639-1 code, with or without a region, or its English name, in any case."""


def find_language(word: str, span: Span) -> str:
    """The English name of a language.

    Example:
        >>> find_language("zh-TW", Span(0, 0)), find_language("german", Span(0, 0))
        ('Chinese', 'German')

    Raises:
        ArgumentError: When it is none that an index can be told of.
    """
    folded = word.strip().lower()
    for name in _CODES.values():
        if folded == name.lower():
            return name
    code = folded.replace("_", "-").partition("-")[0]
    code = _OTHER_CODES.get(code, code)
    if code in _CODES:
        return _CODES[code]
    names = {name.lower(): name for name in _CODES.values()}
    near = nearest_name(folded, [*names, *_CODES])
    raise ArgumentError(
        f"'{word}' is not a language a text index knows",
        hint=f"did you mean '{names.get(near, near)}'?" if near else _LISTED,
        span=span,
    )


def choose_text_options(options: Mapping[str, object], spans: Mapping[str, Span]) -> dict[str, object]:
    """The options of a text index as Lance takes them: what was given, and what the language and the tokenizer ask for.

    Chinese, Japanese and Korean are cut into all pairs of letters, so that any part of a word is found. Languages
    without a stemmer are cut at the boundaries of words that Unicode knows, in Thai, Lao, Khmer and Burmese by a
    dictionary.

    Raises:
        ArgumentError: When an option means nothing beside the others.
    """
    chosen = dict(options)
    language = str(chosen.get("language", "English"))
    if language in _IN_GRAMS.values():
        chosen.setdefault("base_tokenizer", "ngram")
    elif language in _IN_WORDS.values():
        chosen.setdefault("base_tokenizer", "icu")
    grams = chosen.get("base_tokenizer") == "ngram"
    if grams or language not in _STEMMED.values():
        for name, what in (("stem", "endings"), ("remove_stop_words", "stop words")):
            if chosen.get(name) is True:
                unfit = "base_tokenizer = 'ngram'" if language in _STEMMED.values() else language
                raise ArgumentError(
                    f"option '{name}' does not fit {unfit}: an index knows no {what} there",
                    hint=f"leave '{name}' out",
                    span=spans[name],
                )
        chosen.update(_WITHOUT_STEMS)
        chosen.pop("language", None)
    for name in ("ngram_min_length", "ngram_max_length", "prefix_only"):
        if name in chosen and not grams:
            raise ArgumentError(f"option '{name}' needs base_tokenizer = 'ngram'", span=spans[name])
    if chosen.pop("prefix_only", False):
        raise ArgumentError(
            "option 'prefix_only' leaves out all of a text but its beginning, so nothing else would be found",
            hint="word* in a query finds what begins so, whatever the index",
            span=spans["prefix_only"],
        )
    if grams:
        _choose_lengths(chosen, spans)
    return chosen


def _choose_lengths(chosen: dict[str, object], spans: Mapping[str, Span]) -> None:
    for name, reason in (
        ("with_position", "grams have no places; phrases are found among them without"),
        ("max_token_length", "ngram_max_length says how long a gram is"),
    ):
        if chosen.get(name, False) is not False:
            raise ArgumentError(
                f"option '{name}' does not fit base_tokenizer = 'ngram': {reason}",
                hint=f"leave '{name}' out",
                span=spans[name],
            )
    most = int(str(chosen.get("ngram_max_length", _GRAM_LENGTH)))
    least = int(str(chosen.get("ngram_min_length", min(_GRAM_LENGTH, most))))
    most = int(str(chosen.get("ngram_max_length", least)))
    if least > most:
        raise ArgumentError(
            f"ngram_min_length {least} is more than ngram_max_length {most}", span=spans["ngram_min_length"]
        )
    chosen.update(ngram_min_length=least, ngram_max_length=most, with_position=False)
