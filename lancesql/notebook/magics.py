"""`%lancesql` and `%sql`: a connection of the notebook, and statements over it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any

from lancesql.connection import Connection
from lancesql.engines.namespace import Namespace
from lancesql.errors import ArgumentError, ConnectionClosedError, LanceSQLError

from .parameters import bind_expressions

__all__ = ["Notebook", "load_magics"]

_ASSIGNMENT = re.compile(r"\s*([^\W\d]\w*)\s*<<(?!<)\s*")
_COMMAND = re.compile(r"\s*(connect|close)\b(?!\s*<<)(.*)", re.IGNORECASE | re.DOTALL)
_HELP = "%lancesql connect DIR opens a database, %lancesql connect {db} takes a connection of yours"


class Notebook:
    """What the magics of one notebook share.

    Args:
        variables: The variables of the notebook.
    """

    def __init__(self, variables: dict[str, Any]) -> None:
        self._variables = variables
        self._connection: Connection | None = None
        self._opened: Connection | None = None

    @property
    def connection(self) -> Connection:
        """The connection that statements are run on.

        Raises:
            ConnectionClosedError: Without one.
        """
        if self._connection is None or self._connection.closed:
            raise ConnectionClosedError("the notebook has no connection", hint=_HELP)
        return self._connection

    def run_lancesql(self, line: str, cell: str | None = None) -> object:
        """SQL over a LanceDB database.

        ::

            %lancesql connect DIR [--read-only]   opens a database; {expression} for a path or a connection of yours
            %lancesql                             the connection
            %lancesql close                       closes it
            %lancesql SELECT …                    a statement, as %sql
            %%lancesql                            a statement in the lines below, as %%sql
        """
        command = _COMMAND.fullmatch(line) if cell is None else None
        if command is not None:
            word, rest = command.groups()
            if word.lower() == "connect":
                return self._connect(rest)
            self._close(rest)
            return None
        if cell is None and not line.strip():
            return self.connection
        return self.run_sql(line, cell)

    def run_sql(self, line: str, cell: str | None = None) -> object:
        """A statement; its answer is shown, or kept.

        ::

            %sql SELECT …            shows the first rows
            %sql films << SELECT …   keeps the answer as a variable
            %%sql                    a statement, or several, in the lines below

        An expression of Python in braces is bound as a parameter: `WHERE year > {year}`, `vector_search('films', {q})`.
        Data frames and other variables are tables by their names.
        """
        assignment = _ASSIGNMENT.match(line)
        start = assignment.end() if assignment else 0
        text = line[start:] if cell is None else f"{line[start:]}\n{cell}" if line[start:].strip() else cell
        if not text.strip():
            raise ArgumentError("there is no statement", hint="%sql SELECT …, or %%sql above the lines of a statement")
        connection = self.connection
        bound = bind_expressions(text, self._variables)
        namespace = Namespace(None).extend(self._variables)
        try:
            result = connection.run(bound.sql, dict(bound.values) or None, namespace)
            if assignment is None:
                result.preview()
        except LanceSQLError as error:
            raise bound.locate(error) from None
        if assignment is None:
            return result
        self._variables[assignment.group(1)] = result
        return None

    def _connect(self, rest: str) -> Connection:
        read_only = False
        targets: list[Any] = []
        bound = bind_expressions(rest, self._variables)
        try:
            words = shlex.split(bound.sql)
        except ValueError as error:
            raise ArgumentError(f"the folder cannot be read: {error}", hint="%lancesql connect 'a folder'") from None
        for word in words:
            if word == "--read-only":
                read_only = True
            elif word.startswith("--"):
                raise ArgumentError(f"there is no option '{word}'", hint="%lancesql connect DIR [--read-only]")
            else:
                targets.append(_fill_in(word, bound.values))
        if len(targets) > 1:
            raise ArgumentError("one database at a time", hint="a folder whose name has spaces goes in quotes")
        target = targets[0] if targets else None
        if isinstance(target, Connection):
            if read_only:
                raise ArgumentError("the connection is open already", hint="lancesql.connect(…, read_only=True)")
            self._connection = target
            return self.connection
        self._connection = self._opened = Connection(target, read_only=read_only)
        return self._connection

    def _close(self, rest: str) -> None:
        if rest.strip():
            raise ArgumentError("%lancesql close takes nothing", hint="it closes the connection of the notebook")
        if self._connection is not None and self._connection is self._opened:
            self._connection.close()  # one that was given is its owner's
        self._connection = self._opened = None


def _fill_in(word: str, values: Mapping[str, Any]) -> Any:
    """A word of a command with its expressions evaluated: what it is when it is nothing else, as a text otherwise."""
    if word.startswith("$") and word[1:] in values:
        return values[word[1:]]
    return re.sub(r"\$(\w+)", lambda found: str(values.get(found[1], found[0])), word)


def load_magics(shell: Any) -> None:
    """Makes the magics known to IPython; a `%sql` of another extension stays what it is.

    Args:
        shell: The InteractiveShell.
    """
    notebook = Notebook(shell.user_ns)
    others = shell.magics_manager.magics
    taken = [others[kind].get("sql") for kind in ("line", "cell") if others[kind].get("sql") is not None]
    _register(shell, "lancesql", notebook.run_lancesql)
    if all(getattr(one, "is_lancesql", False) for one in taken):
        _register(shell, "sql", notebook.run_sql)
    else:
        owner = taken[0].__self__ if isinstance(taken[0], MethodType) else taken[0]
        module = getattr(type(owner) if isinstance(taken[0], MethodType) else owner, "__module__", "another extension")
        print(f"%sql is {module}'s already: use %lancesql and %%lancesql")


def _register(shell: Any, name: str, run: Callable[[str, str | None], object]) -> None:
    from IPython.core.magic import no_var_expand

    def magic(line: str, cell: str | None = None) -> object:
        try:
            return run(line, cell)
        except LanceSQLError as error:
            lines = [f"{type(error).__name__}: {error}"]
            given: Any = error
            given._render_traceback_ = lambda: lines
            raise error.with_traceback(None) from None

    marks: Mapping[str, object] = {"__doc__": run.__doc__, "__name__": name, "is_lancesql": True}
    for key, value in marks.items():
        setattr(magic, key, value)
    no_var_expand(magic)  # braces are ours
    shell.register_magic_function(magic, "line_cell", name)
