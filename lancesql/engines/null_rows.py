"""What DuckDB makes of a predicate where every column is NULL."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from lancesql.plan.spelling import quote_name

from .definitions import name_types
from .duckdb import DuckDBEngine

__all__ = ["rejects_nulls"]


def rejects_nulls(engine: DuckDBEngine, predicate: str, alias: str, schema: pa.Schema) -> bool:
    """Whether a predicate on the columns of `alias` is not true of a row of NULLs; false when it cannot be said."""
    types = zip(schema.names, name_types(engine, schema), strict=True)
    nulls = ", ".join(f"NULL::{type_} AS {quote_name(name)}" for name, type_ in types)
    connection = engine.connection.cursor()  # what the connection is reading goes on
    try:
        asked = f"SELECT ({predicate}) IS NOT TRUE FROM (SELECT {nulls}) AS {quote_name(alias)}"
        ((rejected,),) = connection.execute(asked).fetchall()
    except duckdb.Error:
        return False
    finally:
        connection.close()
    return bool(rejected)
