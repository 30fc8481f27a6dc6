"""Polars and pandas: frames that come in as tables, and answers that leave as frames."""

from lancesql.frames.convert import frame_to_arrow, table_to_pandas, table_to_polars

__all__ = ["frame_to_arrow", "table_to_pandas", "table_to_polars"]
