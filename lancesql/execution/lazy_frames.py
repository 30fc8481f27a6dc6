"""LazyFrames that a statement names: those that may ask its own connection are read before DuckDB takes hold of it."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from lancesql.engines.namespace import Namespace
from lancesql.errors import ParseError
from lancesql.frames import frame_to_arrow, register_namespace, runs_python
from lancesql.parser.relations import find_relation_names
from lancesql.parser.tokens import read_tokens
from lancesql.storage.databases import Databases
from lancesql.storage.types import widen_object

from .turns import Turn

__all__ = ["read_lazy_frames", "settle_lazy_frames"]


def settle_lazy_frames(sql: str, namespace: Namespace, databases: Databases, turn: Turn) -> Namespace:
    """The namespace with those LazyFrames read that call Python and that the statement names, behind Lance tables."""
    if "polars" not in sys.modules:
        return namespace
    register_namespace()
    found = _find_named(sql, namespace.find_lazy_frames(sql))
    named = {name: frame for name, frame in found.items() if databases.find_table(name) is None}
    read = _read({name: frame for name, frame in named.items() if runs_python(frame)}, turn)
    return namespace.extend(read) if read else namespace


def read_lazy_frames(sql: str, registered: Mapping[str, object], turn: Turn) -> dict[str, object]:
    """The rows of the LazyFrames among registered objects that the statement names."""
    return _read(_find_named(sql, {name: one for name, one in registered.items() if _is_lazy(one)}), turn)


def _is_lazy(value: object) -> bool:
    return type(value).__name__ == "LazyFrame"


def _find_named(sql: str, frames: Mapping[str, object]) -> dict[str, object]:
    if not frames:
        return {}
    folded = sql.lower()
    held = {name: frame for name, frame in frames.items() if name.lower() in folded}
    if not held:
        return {}
    try:
        names = find_relation_names(read_tokens(sql))
    except ParseError:
        return held
    return {name: frame for name, frame in held.items() if name.lower() in names}


def _read(frames: Mapping[str, object], turn: Turn) -> dict[str, object]:
    if not frames:
        return {}
    with turn.hand_out():
        return {name: widen_object(frame_to_arrow(frame)) for name, frame in frames.items()}
