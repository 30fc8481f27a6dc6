"""The language of text queries: what each form means, and what is said of those that mean nothing."""

from __future__ import annotations

import pytest

from lancesql.errors import ArgumentError
from lancesql.parser.text_query import parse_text_query
from lancesql.plan.text import (
    AllOf,
    AnyOf,
    Boosted,
    Excluding,
    Fuzziness,
    InColumn,
    Phrase,
    Preferring,
    Prefix,
    TextQuery,
    TextReading,
    Words,
)

READING = TextReading(columns=("title", "Text", "two words"), others=("year", "id"))


def word(text: str, fuzziness: Fuzziness = 0) -> Words:
    """A word of which every part has to be there."""
    return Words(text, "and", fuzziness)


MEANINGS: dict[str, TextQuery] = {
    "": Words(""),
    " \t\n": Words(""),
    "deep learning": Words("deep learning"),
    "deep OR learning": Words("deep learning"),
    "deep || learning": Words("deep learning"),
    "deep AND learning": AllOf((word("deep"), word("learning"))),
    "deep && learning": AllOf((word("deep"), word("learning"))),
    "and or not": Words("and or not"),
    '"neural network"': Phrase("neural network"),
    '"neural network"~3': Phrase("neural network", 3),
    "“neural network”": Phrase("neural network"),
    r'"say \"yes\" C:\\dir \n"': Phrase(r'say "yes" C:\dir \n'),
    'a "b c" d': AnyOf((Words("a"), Phrase("b c"), Words("d"))),
    'say"b c"d': AnyOf((Words("say"), Phrase("b c"), Words("d"))),
    "a AND b OR c d": AnyOf((AllOf((word("a"), word("b"))), Words("c d"))),
    "a AND (b OR c)": AllOf((word("a"), Words("b c"))),
    "a NOT b": Excluding(Words("a"), (word("b"),)),
    "a AND NOT b": Excluding(word("a"), (word("b"),)),
    "NOT a AND b": Excluding(word("b"), (word("a"),)),
    "a b -c": Excluding(Words("a b"), (word("c"),)),
    "a -c b": Excluding(Words("a b"), (word("c"),)),
    "a OR b NOT c": Excluding(Words("a b"), (word("c"),)),
    "a OR b AND NOT c": AnyOf((Words("a"), Excluding(word("b"), (word("c"),)))),
    '-"b c" a -(d e)': Excluding(Words("a"), (Phrase("b c"), Words("d e"))),
    "+a": word("a"),
    "+a +b": AllOf((word("a"), word("b"))),
    "+a b c": Preferring(word("a"), (Words("b c"),)),
    'b +a "c d" -e': Excluding(Preferring(word("a"), (Words("b"), Phrase("c d"))), (word("e"),)),
    "+a AND b c": Preferring(AllOf((word("a"), word("b"))), (Words("c"),)),
    "+(a b) c": Preferring(Words("a b"), (Words("c"),)),
    "title:deep": InColumn("title", Words("deep")),
    "TITLE:deep text:sea": AnyOf((InColumn("title", Words("deep")), InColumn("Text", Words("sea")))),
    'title:"deep sea"~1': InColumn("title", Phrase("deep sea", 1)),
    "title:(deep OR sea)^2": Boosted(InColumn("title", Words("deep sea")), 2.0),
    r"two\ words:deep": InColumn("two words", Words("deep")),
    "-title:deep sea": Excluding(Words("sea"), (InColumn("title", word("deep")),)),
    "title:https://x.org/a?b": InColumn("title", Words("https://x.org/a?b")),
    "incident~1": Words("incident", fuzziness=1),
    "incident~ report": AnyOf((Words("incident", fuzziness="auto"), Words("report"))),
    "a~1 b~1": Words("a b", fuzziness=1),
    "a~0": Words("a"),
    "incid*": Prefix("incid"),
    "title:inc* AND b": AllOf((InColumn("title", Prefix("inc")), word("b"))),
    "a^2.5": Boosted(Words("a"), 2.5),
    "a^1": Words("a"),
    'a~1^.5 b*^3 "c d"~2^4 (e f)^5': AnyOf(
        (
            Boosted(Words("a", fuzziness=1), 0.5),
            Boosted(Prefix("b"), 3.0),
            Boosted(Phrase("c d", 2), 4.0),
            Boosted(Words("e f"), 5.0),
        )
    ),
    "+a^2": Boosted(word("a"), 2.0),
    # What people write and do not mean as operators.
    "state-of-the-art": Words("state-of-the-art"),
    "-state-of-the-art film": Excluding(Words("film"), (word("state-of-the-art"),)),
    "O'Reilly's rock 'n' roll": Words("O'Reilly's rock 'n' roll"),
    "https://x.org/a?b=c 12:30 me@x.org localhost:8080 std::vector": Words(
        "https://x.org/a?b=c 12:30 me@x.org localhost:8080 std::vector"
    ),
    "C++ C# .NET 50% $5 €3.50 R&D AT & T": Words("C++ C# .NET 50% $5 €3.50 R&D AT & T"),
    "sea - a study -- of -> water": Words("sea - a study -- of -> water"),
    "--verbose ~home a~b ^": Words("--verbose ~home a~b ^"),
    'a 12" pipe': Words('a 12" pipe'),
    "Straße İstanbul 東京 😀": Words("Straße İstanbul 東京 😀"),
    r"\+a \-b title\:c d\* e\~1 f\^2 \(g\) \"h": Words('+a -b title:c d* e~1 f^2 (g) "h'),
    "C:\\dir\\": Words("C:\\dir\\"),
    '"AND" OR "or"': AnyOf((Phrase("AND"), Phrase("or"))),
}


@pytest.mark.parametrize("text", MEANINGS)
def test_a_form_means(text: str) -> None:
    assert parse_text_query(text, READING) == MEANINGS[text]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("a b", AllOf((word("a"), word("b")))),
        ("a b OR c", AnyOf((AllOf((word("a"), word("b"))), word("c")))),
        ("a OR b c", AnyOf((word("a"), AllOf((word("b"), word("c")))))),
        ("a -b c", Excluding(AllOf((word("a"), word("c"))), (word("b"),))),
        ("+a b", AllOf((word("a"), word("b")))),
        ("(a OR b) c", AllOf((AnyOf((word("a"), word("b"))), word("c")))),
    ],
)
def test_words_side_by_side_joined_by_and(text: str, query: TextQuery) -> None:
    assert parse_text_query(text, TextReading(operator="and")) == query


def test_defaults_are_for_what_carries_none_of_its_own() -> None:
    reading = TextReading(fuzziness="auto", slop=2)
    wanted = AnyOf((Words("a", fuzziness="auto"), Words("b"), Phrase("c d", 2), Phrase("e f"), Prefix("g")))
    assert parse_text_query('a b~0 "c d" "e f"~0 g*', reading) == wanted


MISTAKES = {
    "a AND": ("beside AND", "AND"),
    "AND a": ("beside AND", "AND"),
    "AND": ("beside AND", "AND"),
    "a OR": ("beside OR", "OR"),
    "a AND OR b": ("beside OR", "OR"),
    "(a AND)": ("beside AND", "AND"),
    "a NOT": ("behind 'NOT'", "NOT"),
    "a NOT NOT b": ("only one sign", "NOT"),
    "NOT a": ("taken from something", "NOT"),
    "-a": ("taken from something", "-"),
    "a (-b)": ("taken from something", "-"),
    "a OR -b": ("no alternative", "-"),
    "+a OR b": ("no alternative", "+"),
    "(a": ("not closed", "("),
    "(": ("not closed", "("),
    "a (b (c)": ("not closed", "("),
    "a)": ("not opened", ")"),
    "a ()": ("nothing stands between", "("),
    '"a': ("not closed", '"'),
    'a "" b': ("phrase is empty", '""'),
    "title:": ("missing behind 'title:'", "title:"),
    "title: a": ("missing behind 'title:'", "title:"),
    "title:(text:a)": ("within 'title:'", "text"),
    "title:text:a": ("behind another column", "text"),
    "titel:a": ("no column 'titel'", "titel"),
    'author:"a b"': ("no column 'author'", "author"),
    "tilte:1984": ("no column 'tilte'", "tilte"),
    "year:1984": ("column 'year' is not searched", "year"),
    "a~5": ("0, 1 or 2 letters", "~5"),
    "a~0.8": ("0, 1 or 2 letters", "~0.8"),
    "a~1~2": ("stands twice", "~2"),
    "~5": ("nothing that '~' belongs to", "~5"),
    '"a b" ~2': ("nothing that '~' belongs to", "~2"),
    '"a b"~': ("a whole number", "~"),
    '"a b"~x': ("a whole number", "~x"),
    '"a b"~99999999999': ("a whole number", "~99999999999"),
    "(a b)~1": ("behind a word or a phrase", "~1"),
    "a^": ("a number above 0", "^"),
    "a^0": ("a number above 0", "^0"),
    "a^-1": ("a number above 0", "^-1"),
    "a^x": ("a number above 0", "^x"),
    "a^2^3": ("a number above 0", "^2^3"),
    "a^1e9": ("a number above 0", "^1e9"),
    "a^99999999": ("a number above 0", "^99999999"),
    "(a)^inf": ("a number above 0", "^inf"),
    "a ^2": ("nothing that '^' belongs to", "^2"),
    "*": ("at the end of a word", "*"),
    "a *": ("at the end of a word", "*"),
    "*a": ("at the end of a word", "*"),
    "a*b": ("at the end of a word", "*"),
    "a**": ("at the end of a word", "*"),
    "-*": ("at the end of a word", "*"),
    "a*~1": ("at the end of a word", "*"),
    '"a b"*': ("at the end of a word", "*"),
    "(a)*": ("at the end of a word", "*"),
    "(" * 60 + "a" + ")" * 60: ("50 deep", "("),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_shown_where_it_is(text: str) -> None:
    message, place = MISTAKES[text]
    with pytest.raises(ArgumentError) as caught:
        parse_text_query(text, READING)
    error = caught.value
    assert message in error.message
    assert error.sql == text
    assert error.span is not None
    assert text[error.span.start : error.span.end] == place
    assert error.hint


def test_a_name_is_a_word_where_no_columns_are_known() -> None:
    assert parse_text_query("title:deep") == Words("title:deep")
