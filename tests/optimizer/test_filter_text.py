"""Predicates and the text Lance gets of them, or the reason why it gets none."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from lancesql.catalog import TableInfo
from lancesql.engines.duckdb import DuckDBEngine
from lancesql.engines.namespace import Namespace
from lancesql.execution.filters.constants import ask_engine
from lancesql.optimizer.translation.predicates import UntranslatableError, translate_predicate
from lancesql.storage.filters.render import UnrenderableError, render_filter
from tests.fixture_files import list_files

TABLE = TableInfo(
    name="t",
    uri="t",
    version=1,
    rows=1,
    schema=pa.schema(
        {
            "i": pa.int32(),
            "tiny": pa.int8(),
            "big": pa.int64(),
            "u": pa.uint64(),
            "f": pa.float32(),
            "d": pa.float64(),
            "h": pa.float16(),
            "s": pa.string(),
            "ls": pa.large_string(),
            "b": pa.bool_(),
            "day": pa.date32(),
            "ts": pa.timestamp("us"),
            "tz": pa.timestamp("us", tz="UTC"),
            "tss": pa.timestamp("s"),
            "tsns": pa.timestamp("ns"),
            "tzny": pa.timestamp("ms", tz="America/New_York"),
            "day64": pa.date64(),
            "at": pa.time64("us"),
            "dec": pa.decimal128(10, 2),
            "wide": pa.decimal256(38, 2),
            "js": pa.json_(),
            "kind": pa.dictionary(pa.int8(), pa.string()),
            "reals": pa.list_(pa.float64()),
            "tags": pa.list_(pa.string()),
            "numbers": pa.list_(pa.int32()),
            "st": pa.struct({"a": pa.int32()}),
            "bin": pa.binary(),
            "v": pa.list_(pa.float32(), 4),
        }
    ),
)


ENGINE = DuckDBEngine()
ENGINE.connection.execute("SET TimeZone = 'America/New_York'")
ASK = ask_engine(ENGINE, Namespace(None), {})


def describe(predicate: str) -> str:
    try:
        return render_filter(translate_predicate(predicate, "t", TABLE), {}, ASK)
    except (UntranslatableError, UnrenderableError) as error:
        return f"DuckDB: {error}"


@pytest.mark.parametrize("path", list_files("filters"), ids=lambda path: path.stem)
def test_predicates(path: Path, complete: bool) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    cases = [line.partition(" ; ") for line in lines if line and not line.startswith("--")]
    assert cases
    if complete:
        written = {predicate: f"{predicate} ; {describe(predicate)}" for predicate, _, _ in cases}
        text = "\n".join(written.get(line.partition(" ; ")[0], line) for line in lines)
        path.write_text(f"{text}\n", encoding="utf-8")
        return
    for predicate, _, expected in cases:
        assert describe(predicate) == expected, predicate
