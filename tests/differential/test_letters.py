"""Which letters fold into which: every character there is, matched by Lance and by DuckDB."""

from __future__ import annotations

import string
from pathlib import Path

import duckdb
import lance
import pyarrow as pa
import pytest

from lancesql.plan.predicates import Column, StringMatch
from lancesql.plan.values import Constant
from lancesql.storage.filters.render import UnrenderableError, render_filter

from .conftest import NIGHTLY

CHARACTERS = [chr(code) for code in range(1, 0x110000 if NIGHTLY else 0x3000) if not 0xD800 <= code < 0xE000]
REFUSED = set("iIsS")


def test_every_character_under_ilike(tmp_path: Path) -> None:
    table = pa.table({"s": CHARACTERS})
    dataset = lance.write_dataset(table, tmp_path / "characters.lance")
    with duckdb.connect() as memory:
        memory.register("t", table)
        for letter in sorted(set(string.ascii_letters + string.digits + " -.'") - REFUSED):
            for pattern in (letter, f"%{letter}", f"{letter}%", f"%{letter}%"):
                predicate = StringMatch(Column("s", pa.string()), "ilike", Constant(pattern))
                found = dataset.to_table(filter=render_filter(predicate, {})).column("s").to_pylist()
                wanted = memory.execute("SELECT s FROM t WHERE s ILIKE $1", [pattern]).fetchall()
                assert found == [row[0] for row in wanted], pattern


@pytest.mark.parametrize("pattern", ["%i%", "S", "straße"])
def test_letters_that_fold_differently_are_refused(pattern: str) -> None:
    with pytest.raises(UnrenderableError, match="fold some differently"):
        render_filter(StringMatch(Column("s", pa.string()), "ilike", Constant(pattern)), {})
