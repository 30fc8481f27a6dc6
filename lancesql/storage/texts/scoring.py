"""Words looked for in the texts themselves: every text is tokenised as an index would, and scored by BM25.

Lance's own search of a column without an index compares words as they are written, capitals and endings too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .blocks import Block
from .matches import Matches
from .terms import Bag, Chain, Leaf, Term, list_terms

__all__ = ["Statistics", "search_blocks"]

Numbers = np.ndarray[Any, Any]

_K1, _B = 1.2, 0.75


@dataclass(frozen=True)
class Statistics:
    """What BM25 asks of a column.

    Attributes:
        texts: How many texts have a word.
        words: How many words they have together.
    """

    texts: int
    words: int

    def weigh(self, holders: int, counts: Numbers, lengths: Numbers) -> Numbers:
        """The BM25 weight of a word in each text that holds it (Robertson et al., 1994), as Lance computes it.

        Args:
            holders: How many texts hold the word.
            counts: How often each does.
            lengths: The words of each.
        """
        rarity = np.log(1 + (max(self.texts, holders) - holders + 0.5) / (holders + 0.5))
        norm = _K1 * (1 - _B + _B * lengths * (self.texts / max(self.words, 1)))
        return np.asarray(rarity * counts * (_K1 + 1) / (counts + norm))


@dataclass(frozen=True)
class _Found:
    """What one block holds of the terms and the chains."""

    ids: Numbers
    lengths: Numbers
    terms: dict[Term, tuple[Numbers, Numbers]]
    chains: dict[Chain, Numbers]


def search_blocks(blocks: Iterable[Block], leaves: Sequence[Leaf], known: Statistics | None = None) -> list[Matches]:
    """What matches each leaf, all of one column. A block is not needed any more once it is looked through.

    Something similar is weighed as one word: it is held by a text, and as often, as any word like it is.

    Args:
        blocks: The texts.
        leaves: What is looked for.
        known: The statistics of the column, when the blocks are not all of its texts but hold all that match.
    """
    wanted = list(dict.fromkeys(term for leaf in leaves for term in list_terms(leaf)))
    chains = [leaf for leaf in dict.fromkeys(leaves) if isinstance(leaf, Chain)]
    found: list[_Found] = []
    texts = words = 0
    holders: Counter[Term] = Counter()
    for block in blocks:
        texts += int(np.count_nonzero(block.lengths))
        words += int(block.lengths.sum())
        counted = {term: block.count(term) for term in wanted}
        holders.update({term: len(numbers) for term, (numbers, _) in counted.items()})
        placed = {chain: block.find_chain(chain) for chain in chains}
        found.append(_Found(block.ids, block.lengths, counted, placed))
    statistics = known or Statistics(texts, words)
    matched = []
    for leaf in leaves:
        parts = [_score_leaf(leaf, block, holders, statistics) for block in found]
        ids = np.concatenate([np.empty(0, np.uint64), *(part.ids for part in parts)])
        matched.append(Matches.sort(ids, np.concatenate([np.empty(0), *(part.scores for part in parts)])))
    return matched


def _score_leaf(leaf: Leaf, found: _Found, holders: Counter[Term], statistics: Statistics) -> Matches:
    scores = np.zeros(len(found.ids))
    held = np.zeros(len(found.ids), np.int64)
    asked = Counter(list_terms(leaf))
    for term, times in asked.items():
        numbers, counts = found.terms[term]
        scores[numbers] += times * statistics.weigh(holders[term], counts, found.lengths[numbers])
        held[numbers] += 1
    if isinstance(leaf, Chain):
        matching = found.chains[leaf]
    else:
        each = isinstance(leaf, Bag) and leaf.operator == "and"
        matching = np.flatnonzero(held == len(asked) if each else held)
    return Matches(found.ids[matching], scores[matching])
