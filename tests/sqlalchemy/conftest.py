from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lancesql.sqlalchemy import Vector


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty database."""
    engine = sa.create_engine(f"lancesql:///{tmp_path}/db")
    yield engine
    engine.dispose()


@pytest.fixture
def docs(engine: sa.Engine) -> sa.Table:
    """A Lance table of five rows, with a comment, a default, a check and an index."""
    table = sa.Table(
        "docs",
        sa.MetaData(),
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("title", sa.String, nullable=False, comment="what it is called"),
        sa.Column("price", sa.Numeric(9, 2), server_default="3.50"),
        sa.Column("vector", Vector(2)),
        sa.CheckConstraint("price > 0"),
        sa.Index("docs_by_title", "title"),
        comment="all documents",
    )
    table.metadata.create_all(engine)
    rows = [{"id": i, "title": f"title {i}", "price": i + 1, "vector": [i, 1]} for i in range(5)]
    with engine.begin() as connection:
        connection.execute(table.insert(), rows)
    return table
