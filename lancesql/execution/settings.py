"""What SHOW says of the settings."""

from __future__ import annotations

from dataclasses import fields

import pyarrow as pa

from lancesql.settings import Settings, list_settings

__all__ = ["show_settings"]

_TYPES: dict[str, tuple[str, pa.DataType]] = {
    "bool": ("BOOLEAN", pa.bool_()),
    "int": ("BIGINT", pa.int64()),
    "float": ("DOUBLE", pa.float64()),
}


def show_settings(settings: Settings, name: str | None) -> pa.Table:
    """Every setting, one a row, or the value of one.

    Example:
        >>> show_settings(Settings(), "recall").to_pydict()
        {'recall': [0.95]}
    """
    types = {one.name: _TYPES[str(one.type).split(" ")[0]] for one in fields(Settings)}
    if name is not None:
        return pa.table({name: pa.array([getattr(settings, name)], types[name][1])})
    defaults = Settings()
    return pa.table(
        {
            "name": pa.array([f"lancesql.{one}" for one in types], pa.string()),
            "value": pa.array([_spell(value) for _, value in list_settings(settings)], pa.string()),
            "default": pa.array([_spell(value) for _, value in list_settings(defaults)], pa.string()),
            "type": pa.array([spelled for spelled, _ in types.values()], pa.string()),
            "description": pa.array([one.metadata["description"] for one in fields(Settings)], pa.string()),
        }
    )


def _spell(value: object) -> str | None:
    """The value as SET takes it."""
    return None if value is None else str(value).lower()
