"""One database of tables in every state an index can be in, and brute force beside each."""

from __future__ import annotations

import os
from collections.abc import Iterator

import duckdb
import lance
import pytest
from hypothesis import HealthCheck, settings

import lancesql

from .checks import Database
from .oracle import Oracle
from .tables import INDEXES, STATES, write_state

NIGHTLY = os.environ.get("LANCESQL_NIGHTLY") == "1"
settings.register_profile(
    "differential",
    derandomize=not NIGHTLY,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
SETUP = (
    "CREATE TABLE orders AS SELECT i * 3 AS oid, (i * 37) % 50 AS amount, 'note ' || i AS note FROM range(40) r(i)",
    "INSERT INTO orders VALUES (3, 11, NULL), (NULL, 12, 'lost'), (-1, 13, ''), (9, NULL, 'again')",
    "CREATE TABLE tags_of AS SELECT unnest(['a', 'abc', '', 'ünïcödé', NULL]) AS name, unnest(range(5)) AS weight",
)
DIFFERENTIAL = settings.get_profile("differential")


def scaled(examples: int) -> int:
    """So many examples, and twenty times as many (or LANCESQL_NIGHTLY_SCALE times) at night."""
    return examples * int(os.environ.get("LANCESQL_NIGHTLY_SCALE", "20")) if NIGHTLY else examples


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    root = tmp_path_factory.mktemp("differential")
    names = [f"{index}_{state}" for index in INDEXES for state in STATES]
    for seed, name in enumerate(names):
        index, state = name.split("_")
        write_state(root / f"{name}.lance", index, state, seed)
    oracles = {name: Oracle(lance.dataset(root / f"{name}.lance"), name, SETUP) for name in names}
    own = duckdb.connect()
    for statement in SETUP:
        own.execute(statement)
    with lancesql.connect(root, duckdb=own) as connection:
        yield Database(connection, oracles)
    own.close()
    for oracle in oracles.values():
        oracle.close()
