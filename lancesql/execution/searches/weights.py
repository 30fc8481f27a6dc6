"""The numbers of a fusion's formula: how much each leg weighs, and the constant of reciprocal ranks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from lancesql.errors import ArgumentError
from lancesql.execution.run import Run, evaluate, read_number
from lancesql.plan.fusion import Fusion
from lancesql.plan.sources import FusedSearch

__all__ = ["read_rrf_k", "read_weights"]


def read_weights(source: FusedSearch, run: Run) -> list[float]:
    """How much each leg weighs.

    Raises:
        ArgumentError: When it is not one finite number a leg, none negative, not all zero.
    """
    fusion, legs = source.fusion, len(source.legs)
    if fusion.alpha is not None or (fusion.weights is None and fusion.formula == "linear" and legs == 2):
        alpha = 0.5 if fusion.alpha is None else read_number(fusion.alpha, run, "alpha")
        if alpha is None or not 0 <= alpha <= 1:
            raise ArgumentError("alpha is between 0 and 1", span=fusion.alpha.span if fusion.alpha else None)
        return [alpha, 1 - alpha]
    if fusion.weights is None:
        return [1.0] * legs
    raw: Any = evaluate(fusion.weights, run)
    listed = raw.to_pylist() if hasattr(raw, "to_pylist") else raw
    span = fusion.weights.span
    if not isinstance(listed, list | tuple | np.ndarray):
        raise ArgumentError(
            "weights are a list of numbers, one for each search",
            hint=f"weights => [{', '.join(['1'] * legs)}]",
            span=span,
        )
    items = list(listed)
    if any(
        isinstance(one, bool) or not isinstance(one, int | float | Decimal | np.integer | np.floating) for one in items
    ):
        raise ArgumentError("weights are numbers", span=span)
    numbers = [float(one) for one in items]
    if len(numbers) != legs:
        raise ArgumentError(f"{len(numbers)} weights for {legs} searches", hint="one weight a search", span=span)
    if not all(np.isfinite(numbers)) or min(numbers) < 0:
        raise ArgumentError("a weight is a finite number, at least 0", span=span)
    if not any(numbers):
        raise ArgumentError("all weights are 0, so nothing would be ranked", span=span)
    return numbers


def read_rrf_k(fusion: Fusion, run: Run) -> float:
    """The constant that is added to every rank.

    Raises:
        ArgumentError: When it is not a finite number, or is negative.
    """
    if fusion.rrf_k is None:
        return 60.0
    number = read_number(fusion.rrf_k, run, "rrf_k")
    if number is None or not np.isfinite(number) or number < 0:
        raise ArgumentError("rrf_k is a finite number, at least 0", hint="60 is usual", span=fusion.rrf_k.span)
    return number
