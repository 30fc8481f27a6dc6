"""Whether texts match a query, for texts that are no column of a table: cut into words, and looked through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any as Whatever

import numpy as np
import pyarrow as pa

from lancesql.plan.text import TextQuery

from .blocks import build_blocks
from .matches import Matches, join_matches
from .parts import search_parts
from .places import WordFinder
from .scoring import search_blocks
from .terms import Leaf, Part, bind_query, list_leaves

__all__ = ["match_texts"]

Numbers = np.ndarray[Whatever, Whatever]

_NUMBER = "number"


def match_texts(
    query: TextQuery, texts: Mapping[str, Sequence[str | None]], finders: Mapping[str, WordFinder]
) -> Numbers:
    """For each row whether its texts match.

    Args:
        query: The query, read.
        texts: The texts of the rows, column by column; all of one length.
        finders: What cuts the texts of each column.

    Example:
        >>> from lancesql.plan.text import Words
        >>> match_texts(Words("run"), {"title": ["Running", None, "walks"]}, {"title": WordFinder()}).tolist()
        [True, False, False]
    """
    rows = max(map(len, texts.values()), default=0)
    matching = np.zeros(rows, bool)
    node = bind_query(query, finders)
    if node is None:
        return matching
    asked: dict[str, list[Leaf]] = {}
    for leaf in dict.fromkeys(list_leaves(node)):
        asked.setdefault(leaf.column, []).append(leaf)
    found: dict[Leaf, Matches] = {}
    for column, leaves in asked.items():
        numbers = pa.array(np.arange(rows, dtype=np.uint64))
        batch = pa.record_batch([pa.array(texts[column], pa.string()), numbers], names=[column, f"{column}/{_NUMBER}"])
        parts = [leaf for leaf in leaves if isinstance(leaf, Part)]
        if parts:
            found |= zip(parts, search_parts([batch], f"{column}/{_NUMBER}", parts, finders[column]), strict=True)
            continue
        blocks = build_blocks([batch], column, f"{column}/{_NUMBER}", finders[column])
        found |= zip(leaves, search_blocks(blocks, leaves), strict=True)
    matching[join_matches(node, found.__getitem__).ids] = True
    return matching
