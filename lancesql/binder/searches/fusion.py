"""What `hybrid_search` and `rrf` say about the formula: how legs weigh, how their scores are made comparable."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa

from lancesql.errors import ArgumentError
from lancesql.parser.calls import Argument
from lancesql.plan.fusion import NORMALIZATIONS, Fusion, Normalization
from lancesql.plan.values import Constant, Value

from .arguments import SearchContext, choose_word
from .recency import bind_recency

__all__ = ["DEFAULT_CANDIDATES", "bind_candidates", "bind_fusion"]

DEFAULT_CANDIDATES = 50
"""Measured: of 30 to 200 the depth does not matter on scifact, and less is better for queries after one known film."""
_RRF_K = 60


def bind_candidates(arguments: dict[str, Argument], context: SearchContext) -> Value:
    """How many rows a leg ranks that does not say so itself."""
    return context.read_value(arguments["candidates"]) if "candidates" in arguments else Constant(DEFAULT_CANDIDATES)


def bind_fusion(
    arguments: dict[str, Argument], context: SearchContext, schema: pa.Schema, formula: Literal["rrf", "linear"]
) -> Fusion:
    """The formula a call asks for.

    Args:
        arguments: The arguments of the call.
        context: The block it stands in.
        schema: The table's.
        formula: The one that is meant when the call names none.

    Raises:
        ArgumentError: When arguments contradict each other, or one means nothing in this formula.
    """
    if "fusion" in arguments:
        formula = choose_word(arguments["fusion"], ("rrf", "linear"))  # type: ignore[assignment]
    if "alpha" in arguments and "weights" in arguments:
        raise ArgumentError(
            "alpha and weights both say how the legs weigh",
            hint="alpha => a is short for weights => [a, 1 - a]",
            span=arguments["weights"].name_span,
        )
    unused, other = ("normalize", "linear") if formula == "rrf" else ("rrf_k", "rrf")
    if unused in arguments:
        raise ArgumentError(
            f"{unused} means nothing with fusion => '{formula}'",
            hint=f"leave it out, or say fusion => '{other}'",
            span=arguments[unused].name_span,
        )
    normalize: Normalization = "minmax"
    if "normalize" in arguments:
        normalize = choose_word(arguments["normalize"], NORMALIZATIONS)  # type: ignore[assignment]

    def read(name: str) -> Value | None:
        return context.read_value(arguments[name]) if name in arguments else None

    return Fusion(
        formula=formula,
        rrf_k=(read("rrf_k") or Constant(_RRF_K)) if formula == "rrf" else None,
        weights=read("weights"),
        alpha=read("alpha"),
        normalize=normalize,
        recency=bind_recency(arguments["recency"], context, schema) if "recency" in arguments else None,
    )
