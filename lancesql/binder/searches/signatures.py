"""The arguments search functions take: names, synonyms, and what stands where without a name."""

from __future__ import annotations

from dataclasses import dataclass

from lancesql.errors import ArgumentError, nearest_name
from lancesql.parser.calls import Argument, SearchCall, read_search_argument
from lancesql.parser.tokens import TokenType

__all__ = ["SIGNATURES", "Signature", "check_names", "read_arguments", "read_parts"]

_SNAPSHOT = ("version", "tag", "branch", "timestamp")
_FILTER = ("filter", "prefilter")
_EFFORT = ("metric", "nprobes", "ef", "refine_factor", "exact", "use_index", "recall", "fast_search")
_BOUNDS = ("lower_bound", "upper_bound")
_EXAMPLES = ("like_id", "id_column", "positive", "negative")
_SELECTION = ("group_by", "group_size", "mmr", "candidates")
_VECTOR = ("column", "query", "k", *_EFFORT, *_BOUNDS, *_EXAMPLES, *_SELECTION, *_FILTER, *_SNAPSHOT)
_READING = ("operator", "syntax", "fuzziness", "slop", "boosts")
_TEXT = ("columns", "query", "k", *_READING, "fast_search", *_FILTER, *_SNAPSHOT)
_HYBRID = (
    "vector_column", "vector", "text_columns", "text", "k", "candidates", "fusion", "rrf_k", "weights", "alpha",
    "normalize", "recency", *_READING, *_EFFORT, *_EXAMPLES, *_FILTER, *_SNAPSHOT,
)  # fmt: skip
_FUSION = ("k", "candidates", "rrf_k", "weights", "recency", *_FILTER)
_RERANKING = ("reranker", "query", "column", "k", "candidates", *_FILTER)

_SYNONYMS = {
    "top_k": "k",
    "num_results": "k",
    "distance_type": "metric",
    "metric_type": "metric",
    "nprobs": "nprobes",
    "num_candidates": "candidates",
    "candidate_count": "candidates",
    "normalization": "normalize",
    "distance_lower_bound": "lower_bound",
    "distance_upper_bound": "upper_bound",
}


@dataclass(frozen=True)
class Signature:
    """One search function.

    Attributes:
        kind: `vector`, `text`, `hybrid`, `fusion` or `reranking`.
        names: Every argument that may be named.
        positions: What the arguments behind the table mean, by how many there are.
        prefilter: Whether WHERE is applied before the top-k unless the call says otherwise.
        usage: The call in one line, for messages.
    """

    kind: str
    names: tuple[str, ...]
    positions: dict[int, tuple[str, ...]]
    usage: str
    prefilter: bool = True


_VECTOR_POSITIONS = {0: (), 1: ("query",), 2: ("column", "query")}
_TEXT_POSITIONS = {0: (), 1: ("query",), 2: ("columns", "query")}
_HYBRID_POSITIONS = {
    0: (),
    1: ("text",),
    2: ("vector", "text"),
    3: ("vector_column", "vector", "text"),
    4: ("vector_column", "vector", "text_columns", "text"),
}

SIGNATURES = {
    "vector_search": Signature(
        "vector", _VECTOR, _VECTOR_POSITIONS, "vector_search(table, [column,] query, k => 10, …)"
    ),
    "fts": Signature("text", _TEXT, _TEXT_POSITIONS, "fts(table, [columns,] query, …)"),
    "hybrid_search": Signature(
        "hybrid",
        _HYBRID,
        _HYBRID_POSITIONS,
        "hybrid_search(table, [[vector_column,] vector,] [text_columns,] text, k => 10, …)",
    ),
    "rrf": Signature("fusion", _FUSION, {}, "rrf(search, search, …, k => 10, rrf_k => 60, weights => […], …)"),
    "rerank": Signature(
        "reranking", _RERANKING, {}, "rerank(search, 'reranker', query => 'text', column => 'text', k => 10, …)"
    ),
    "lance_vector_search": Signature(
        "vector",
        (*_VECTOR, "explain_verbose"),
        {2: ("column", "query")},
        "lance_vector_search(uri, column, vector, k => 10, prefilter => false, …)",
        prefilter=False,
    ),
    "lance_fts": Signature(
        "text",
        (*_TEXT, "explain_verbose"),
        {2: ("columns", "query")},
        "lance_fts(uri, column, query, k => 10, prefilter => false, …)",
        prefilter=False,
    ),
    "lance_hybrid_search": Signature(
        "hybrid",
        (*_HYBRID, "oversample_factor", "explain_verbose"),
        {4: ("vector_column", "vector", "text_columns", "text")},
        "lance_hybrid_search(uri, vector_column, vector, text_column, text, k => 10, alpha => 0.5, …)",
        prefilter=False,
    ),
}


def read_arguments(call: SearchCall) -> tuple[Argument, dict[str, Argument]]:
    """The table argument of a call, and the others by their canonical names.

    Raises:
        ArgumentError: When an argument is unknown, repeated, or one too many.
    """
    signature = SIGNATURES[call.function]
    positional = [argument for argument in call.arguments if argument.name is None]
    named = [argument for argument in call.arguments if argument.name is not None]
    first_named = next((at for at, argument in enumerate(call.arguments) if argument.name is not None), None)
    if first_named is not None and first_named < len(positional):
        late = next(argument for argument in call.arguments[first_named:] if argument.name is None)
        raise ArgumentError(
            "an argument without a name stands behind one with a name", hint=signature.usage, span=late.span
        )
    if not positional:
        raise ArgumentError(f"{call.function}() needs a table", hint=signature.usage, span=call.name_span)
    by_name: dict[str, Argument] = {}
    for argument in named:
        name = _canonical_name(argument, call, signature)
        if name in by_name:
            other = by_name[name].name
            also = f" (also given as '{other}')" if other != argument.name else ""
            raise ArgumentError(f"argument '{argument.name}' is given twice{also}", span=argument.name_span)
        by_name[name] = argument
    names = _choose_positions(positional, by_name, signature)
    if names is None:
        names = _fit_positions(positional, by_name, signature, call)
    for name, argument in zip(names, positional[1:], strict=True):
        if name in by_name:
            raise ArgumentError(f"argument '{name}' is given twice", span=by_name[name].name_span)
        by_name[name] = argument
    return positional[0], by_name


def read_parts(call: SearchCall) -> tuple[list[SearchCall], list[Argument], dict[str, Argument]]:
    """The searches that a function of searches is given, its other arguments without a name, and those with one.

    Raises:
        ArgumentError: When an argument is repeated, or one without a name stands behind one with a name.
    """
    signature = SIGNATURES[call.function]
    searches: list[SearchCall] = []
    rest: list[Argument] = []
    named: dict[str, Argument] = {}
    for argument in call.arguments:
        search = read_search_argument(argument)
        if argument.name is None and named:
            raise ArgumentError(
                "an argument without a name stands behind one with a name", hint=signature.usage, span=argument.span
            )
        if search is not None:
            searches.append(search)
        elif argument.name is None:
            rest.append(argument)
        else:
            name = argument.name.lower()
            name = _SYNONYMS.get(name, name)
            if name in named:
                raise ArgumentError(f"argument '{argument.name}' is given twice", span=argument.name_span)
            named[name] = argument
    return searches, rest, named


def check_names(call: SearchCall, named: dict[str, Argument], names: tuple[str, ...]) -> None:
    """Refuses an argument that is not among `names`."""
    for name, argument in named.items():
        if name not in names:
            near = nearest_name(name, names)
            listed = f"arguments: {', '.join(names)}"
            raise ArgumentError(
                f"{call.function}() has no argument '{argument.name}'",
                hint=f"did you mean '{near}'? {listed}" if near else listed,
                span=argument.name_span,
            )


def _choose_positions(
    positional: list[Argument], named: dict[str, Argument], signature: Signature
) -> tuple[str, ...] | None:
    """The usual meaning of so many positional arguments; None when there is none."""
    count = len(positional) - 1
    if "like_id" in named or "positive" in named:  # the query may be left out, and what stands first is a name
        if signature.kind == "vector" and count == 1 and _is_name(positional[1]):
            return ("column",)
        if signature.kind == "hybrid" and count in (1, 2) and all(map(_is_name, positional[1:])):
            return ("text",) if count == 1 else ("vector_column", "text")
    if signature.kind == "hybrid" and count == 3 and not _is_name(positional[1]):
        return ("vector", "text_columns", "text")
    return signature.positions.get(count)


def _is_name(argument: Argument) -> bool:
    """Whether an argument is one word or one text: a column, where a vector might stand as well."""
    kinds = (TokenType.NUMBER, TokenType.PLACEHOLDER, TokenType.NULL)
    return len(argument.tokens) == 1 and argument.tokens[0].token_type not in kinds


def _fit_positions(
    positional: list[Argument], named: dict[str, Argument], signature: Signature, call: SearchCall
) -> tuple[str, ...]:
    """The meaning of the positional arguments when some of the usual ones are named instead."""
    count = len(positional) - 1
    for names in signature.positions.values():
        left = tuple(name for name in names if name not in named)
        if len(left) == count and len(left) < len(names):
            return left
    if count > max(signature.positions):
        extra = positional[max(signature.positions) + 1]
        raise ArgumentError(
            f"{call.function}() takes no more arguments without a name", hint=signature.usage, span=extra.span
        )
    raise ArgumentError(f"{call.function}() needs more arguments", hint=signature.usage, span=call.name_span)


def _canonical_name(argument: Argument, call: SearchCall, signature: Signature) -> str:
    name = (argument.name or "").lower()
    canonical = _SYNONYMS.get(name, name)
    if canonical in signature.names:
        return canonical
    owners = [function for function, one in SIGNATURES.items() if canonical in one.names]
    near = nearest_name(name, [*signature.names, *(one for one, of in _SYNONYMS.items() if of in signature.names)])
    listed = f"arguments: {', '.join(signature.names)}"
    hint = f"did you mean '{near}'?" if near else f"{owners[0]}() has it; {listed}" if owners else listed
    raise ArgumentError(
        f"{call.function}() has no argument '{argument.name}'",
        hint=hint,
        span=argument.name_span,
    )
