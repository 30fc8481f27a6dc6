from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lancesql import dbapi


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[dbapi.Connection]:
    """An empty database."""
    connection = dbapi.connect(tmp_path / "db")
    yield connection
    connection.close()


@pytest.fixture
def docs(connection: dbapi.Connection) -> dbapi.Connection:
    """A database with one Lance table of five rows."""
    connection.execute(
        "CREATE TABLE docs AS SELECT i AS id, 'title ' || i AS title, [i, 1]::FLOAT[2] AS vector FROM range(5) AS t(i)"
    )
    connection.commit()
    return connection
