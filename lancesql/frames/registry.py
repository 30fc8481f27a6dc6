"""Tells Polars' `read_database` that cursors of lancesql give Arrow."""

from __future__ import annotations

from typing import Any

__all__ = ["offer_arrow_to_polars"]


def offer_arrow_to_polars() -> bool:
    """Enters lancesql in Polars' table of drivers with Arrow; False when this Polars has none, and reads rows instead.

    Upstream: there is no public way; drivers are listed by the name of their package.
    """
    try:
        from polars.io.database._arrow_registry import ARROW_DRIVER_REGISTRY
    except ImportError:
        return False
    driver: Any = {
        "fetch_all": "fetch_arrow_table",
        "fetch_batches": "fetch_record_batch",
        "exact_batch_size": True,
        "repeat_batch_calls": False,
        "minimum_version": None,
    }
    ARROW_DRIVER_REGISTRY.setdefault("lancesql", [driver])
    return True
