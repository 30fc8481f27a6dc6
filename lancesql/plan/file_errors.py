"""What DuckDB says of a line of a file that it cannot read, in a sentence."""

from __future__ import annotations

import re

__all__ = ["condense_csv_error"]

_LINE = re.compile(r"CSV Error on Line: (\d+)")
_VALUE = re.compile(r'Error when converting column "([^"]*)"\. Could not convert string "(.*?)" to ', re.DOTALL)
_COLUMNS = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_REASON = re.compile(r"Original Line:.*?\n(?P<reason>[^\n]+)", re.DOTALL)
_FILE = re.compile(r"^\s*file = (.+)$", re.MULTILINE)


def condense_csv_error(text: str) -> str | None:
    r"""Which line of which file, and what is wrong with it; None when the error is another.

    Example:
        >>> condense_csv_error('CSV Error on Line: 3\nOriginal Line: 2,x\nExpected Number of Columns: 3 Found: 2')
        'line 3 has 2 columns, and 3 are expected'
    """
    line = _LINE.search(text)
    if line is None:
        return None
    file = _FILE.search(text)
    place = f"line {line.group(1)}" + (f" of '{file.group(1).strip()}'" if file else "")
    if value := _VALUE.search(text):
        return f"{place} has '{value.group(2)}' for column '{value.group(1)}', which is of another type"
    if columns := _COLUMNS.search(text):
        return f"{place} has {columns.group(2)} columns, and {columns.group(1)} are expected"
    reason = _REASON.search(text)
    return f"{place}: {reason.group('reason').strip()}" if reason else place
