"""What is given beside the text of a statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lancesql.engines.namespace import Namespace
from lancesql.plan.composition import Composition

from .watch import Watches

__all__ = ["Parameters", "Request"]

Parameters = Mapping[str, object] | Sequence[object] | None


@dataclass(frozen=True)
class Request:
    """What is given beside the text of a statement.

    Attributes:
        watches: What can stop it.
        explains: Whether only the plan is asked for: nothing is carried out that changes anything.
        written: What the text was written out from.
    """

    parameters: Parameters
    namespace: Namespace
    watches: Watches
    limits: dict[str, Any] = field(default_factory=dict)
    explains: bool = False
    written: Composition | None = None
