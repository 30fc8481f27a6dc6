"""The command line: `lancesql -d DIR query "SELECT …"`, `shell`, `explain` and `demo`."""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lancesql.errors import LanceSQLError
from lancesql.pager import page_output

if TYPE_CHECKING:
    import lancesql

__all__ = ["app", "main"]

Format = Literal["table", "json", "csv", "arrow", "parquet"]

app = typer.Typer(
    name="lancesql",
    help="SQL with vector, text and hybrid search over LanceDB.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Statement = Annotated[str, typer.Argument(metavar="SQL", help="The statement; '-' reads it from standard input.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        "-p",
        metavar="NAME=VALUE",
        help="A value for $NAME, or for $1 or ? when NAME is a number; once for each. JSON when it reads as JSON (a "
        'number, a vector, "text in quotes"), else text; NAME=@FILE takes the value from a file.',
    ),
]


Pager = Annotated[
    bool, typer.Option("--pager/--no-pager", help="Show what is longer than the terminal in $PAGER, else less.")
]


def print_version(wanted: bool) -> None:
    """Prints the version and leaves, when it is wanted."""
    if wanted:
        from importlib.metadata import version

        typer.echo(f"lancesql {version('lancesql')}")
        raise typer.Exit


@app.callback()
def read_options(
    context: typer.Context,
    database: Annotated[
        str | None,
        typer.Option(
            "-d", "--database", metavar="DIR", envvar="LANCESQL_DATABASE", help="The LanceDB: a directory or a URI."
        ),
    ] = None,
    embedding: Annotated[
        list[str] | None,
        typer.Option(
            "--embedding",
            metavar="TABLE.COLUMN=MODULE:FUNCTION",
            help="A function of a Python module that embeds texts for a vector column; once for each.",
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001 - its callback prints
        bool, typer.Option("--version", help="Print the version and leave.", is_eager=True, callback=print_version)
    ] = False,
) -> None:
    """SQL with vector, text and hybrid search over LanceDB."""
    context.obj = database
    context.meta["embeddings"] = [_read_embedding(text) for text in embedding or ()]


@app.command()
def query(
    context: typer.Context,
    sql: Statement,
    param: Parameters = None,
    file_format: Annotated[
        Format | None,
        typer.Option("--format", "-f", help="How rows are written; else what FILE ends with, else table."),
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the rows here.")] = None,
    rows: Annotated[int, typer.Option("--rows", min=0, help="How many rows a table shows.")] = 40,
    pager: Pager = True,
) -> None:
    """Runs a statement and writes its rows; of several statements, those of the last one."""
    chosen = file_format or _guess_format(output)
    _refuse_terminal(chosen, output)
    values = read_parameters(param or [])
    with report_errors(), _open_database(context) as db:
        statement = _read_statement(sql)
        result = db.sql(statement, values)
        if chosen == "table":
            with page_output(wanted=pager and output is None):
                _write_table(result, statement, output, rows)
        else:
            _write(result, chosen, output)


@app.command()
def explain(
    context: typer.Context,
    sql: Statement,
    analyze: Annotated[bool, typer.Option("--analyze", help="Run it too: rows and times.")] = False,
    param: Parameters = None,
    pager: Pager = True,
) -> None:
    """Prints the plan of a statement: what LanceDB answers, how and why, and what DuckDB runs."""
    values = read_parameters(param or [])
    with report_errors(), _open_database(context) as db, page_output(wanted=pager):
        print(db.explain(_read_statement(sql), values, analyze=analyze))


@app.command()
def shell(context: typer.Context) -> None:
    """Opens an interactive shell; runs the statements of standard input when that is no terminal."""
    from lancesql.shell import run_script, run_shell

    with report_errors(), _open_database(context) as db:
        if sys.stdin.isatty():
            run_shell(db)
        else:
            run_script(db, sys.stdin)


@app.command()
def demo(
    directory: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Where to build the database; else a temporary directory."),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the database there for the shell.")] = False,
) -> None:
    """Searches the docstrings of Python's standard library: five queries, each with its SQL and its time."""
    from lancesql.demo import run_demo

    with report_errors():
        run_demo(directory, keep=keep)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line; leaves with 0, 1 after an error of the statement, 2 after one of the command line."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    warnings.formatwarning = lambda message, *_, **__: f"warning: {message}\n"
    app(args=arguments)


def read_parameters(texts: Sequence[str]) -> dict[str, Any] | list[Any] | None:
    """The values of `--param`: a dict by name, a list by position, None without any.

    Raises:
        typer.BadParameter: When one is not `name=value`, is given twice, or names and numbers are mixed.

    Example:
        >>> read_parameters(["q=[0.5, 1]", "genre=war", "year=1979", 'code="007"'])
        {'q': [0.5, 1], 'genre': 'war', 'year': 1979, 'code': '007'}
        >>> read_parameters(["2=b", "1=a"])
        ['a', 'b']
    """
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip().removeprefix("$")
        if not equals or not (name.isidentifier() or name.isdecimal()):
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--param")
        if name in values:
            raise typer.BadParameter(f"{name!r} is given twice", param_hint="--param")
        values[name] = _read_value(value)
    numbers = sorted(int(name) for name in values if name.isdecimal())
    if not numbers:
        return values or None
    if len(numbers) < len(values):
        raise typer.BadParameter("names and numbers cannot be mixed", param_hint="--param")
    if numbers != list(range(1, len(numbers) + 1)):
        raise typer.BadParameter(
            f"positions must be 1 to {len(numbers)}, not {', '.join(map(str, numbers))}", param_hint="--param"
        )
    return [values[str(number)] for number in numbers]


@contextlib.contextmanager
def report_errors() -> Iterator[None]:
    """Prints an error of lancesql or of a file, and leaves with 1."""
    try:
        yield
    except LanceSQLError as error:
        typer.secho("Error: ", fg="red", bold=True, err=True, nl=False)
        typer.echo(str(error), err=True)
        if "embedding function" in error.message:
            typer.echo(
                "\n  On the command line: --embedding TABLE.COLUMN=MODULE:FUNCTION, or -p q=@vector.json", err=True
            )
        raise typer.Exit(1) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        typer.secho("Error: ", fg="red", bold=True, err=True, nl=False)
        typer.echo(f"{error.strerror}: {error.filename}" if error.filename else str(error), err=True)
        raise typer.Exit(1) from None


@contextlib.contextmanager
def _open_database(context: typer.Context) -> Iterator[lancesql.Connection]:
    if context.obj is None:
        raise typer.BadParameter(f"no database is given: lancesql -d DIR {context.info_name} …", param_hint="-d")
    import lancesql

    with lancesql.connect(context.obj) as db:
        for table, column, function in context.meta.get("embeddings", ()):
            db.register_embedding(table, column, function)
        yield db


def _read_embedding(text: str) -> tuple[str, str, Any]:
    """The table, the column and the function of `TABLE.COLUMN=MODULE:FUNCTION`."""
    import importlib

    target, _, place = text.partition("=")
    table, _, column = target.strip().rpartition(".")
    module, _, name = place.strip().partition(":")
    if not (table and column and module and name):
        raise typer.BadParameter(f"{text!r} is not TABLE.COLUMN=MODULE:FUNCTION", param_hint="--embedding")
    if "" not in sys.path:
        sys.path.insert(0, "")  # a module of the directory the command is given in, as `python -m` finds it
    try:
        return table, column, getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise typer.BadParameter(str(error), param_hint="--embedding") from None
    except Exception as error:  # noqa: BLE001 - the module is the user's, and may raise anything
        reason = f"{type(error).__name__}: {error}"
        raise typer.BadParameter(f"module '{module}' cannot be imported: {reason}", param_hint="--embedding") from None


def _read_statement(sql: str) -> str:
    return sys.stdin.read() if sql == "-" else sql


def _read_value(text: str) -> Any:
    if text.startswith("@"):
        path = Path(text[1:])
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise typer.BadParameter(f"cannot read {path}: {reason}", param_hint="--param") from None
        value = _parse_json(text)
        if value is text and path.suffix == ".json":
            raise typer.BadParameter(f"{path} is not valid JSON", param_hint="--param")
        return value
    return _parse_json(text)


def _parse_json(text: str) -> Any:
    import json

    try:
        return json.loads(text)
    except ValueError:
        return text


def _guess_format(output: Path | None) -> Format:
    suffixes: dict[str, Format] = {
        ".json": "json", ".csv": "csv", ".arrow": "arrow", ".arrows": "arrow", ".parquet": "parquet",
    }  # fmt: skip
    return suffixes.get(output.suffix.lower(), "table") if output else "table"


def _refuse_terminal(file_format: Format, output: Path | None) -> None:
    if file_format in ("arrow", "parquet") and output is None and sys.stdout.isatty():
        raise typer.BadParameter(
            f"{file_format} is not for a terminal: write it to a file with -o FILE, or into a pipe",
            param_hint="--format",
        )


def _write_table(result: lancesql.Result, sql: str, output: Path | None, rows: int) -> None:
    from lancesql.output import open_output, show_result

    if output is None:
        show_result(result, sql, rows)
        return
    with open_output(output) as sink, contextlib.redirect_stdout(io.TextIOWrapper(sink, encoding="utf-8")) as text:
        show_result(result, sql, rows)
        text.detach()


def _write(result: lancesql.Result, file_format: Format, output: Path | None) -> None:
    from lancesql.output import open_output, write_rows

    if output is None:
        write_rows(result.to_reader(), sys.stdout.buffer, file_format)
        sys.stdout.buffer.flush()
        return
    with open_output(output) as sink:
        write_rows(result.to_reader(), sink, file_format)
