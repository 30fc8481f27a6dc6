"""COPY … FROM a file, bound: an INSERT of what one of DuckDB's readers gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from lancesql.binder.splice import Edit, splice
from lancesql.binder.tables import is_lance_path, require_table
from lancesql.catalog import TableInfo
from lancesql.errors import ArgumentError, BindError, Span, UnsupportedError, nearest_name
from lancesql.parser import read_tokens
from lancesql.parser.commands import CopySyntax, NameSyntax, OptionSyntax
from lancesql.parser.parameters import find_parameters
from lancesql.plan.commands import CopyFromArrow, CopyToFile, InsertInto
from lancesql.plan.composition import compose
from lancesql.plan.query import QueryPlan
from lancesql.plan.spelling import quote_name, quote_text

from .changes import resolve_columns
from .targets import CommandContext, find_target

__all__ = ["bind_copy_from", "number_parameters", "require_copied"]

_SPELLINGS = {"delimiter": "delim", "sep": "delim", "separator": "delim", "null": "nullstr"} | {
    "date_format": "dateformat",
    "timestamp_format": "timestampformat",
}
_CSV = (
    "header", "delim", "quote", "escape", "nullstr", "dateformat", "timestampformat", "skip", "compression", "encoding",
    "comment", "decimal_separator", "thousands", "new_line", "null_padding", "ignore_errors", "store_rejects",
    "rejects_table", "rejects_scan", "rejects_limit", "max_line_size", "buffer_size", "sample_size", "auto_detect",
    "parallel", "strict_mode", "allow_quoted_nulls", "force_not_null",
)  # fmt: skip
_JSON = (
    "array", "compression", "dateformat", "timestampformat", "ignore_errors", "maximum_object_size", "records"
)  # fmt: skip
_PARQUET = ("binary_as_string", "encryption_config")
_READERS = {"csv": ("read_csv", _CSV), "json": ("read_json", _JSON), "parquet": ("read_parquet", _PARQUET)}
_SNAPSHOTS = ("version", "tag", "timestamp", "branch")
_FORMATS = ("csv", "parquet", "json", "lance", "arrow")

Parts = list[str | Span]


def bind_copy_from(syntax: CopySyntax, context: CommandContext) -> InsertInto | CopyFromArrow | CopyToFile:
    """The rows of a file, inserted into a table; a table of DuckDB's reads the formats of DuckDB itself."""
    assert syntax.name is not None
    format_, options = syntax.format, syntax.others
    table = find_target(syntax.name, context.catalog)
    if table is None:
        require_copied(syntax.name, context)
        return CopyToFile(".".join(syntax.name.parts), _copy_by_engine(syntax, format_, context))
    if syntax.problem is not None:
        raise syntax.problem
    context.refuse_writing(syntax.name)
    columns = resolve_columns(syntax.columns, table)
    wanted = [table.schema.field(one) for one in columns or table.schema.names]
    if format_ == "arrow":
        _read_spans(options, (), format_)
        return CopyFromArrow(table, _require_path(syntax, format_), columns)
    if format_ == "lance":
        read = _read_lance(syntax, options)
    elif format_ in _READERS:
        read = _read_file(syntax, format_, options, wanted, context)
    else:
        raise _suggest_format(format_, syntax)
    _refuse_other_order(syntax, wanted, table, read, context)
    return InsertInto(table, context.bind_composition(compose(context.sql, read)), columns)


def _read_file(
    syntax: CopySyntax,
    format_: str,
    options: Sequence[OptionSyntax],
    wanted: Sequence[pa.Field[Any]],
    context: CommandContext,
) -> Parts:
    """`SELECT * FROM read_csv('file', …)`, with the columns and types of the table where the file has none."""
    reader, known = _READERS[format_]
    spans = _read_spans(options, known, format_)
    parts: Parts = [f"SELECT * FROM {reader}(", syntax.path]
    if format_ != "parquet":
        types = [_widen_number(one.type, name) for one, name in zip(wanted, _name_types(wanted, context), strict=True)]
        pairs = [f"{quote_text(one.name)}: {quote_text(type_)}" for one, type_ in zip(wanted, types, strict=True)]
        parts += [", columns = {", ", ".join(pairs), "}"]
    for name, option in spans.items():
        parts += [", ", *_write_option(name, option, wanted, context)]
    return [*parts, ")"]


def _read_lance(syntax: CopySyntax, options: Sequence[OptionSyntax]) -> Parts:
    path = _require_path(syntax, "lance")
    if not is_lance_path(path):
        raise ArgumentError(f"'{path}' is no name of a Lance table", hint="it ends with .lance", span=syntax.path)
    spans = _read_spans(options, _SNAPSHOTS, "lance")
    parts: Parts = ["SELECT * FROM ", syntax.path]
    for name, option in spans.items():
        parts += [f" AT ({name.upper()} => ", option.value_span, ")"]
    return parts


def _read_spans(options: Sequence[OptionSyntax], known: Sequence[str], format_: str) -> dict[str, OptionSyntax]:
    """The options by the names that DuckDB's reader has for them.

    Raises:
        ArgumentError: When one is unknown, or given twice.
    """
    found: dict[str, OptionSyntax] = {}
    owner = f"COPY … FROM (FORMAT {format_})"
    for option in options:
        name = option.name if option.name in known else _SPELLINGS.get(option.name, option.name)
        if name not in known:
            near = nearest_name(option.name, [*known, *(one for one, to in _SPELLINGS.items() if to in known)])
            listed = f"{owner} takes {', '.join(known)}" if known else f"{owner} takes no options"
            raise ArgumentError(
                f"{owner} has no option '{option.name}'",
                hint=f"did you mean '{near}'? {listed}" if near else listed,
                span=option.span,
            )
        if name in found:
            raise ArgumentError(f"option '{name}' is given twice", span=option.span)
        found[name] = option
    return found


def _write_option(name: str, option: OptionSyntax, wanted: Sequence[pa.Field[Any]], context: CommandContext) -> Parts:
    value = option.value
    if name == "array":
        return [f"format = '{'newline_delimited' if str(value).lower() in ('false', '0') else 'array'}'"]
    if name == "force_not_null":
        names = [one.name for one in wanted] if value == "*" else value if isinstance(value, tuple) else (value,)
        return [f"force_not_null = [{', '.join(quote_text(str(one)) for one in names)}]"]
    if option.value_span == option.span:
        return [f"{name} = true"]
    text = context.sql[option.value_span.start : option.value_span.end]
    if isinstance(value, str) and not text.startswith(("'", "(", "[", "{")):
        return [f"{name} = {quote_text(value)}"]
    return [f"{name} = ", option.value_span]


def _name_types(wanted: Sequence[pa.Field[Any]], context: CommandContext) -> Sequence[str]:
    return context.catalog.column_types(pa.schema(list(wanted)))


def _widen_number(type_: pa.DataType, name: str) -> str:
    """A type in which 1.7 is not rounded before the table's own type refuses it."""
    if pa.types.is_integer(type_):
        return "DECIMAL(38, 9)"
    if pa.types.is_decimal(type_) and type_.precision <= 38:
        return f"DECIMAL(38, {min(38 - (type_.precision - type_.scale), type_.scale + 9)})"
    return name


def _refuse_other_order(
    syntax: CopySyntax,
    wanted: Sequence[pa.Field[Any]],
    table: TableInfo,
    read: Parts,
    context: CommandContext,
) -> None:
    """Columns are taken by position, as DuckDB's COPY does, so the same names in another order are a mistake."""
    if syntax.format == "json":
        return  # its columns have names, which count
    names = _read_file_names(syntax, wanted, context)
    if names is None:
        return
    given, own = [one.lower() for one in names], [one.name.lower() for one in wanted]
    listed = ", ".join(map(quote_name, names))
    if given != own and sorted(given) == sorted(own):
        raise BindError(
            f"the file has the columns in another order: {', '.join(names)}",
            hint=f"name them as the file has them: COPY {table.name} ({listed}) FROM …",
            span=syntax.path,
        )
    if len(given) != len(own) and context.catalog.query_columns(compose(context.sql, read).text) is None:
        raise BindError(
            f"the file has other columns than the {len(own)} that are to be filled: {', '.join(names)}",
            hint=f"name those that the file has: COPY {table.name} (column, …) FROM …",
            span=syntax.path,
        )


def _read_file_names(
    syntax: CopySyntax, wanted: Sequence[pa.Field[Any]], context: CommandContext
) -> Sequence[str] | None:
    """The columns that the file itself names; None when they are not known before it is read."""
    if syntax.path_text is None:
        return None
    if syntax.format == "lance":
        spans = _read_spans(syntax.others, _SNAPSHOTS, "lance")
        named = next(((name, option.value) for name, option in spans.items()), None)
        found = context.catalog.find_table(syntax.path_text, None if named is None else _name_snapshot(*named))
        return None if found is None else found.schema.names
    reader, known = _READERS[syntax.format]
    parts: Parts = [f"SELECT * FROM {reader}(", syntax.path]
    for name, option in _read_spans(syntax.others, known, syntax.format).items():
        if name not in ("force_not_null", "auto_detect"):
            parts += [", ", *_write_option(name, option, wanted, context)]
    return context.catalog.query_columns(compose(context.sql, [*parts, ")"]).text)


def _name_snapshot(kind: str, value: object) -> int | str:
    if kind in ("version", "tag"):
        return value if isinstance(value, int) else str(value)
    return f"{kind}:{value}"


def _copy_by_engine(syntax: CopySyntax, format_: str, context: CommandContext) -> QueryPlan:
    """DuckDB's own COPY as it stands; a file of Lance is inserted into its table."""
    if format_ == "arrow":
        raise UnsupportedError(
            "an Arrow file is copied into a Lance table alone",
            hint="read it in Python, and INSERT INTO the table SELECT * FROM the variable",
            span=syntax.path,
        )
    if format_ != "lance":
        text, names = number_parameters(context.sql[: syntax.rest.end], 0)
        used = tuple(dict.fromkeys(names))
        return QueryPlan(sql=context.sql, relation=text, parameters=used, used_parameters=used, returns_rows=False)
    if syntax.problem is not None:
        raise syntax.problem
    assert syntax.name is not None
    named = ", ".join(quote_name(one.parts[-1]) for one in syntax.columns)
    parts: Parts = ["INSERT INTO ", syntax.name.span, f" ({named}) " if named else " "]
    return context.bind_composition(compose(context.sql, [*parts, *_read_lance(syntax, syntax.others)]))


def require_copied(name: NameSyntax, context: CommandContext) -> None:
    """Raises when nobody knows a table, a view or a variable of that name."""
    is_view = len(name.parts) == 1 and context.catalog.find_view(name.parts[0]) is not None
    text = context.sql[name.span.start : name.span.end]
    if not is_view and context.catalog.query_columns(f"SELECT * FROM {text}") is None:
        require_table(".".join(name.parts), name.span, context.catalog, None)


def number_parameters(text: str, first: int) -> tuple[str, list[str]]:
    """A text with `$n` for each `?`, the first behind `first`, and the names of its parameters."""
    uses = find_parameters(read_tokens(text))
    names = [str(first + at) if use.anonymous else use.name for at, use in enumerate(uses, 1)]
    return splice(text, [Edit(use.span, f"${name}") for use, name in zip(uses, names, strict=True)]), names


def _require_path(syntax: CopySyntax, format_: str) -> str:
    if syntax.path_text is None:
        raise UnsupportedError(f"the name of a file of format {format_} is written in the statement", span=syntax.path)
    return syntax.path_text


def _suggest_format(format_: str, syntax: CopySyntax) -> ArgumentError:
    said = next(one for one in syntax.options if one.name == "format")
    near = nearest_name(format_, _FORMATS)
    listed = f"formats: {', '.join(_FORMATS)}"
    hint = f"did you mean '{near}'? {listed}" if near else listed
    return ArgumentError(f"there is no format '{format_}' to read", hint=hint, span=said.value_span)
