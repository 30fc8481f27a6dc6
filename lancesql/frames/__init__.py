"""Polars and pandas: frames that come in as tables, and answers that leave as frames."""

from lancesql.frames.convert import frame_to_arrow, name_columns, runs_python, table_to_pandas, table_to_polars
from lancesql.frames.namespace import register_namespace

__all__ = ["frame_to_arrow", "name_columns", "register_namespace", "runs_python", "table_to_pandas", "table_to_polars"]
