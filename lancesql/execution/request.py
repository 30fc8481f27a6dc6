"""What is given beside the text of a statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lancesql.engines.namespace import Namespace
from lancesql.errors import ArgumentError, ParameterError
from lancesql.plan.composition import Composition

from .watch import Watches

__all__ = ["Parameters", "Request", "check_request"]

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


def check_request(sql: object, parameters: object) -> None:
    """Refuses what is no statement, or no parameters.

    Raises:
        ArgumentError: The statement is no text.
        ParameterError: The parameters are neither a dict nor a list.
    """
    if not isinstance(sql, str):
        raise ArgumentError(f"a statement is a text, not {type(sql).__name__}")
    if parameters is not None and not isinstance(parameters, Mapping | list | tuple):
        raise ParameterError(
            f"parameters are a dict or a list, not {type(parameters).__name__}", hint='{"name": value} or [value, …]'
        )
