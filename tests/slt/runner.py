"""A small sqllogictest: statements and queries in a file, run on a connection of its own.

```text
statement ok
CREATE TEMP TABLE t AS SELECT …

statement error <regular expression>
SELECT …

query IT rowsort
-- params: {"q": [1, 0, 0, 0]}
SELECT id, title FROM …
----
1	Alien
```

`I` is a whole number, `R` a floating-point one, `T` anything else; `rowsort` compares the rows in sorted order.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import lancesql
from lancesql import LanceSQLError


@dataclass
class Record:
    """One statement or query: its head, SQL and expected rows."""

    head: str
    sql: str
    rows: list[str]

    def write(self) -> str:
        """The record as its file holds it."""
        if self.head.startswith("#"):
            return f"{self.head}\n"
        rows = "".join(f"{row}\n" for row in self.rows)
        return f"{self.head}\n{self.sql}\n" + (f"----\n{rows}" if self.head.startswith("query") else "")


def read_records(path: Path) -> list[Record]:
    """The records of a file; comment blocks are kept as they are."""
    records = []
    for block in re.split(r"\n\s*\n", path.read_text(encoding="utf-8").strip("\n")):
        head, _, rest = block.partition("\n")
        if head.startswith("#"):
            records.append(Record(block, "", []))
            continue
        assert re.match(r"statement (ok|error .+)|query [IRT]+( rowsort)?$", head), f"{path.name}: {head}"
        sql, _, rows = rest.partition("\n----\n") if "\n----\n" in rest else (rest.removesuffix("\n----"), "", "")
        records.append(Record(head, sql, rows.split("\n") if rows else []))
    return records


def run_file(path: Path, db: lancesql.Connection, *, complete: bool) -> None:
    """Runs a file; with `complete`, writes the rows that came out into it."""
    records = read_records(path)
    for record in records:
        if record.head.startswith("#"):
            continue
        if complete and record.head.startswith("query"):
            record.rows = _run_query(record, db, path)
            continue
        _check(record, db, path)
    if complete:
        path.write_text("\n".join(record.write() for record in records), encoding="utf-8")


def _check(record: Record, db: lancesql.Connection, path: Path) -> None:
    if record.head.startswith("query"):
        assert _run_query(record, db, path) == record.rows, f"{path.name}: {record.sql}"
    elif record.head == "statement ok":
        db.execute(*_read_parameters(record.sql))
    else:
        pattern = record.head.removeprefix("statement error ")
        try:
            db.execute(*_read_parameters(record.sql))
        except LanceSQLError as error:
            text = f"{type(error).__name__}: {error}"
            assert re.search(pattern, text), f"{path.name}: {record.sql}\n{text}"
        else:
            raise AssertionError(f"{path.name}: no error: {record.sql}")


def _read_parameters(sql: str) -> tuple[str, object]:
    match = re.match(r"-- params: (.+)\n", sql)
    return (sql[match.end() :], eval(match.group(1))) if match else (sql, None)


def _run_query(record: Record, db: lancesql.Connection, path: Path) -> list[str]:
    kinds, *options = record.head.split()[1:]
    result = db.sql(*_read_parameters(record.sql))
    rows = result.fetchall()
    assert len(kinds) == len(result.columns), f"{path.name}: {record.sql} has the columns {result.columns}"
    for row in rows:
        for kind, value in zip(kinds, row, strict=True):
            wanted = "I" if isinstance(value, int) and not isinstance(value, bool) else "R"
            found = kind if value is None else wanted if isinstance(value, int | float) else "T"
            assert found == kind or isinstance(value, bool), f"{path.name}: {value!r} is not {kind}: {record.sql}"
    lines = ["\t".join(_write_value(value) for value in row) for row in rows]
    return sorted(lines) if "rowsort" in options else lines


def _write_value(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else str(value)
    text = str(value)
    return text.replace("\t", "\\t").replace("\n", "\\n") if text else "(empty)"
