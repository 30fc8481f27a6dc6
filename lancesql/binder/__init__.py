"""Stage 2, Statement + catalog → LogicalPlan: all meaning is decided here."""

from __future__ import annotations

from .query import bind_query, bind_text

__all__ = ["bind_query", "bind_text"]
