"""What Lance says went wrong, without the words of the libraries below it."""

from __future__ import annotations

import re

__all__ = ["find_lance_text", "find_remedy", "read_reason"]

_WRAPPINGS = re.compile(
    r"(?:(?:External|Execution|Wrapped|Generic [\w/ ]+?|Io|IO|Arrow) error|LanceError\(\w+\)|Invalid user input"
    r"|Invalid input|Ref is invalid|\[Errno \d+\])[:,]? *"
)
_DAMAGE = re.compile(
    r"Invalid range .* for object of size|sufficient data|magic number|file size is too small|[Cc]orrupt"
    r"|ailed to (?:parse|decode)"
)
_MISSING = re.compile(r"Not found: (\S+)")


def read_reason(error: BaseException) -> str:
    """The reason an error gives, in one line.

    Example:
        >>> read_reason(ValueError("External error: LanceError(IO): Generic N/A error: Not found: /a.lance/1.lance"))
        "a file is missing, '/a.lance/1.lance'"
        >>> read_reason(ValueError("Invalid user input: no such column, /build/src/dataset.rs:12:3"))
        'no such column'
    """
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = str(error).strip().split("\n")[0].split(", /")[0]
    while match := _WRAPPINGS.match(text):
        text = text[match.end() :]
    if missing := _MISSING.search(text):
        return f"a file is missing, '{missing[1]}'"
    return f"a file is damaged ({text[:300]})" if _DAMAGE.search(text) else text[:400]


def find_lance_text(message: str) -> str | None:
    """The error of Lance that another library's message hands on; None when there is none."""
    at = message.find("External error: LanceError(")
    return None if at < 0 else message[at:]


def find_remedy(reason: str) -> str | None:
    """What to do about a reason; None when it does not tell."""
    if reason.startswith("a file is ") and "/_indices/" in reason:
        return "it is a file of an index: SHOW INDEXES names it, DROP INDEX and CREATE INDEX make it anew"
    if reason.startswith("a file is "):
        return "an older version may be whole: SELECT … FROM table AT (VERSION => n); SHOW VERSIONS ON table lists them"
    return None
