"""A plan as a text that a notebook draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

__all__ = ["ShownPlan"]


class ShownPlan(str):
    """The text of a plan; a notebook shows it as a tree.

    Attributes:
        document: The plan as `EXPLAIN (FORMAT JSON)` writes it; None when DuckDB alone made it.

    Example:
        >>> plan = ShownPlan("TableScan films")
        >>> print(plan)
        TableScan films
    """

    document: Mapping[str, Any] | None

    def __new__(cls, text: str, document: Mapping[str, Any] | None = None) -> Self:
        """The text, with the plan beside it."""
        plan = super().__new__(cls, text)
        plan.document = document
        return plan

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from .markup.tree import render_plan, render_text

        drawn = render_text(self) if self.document is None else render_plan(self.document)
        return {"text/plain": str(self), "text/html": drawn}
