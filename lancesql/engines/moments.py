"""Moments that DuckDB understands: texts, timestamps, expressions like `now() - INTERVAL '1 day'`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb

from .duckdb import DuckDBEngine
from .engine_errors import explain_engine_error

__all__ = ["read_moment"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_moment(engine: DuckDBEngine, expression: str) -> datetime | None:
    """The moment that an expression means, by the session's time zone; None when a text or a value is none."""
    connection = engine.connection.cursor()  # what the connection is reading goes on
    try:
        (zone,) = engine.connection.sql("SELECT current_setting('TimeZone')").fetchall()[0]
        connection.execute(f"SET TimeZone = '{zone}'")
        ((micros,),) = connection.execute(f"SELECT epoch_us(CAST(({expression}) AS TIMESTAMPTZ))").fetchall()
    except duckdb.ConversionException:
        return None
    except duckdb.Error as error:
        raise explain_engine_error(error) from None
    finally:
        connection.close()
    try:
        return None if micros is None else _EPOCH + timedelta(microseconds=micros)
    except OverflowError:  # infinity
        return None
