"""What a COPY is once it is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from lancesql.errors import LanceSQLError, Span

from .cursor import NameSyntax, OptionSyntax

__all__ = ["OWN_FORMATS", "CopyDatabaseSyntax", "CopySyntax"]

OWN_FORMATS = ("lance", "arrow")
"""Those that DuckDB has not."""
_ENDINGS = {".lance": "lance", ".arrow": "arrow", ".parquet": "parquet"} | dict.fromkeys(
    (".json", ".jsonl", ".ndjson"), "json"
)
_PACKED = (".gz", ".zst")


@dataclass(frozen=True)
class CopySyntax:
    """`COPY name [(columns)] TO | FROM path [(options)]`, or `COPY (query) TO path [(options)]`.

    Attributes:
        name: The table; None for a query.
        query: What stands between the brackets; None for a table.
        writes_file: TO, not FROM.
        path: The place of the file's name.
        path_text: The name, when it is written in the statement.
        options: A name without a value is true, a list in brackets a tuple, and what is neither has the value None.
        rest: Everything from the file's name on.
        problem: What is wrong with the options.
    """

    name: NameSyntax | None
    query: Span | None
    columns: tuple[NameSyntax, ...]
    writes_file: bool
    path: Span
    path_text: str | None
    rest: Span
    options: tuple[OptionSyntax, ...] = ()
    problem: LanceSQLError | None = None

    @property
    def format(self) -> str:
        """The format that is said, or that the file's name ends with, as DuckDB reads it."""
        said = [one for one in self.options if one.name == "format"]
        if said:
            return str(said[-1].value).lower()
        name = PurePosixPath((self.path_text or "").rstrip("/").lower())
        suffix = PurePosixPath(name.stem).suffix if name.suffix in _PACKED else name.suffix
        return _ENDINGS.get(suffix, "csv")

    @property
    def others(self) -> tuple[OptionSyntax, ...]:
        """The options but the format."""
        return tuple(one for one in self.options if one.name != "format")


@dataclass(frozen=True)
class CopyDatabaseSyntax:
    """`COPY FROM DATABASE a TO b`, or `EXPORT DATABASE`, which may name no database.

    Attributes:
        names: The databases that are named.
        span: The place of the first words.
    """

    names: tuple[NameSyntax, ...]
    span: Span
    exports: bool = False
