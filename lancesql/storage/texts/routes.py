"""Which way each part of a text query goes: by the index, by the index and a look at texts, or by the texts alone."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from lancesql.storage.scripts import BY_SPACES, find_spaceless_language

from .candidates import write_pattern
from .indexes import TextIndex, compile_query
from .terms import Bag, Chain, Leaf, Node, Part, Similar, list_leaves

__all__ = ["Route", "choose_route", "describe_routes"]

_SHOWN, _SHOWN_LETTERS = 8, 40


class Route(Enum):
    """How a leaf is answered.

    Attributes:
        INDEX: By the index alone.
        CHECK: The index finds the rows with every word, or every gram; their texts are looked at for the order.
        TEXTS: Every text of the column is looked at.
    """

    INDEX = "index"
    CHECK = "check"
    TEXTS = "texts"


def choose_route(leaf: Leaf, indexes: Mapping[str, TextIndex]) -> Route:
    """The cheapest way that gives exactly the rows of a leaf, and their scores."""
    if compile_query(leaf, indexes) is not None:
        return Route.INDEX
    index = indexes.get(leaf.column)
    if isinstance(leaf, Part):
        return Route.CHECK if index is not None and index.finds_parts and leaf.grams else Route.TEXTS
    if index is None or not index.finds_rows or not isinstance(leaf, Chain):
        return Route.TEXTS
    return Route.TEXTS if any(isinstance(term, Similar) for term, _ in leaf.parts) else Route.CHECK


def describe_routes(node: Node | None, indexes: Mapping[str, TextIndex], *, many: bool) -> list[str]:
    """The ways of a query in words; nothing when the index alone answers all of it, or there is none to ask.

    Args:
        node: The query, bound.
        indexes: The text indexes of the table by column.
        many: Whether there are so many texts that Lance looks for letters in them first.
    """
    if node is None:
        return ["it asks for no word that is kept, so nothing matches"]
    return [*_list_routes(node, indexes, many), *_advise_languages(node, indexes)]


def _advise_languages(node: Node, indexes: Mapping[str, TextIndex]) -> list[str]:
    """What to do about words of scripts without spaces, where an index cuts texts at spaces alone."""
    asked: dict[str, list[str]] = {}
    for leaf in list_leaves(node):
        index = indexes.get(leaf.column)
        if isinstance(leaf, Bag | Chain) and index is not None and index.options.get("base_tokenizer") in BY_SPACES:
            asked.setdefault(leaf.column, []).extend(leaf.text.split())
    lines = []
    for column, words in asked.items():
        code = next(filter(None, (find_spaceless_language([word]) for word in words)), None)
        if code is not None:
            lines.append(
                f"index {indexes[column].name} cannot find parts of such words: "
                f"CREATE OR REPLACE INDEX ON … USING FTS ({column}) WITH (language = '{code}') can"
            )
    return lines


def _list_routes(node: Node, indexes: Mapping[str, TextIndex], many: bool) -> list[str]:
    if compile_query(node, indexes) is not None:
        return []
    leaves = [leaf for leaf in dict.fromkeys(list_leaves(node)) if leaf.column in indexes]
    lines = [f"{_show_leaf(leaf)} in {leaf.column} → {_explain_leaf(leaf, indexes, many)}" for leaf in leaves]
    left_out = len(lines) - _SHOWN
    return lines if left_out <= 0 else [*lines[:_SHOWN], f"{left_out} more parts"]


def _explain_leaf(leaf: Leaf, indexes: Mapping[str, TextIndex], many: bool) -> str:
    index = indexes[leaf.column]
    if not index.finds_rows:
        return "every text, cut into words: the index finds elements of lists, not rows"
    route = choose_route(leaf, indexes)
    if isinstance(leaf, Part) and route is not Route.INDEX:
        if route is Route.CHECK:
            return f"index {index.name}, then the texts of rows with every {len(leaf.grams[0])} letters of it"
        length = index.options.get("min_ngram_length")
        known = "the beginnings of texts" if leaf.grams else f"no parts of less than {length} letters"
        return f"every text, letter by letter: the index knows {known}"
    match route:
        case Route.INDEX:
            return f"index {index.name}"
        case Route.CHECK if not index.has_positions:
            return (
                f"index {index.name}, then the texts of rows with every word: the index keeps no positions "
                f"(WITH (with_position = true) does)"
            )
        case Route.CHECK if isinstance(leaf, Chain) and leaf.slop and len(leaf.parts) > 2:
            return f"index {index.name}, then the texts of rows with every word: Lance misses phrases with such gaps"
        case Route.CHECK:
            return f"index {index.name}, then the texts of rows with every word"
        case Route.TEXTS if isinstance(leaf, Bag):
            return "every text, cut into words"
        case Route.TEXTS:
            reason = _explain_texts(leaf, index)
            if many and isinstance(leaf, Similar) and write_pattern(leaf, index) is not None:
                return f"texts with such letters, found by regexp_like, cut into words: {reason}"
            return f"every text, cut into words: {reason}"


def _explain_texts(leaf: Leaf, index: TextIndex) -> str:
    if not isinstance(leaf, Similar) or leaf.edits is None:
        return "an index is not asked for beginnings"
    if index.options.get("stem"):
        return "the index keeps words without their endings"
    return "Lance compares with words that its index knows alone, and 50 at most"


def _show_leaf(leaf: Leaf) -> str:
    match leaf:
        case Bag(text=text) | Part(text=text):
            return _shorten(text)
        case Similar(plain=plain, edits=None):
            return f"{_shorten(plain)}*"
        case Similar(plain=plain, edits=edits):
            return f"{_shorten(plain)}~{edits}"
        case Chain(text=text, parts=parts, slop=slop):
            begun = "*" if isinstance(parts[-1][0], Similar) else ""
            return f'"{_shorten(text)}"{f"~{slop}" if slop else ""}{begun}'


def _shorten(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SHOWN_LETTERS else f"{flat[: _SHOWN_LETTERS - 1]}…"
