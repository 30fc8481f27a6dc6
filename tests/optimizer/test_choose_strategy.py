from __future__ import annotations

import pytest

from lancesql.catalog import IndexInfo
from lancesql.optimizer.choose_strategy import Effort, Strategy, choose_strategy, is_cheaper_by_rows


def choose(
    kind: str = "IVF_PQ",
    candidates: int = 1_000_000,
    k: int = 10,
    effort: Effort | None = None,
    bits: float | None = 0.5,
) -> Strategy:
    index = IndexInfo(
        "vector_idx", kind, ("vector",), metric="l2", partitions=64, code_bits=bits, rows_indexed=1_000_000
    )
    return choose_strategy(index, "l2", 384, k, candidates, effort or Effort(), filtered=candidates < 1_000_000)


def test_few_qualifying_rows_are_compared_exactly() -> None:
    assert choose(candidates=500).exact
    assert not choose(candidates=50_000).exact


def test_what_is_asked_for_is_done() -> None:
    assert choose(effort=Effort(exact=True)).exact
    assert not choose(candidates=5, effort=Effort(exact=False)).exact
    assert choose(effort=Effort(nprobes=3)).nprobes == 3
    assert choose(effort=Effort(refine_factor=7)).refine_factor == 7
    assert choose(effort=Effort(recall=1.0)).exact


def test_another_metric_is_an_exact_search() -> None:
    index = IndexInfo("vector_idx", "IVF_PQ", ("vector",), metric="cosine", partitions=64)
    strategy = choose_strategy(index, "l2", 384, 10, 1_000_000, Effort(), filtered=False)
    assert strategy.exact
    assert "cosine" in strategy.reason


@pytest.mark.parametrize("kind", ["IVF_PQ", "IVF_SQ", "IVF_RQ", "IVF_HNSW_SQ", "IVF_HNSW_PQ"])
def test_distances_are_refined_for_every_quantised_index(kind: str) -> None:
    assert (choose(kind).refine_factor or 0) >= 2


def test_more_candidates_for_fewer_bits_a_larger_k_and_a_higher_recall() -> None:
    def count(strategy: Strategy, k: int = 10) -> int:
        return (strategy.refine_factor or 0) * k

    assert count(choose(bits=0.5)) > count(choose(bits=1.0)) > count(choose(bits=4.0))
    assert count(choose(k=100), 100) > count(choose(k=10), 10)
    assert count(choose(effort=Effort(recall=0.99))) > count(choose())


@pytest.mark.parametrize("effort", [Effort(), Effort(ef=20), Effort(refine_factor=50), Effort(ef=20, refine_factor=50)])
def test_an_hnsw_list_is_never_shorter_than_the_candidates(effort: Effort) -> None:
    strategy = choose("IVF_HNSW_SQ", effort=effort)
    assert (strategy.ef or 0) >= 10 * (strategy.refine_factor or 1)


@pytest.mark.parametrize(("kind", "bits"), [("IVF_PQ", 0.5), ("IVF_HNSW_PQ", 1.0), ("IVF_RQ", 1.0)])
def test_behind_a_filter_coarse_codes_find_out_how_many_true_distances_they_need(kind: str, bits: float) -> None:
    assert choose(kind, bits=bits, candidates=100_000).adapts
    assert choose(kind, bits=bits, candidates=100_000).refine_factor > choose(kind, bits=bits).refine_factor
    assert 0 < choose(kind, bits=bits, candidates=100_000).missed < 0.2


def test_fine_codes_and_who_says_how_deep_need_not_find_it_out() -> None:
    assert "true distances of up to" in choose(candidates=100_000).reason
    assert not choose().adapts
    assert not choose("IVF_RQ", bits=5.0, candidates=100_000).adapts
    assert not choose("IVF_SQ", bits=8.0, candidates=100_000).adapts
    assert not choose(candidates=100_000, effort=Effort(recall=0.99)).adapts
    assert not choose(candidates=100_000, effort=Effort(refine_factor=7)).adapts


def test_reading_rows_one_by_one_pays_for_few_rows_only() -> None:
    assert is_cheaper_by_rows(100, 35_000, 384)
    assert not is_cheaper_by_rows(5_000, 35_000, 384)
