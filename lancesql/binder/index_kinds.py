"""The kinds of index: what each fits, and the options it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lancesql.errors import ArgumentError, Span, nearest_name

from .languages import TOKENIZERS, Language
from .options import Choice, Flag, Number, Option, Share

__all__ = ["INDEX_KINDS", "METRICS", "IndexKind", "find_kind"]


METRICS = {
    "l2": "l2",
    "euclidean": "l2",
    "l2sq": "l2",
    "cosine": "cosine",
    "dot": "dot",
    "ip": "dot",
    "inner_product": "dot",
    "dot_product": "dot",
    "hamming": "hamming",
}

_IVF: dict[str, Option] = {
    "metric": Choice(METRICS),
    "num_partitions": Number(most=2**20),
    "target_partition_size": Number(),
    "max_iterations": Number(most=10_000),
    "sample_rate": Number(most=1_000_000),
}
_PQ: dict[str, Option] = {"num_sub_vectors": Number(most=2**16), "num_bits": Number(choices=(4, 8))}
_HNSW: dict[str, Option] = {
    "m": Number(least=4, most=1_000),
    "ef_construction": Number(least=4, most=100_000),
    "max_level": Number(most=64),
}
_TEXT: dict[str, Option] = {
    "base_tokenizer": Choice({word: word for word in TOKENIZERS}),
    "language": Language(),
    "stem": Flag(),
    "remove_stop_words": Flag(),
    "ascii_folding": Flag(),
    "lower_case": Flag(),
    "with_position": Flag(),
    "max_token_length": Number(most=2**16),
    "ngram_min_length": Number(most=64),
    "ngram_max_length": Number(most=64),
    "prefix_only": Flag(),
}


@dataclass(frozen=True)
class IndexKind:
    """One kind of index.

    Attributes:
        family: `vector`, `text`, `scalar`, `hashed`, `list` or `string`: what columns it fits.
        options: The options it takes, by name.
    """

    family: str
    options: Mapping[str, Option] = field(default_factory=dict)


INDEX_KINDS: dict[str, IndexKind] = {
    "IVF_PQ": IndexKind("vector", {**_IVF, **_PQ}),
    "IVF_FLAT": IndexKind("vector", _IVF),
    "IVF_SQ": IndexKind("vector", {**_IVF, "num_bits": Number(choices=(8,))}),
    "IVF_RQ": IndexKind("vector", {**_IVF, "num_bits": Number(least=1, most=9)}),
    "IVF_HNSW_FLAT": IndexKind("vector", {**_IVF, **_HNSW}),
    "IVF_HNSW_SQ": IndexKind("vector", {**_IVF, **_HNSW, "num_bits": Number(choices=(8,))}),
    "IVF_HNSW_PQ": IndexKind("vector", {**_IVF, **_HNSW, **_PQ}),
    "FTS": IndexKind("text", _TEXT),
    "BTREE": IndexKind("scalar"),
    "BITMAP": IndexKind("scalar"),
    "LABEL_LIST": IndexKind("list"),
    "NGRAM": IndexKind("string"),
    "ZONEMAP": IndexKind("scalar", {"rows_per_zone": Number(least=64, most=2**24)}),
    "BLOOMFILTER": IndexKind("hashed", {"number_of_items": Number(least=64, most=2**24), "probability": Share()}),
}
_KIND_SYNONYMS = {
    "HNSW": "IVF_HNSW_SQ",
    "HNSW_SQ": "IVF_HNSW_SQ",
    "HNSW_PQ": "IVF_HNSW_PQ",
    "HNSW_FLAT": "IVF_HNSW_FLAT",
    "IVFFLAT": "IVF_FLAT",
    "IVFPQ": "IVF_PQ",
    "IVF": "IVF_FLAT",
    "INVERTED": "FTS",
    "FULLTEXT": "FTS",
    "BRIN": "ZONEMAP",
    "BLOOM": "BLOOMFILTER",
    "TRIGRAM": "NGRAM",
    "ZONE_MAP": "ZONEMAP",
    "BLOOM_FILTER": "BLOOMFILTER",
    "LABELLIST": "LABEL_LIST",
}
_AMBIGUOUS = {
    "GIN": "FTS finds words in texts, NGRAM parts of texts (LIKE), LABEL_LIST elements of lists",
    "GIST": "FTS finds words in texts, BTREE ranges of values",
    "RTREE": "BTREE finds ranges of values",
    "HASH": "BTREE finds equal values, BLOOMFILTER skips parts of the table that have none",
    "ART": "BTREE finds equal values and ranges",
    "DISKANN": "IVF_PQ keeps little in memory, IVF_HNSW_SQ is a graph",
    "TREE_AH": "IVF_PQ keeps coarse codes, and compares true distances of what they find",
}


def find_kind(word: str, span: Span) -> str:
    """The kind a word after USING means.

    Raises:
        ArgumentError: When it is none.
    """
    folded = word.upper()
    folded = _KIND_SYNONYMS.get(folded, folded)
    if folded in INDEX_KINDS:
        return folded
    if folded in _AMBIGUOUS:
        raise ArgumentError(f"'{word}' is not a kind of index of Lance", hint=_AMBIGUOUS[folded], span=span)
    near = nearest_name(folded, [*INDEX_KINDS, *_KIND_SYNONYMS])
    listed = f"the kinds are {', '.join(INDEX_KINDS)}"
    raise ArgumentError(
        f"'{word}' is not a kind of index", hint=f"did you mean {near}? {listed}" if near else listed, span=span
    )
