"""The views of a session, after a command that changes them."""

from __future__ import annotations

from collections.abc import Mapping

from lancesql.catalog import View
from lancesql.plan import CreateView, DropView

__all__ = ["change_views"]


def change_views(views: Mapping[str, View], command: CreateView | DropView) -> dict[str, View]:
    """The views by their names in lower case, with one made, replaced or dropped."""
    if isinstance(command, CreateView):
        return {**views, command.view.name.lower(): command.view}
    return {name: view for name, view in views.items() if name != command.name.lower()}
