"""The shell: statements from a prompt, or from a file or a pipe."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lancesql.errors import LanceSQLError, ParseError, nearest_name
from lancesql.output import show_result
from lancesql.pager import page_output
from lancesql.parser.tokens import TokenType, read_tokens, split_statements

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

    import lancesql

__all__ = ["find_history", "is_complete", "run_script", "run_shell"]

HELP = """\
A statement ends with ; and may take several lines.

  .tables          the tables of the database
  .schema TABLE    the columns and the indexes of a table
  .explain SQL     the plan of a statement
  .timer on|off    print how long each statement takes
  .pager on|off    show what is longer than the terminal in $PAGER, else less
  .help            this text
  .quit            leave (so does Ctrl-D; Ctrl-C clears the line)

  SELECT * FROM vector_search('table', [0.1, …], k => 5) WHERE …;     near a vector
  SELECT * FROM fts('table', 'some words') ORDER BY _score DESC;      with these words
  SELECT * FROM hybrid_search('table', [0.1, …], 'some words');       both"""


class LeaveShell(Exception):  # noqa: N818 - a wish, not an error
    """Asks to leave the shell."""


@dataclass
class Shell:
    """One session: a connection and the settings of its user."""

    db: lancesql.Connection
    timer: bool = False
    pager: bool = True

    def run(self, text: str) -> None:
        """Runs a dot command, or every statement of `text`, and prints the answers.

        Raises:
            LeaveShell: On `.quit`.
        """
        if text.lstrip().startswith("."):
            self._run_command(text.strip())
            return
        for statement in _split(text):
            started = time.perf_counter()
            with page_output(wanted=self.pager):
                show_result(self.db.sql(statement), statement, rows=40)
            if self.timer:
                sys.stdout.write(f"  {(time.perf_counter() - started) * 1000:,.1f} ms\n")

    def _run_command(self, text: str) -> None:
        name, _, rest = text.rstrip(";").partition(" ")
        commands: dict[str, Callable[[str], None]] = {
            ".tables": self._print_tables,
            ".schema": self._print_schema,
            ".explain": self._print_plan,
            ".timer": lambda choice: self._switch("timer", choice),
            ".pager": lambda choice: self._switch("pager", choice),
            ".help": lambda _: print(HELP),
            ".quit": self._leave,
            ".exit": self._leave,
        }
        command = commands.get(name)
        if command is None:
            near = nearest_name(name, commands)
            raise ParseError(
                f"there is no command {name}", hint=f"did you mean {near}?" if near else ".help lists them"
            )
        command(rest.strip())

    def _print_tables(self, _: str) -> None:
        tables = self.db.tables()
        with page_output(wanted=self.pager):
            print("\n".join(tables) if tables else "There is no table yet: CREATE TABLE name AS SELECT …")

    def _print_schema(self, table: str) -> None:
        if not table:
            raise ParseError("which table?", hint=".schema TABLE; .tables lists them")
        with page_output(wanted=self.pager):
            self.db.execute(f"DESCRIBE {table}").show(max_rows=1000)
            if table.strip('"') in self.db.tables():
                self.db.execute(f"SHOW INDEXES ON {table}").show(max_rows=1000)

    def _print_plan(self, sql: str) -> None:
        if not sql:
            raise ParseError("which statement?", hint=".explain SELECT …")
        with page_output(wanted=self.pager):
            print(self.db.explain(sql))

    def _switch(self, name: str, choice: str) -> None:
        if choice not in ("on", "off", ""):
            raise ParseError(f".{name} is on or off, not {choice}")
        setattr(self, name, choice == "on" if choice else not getattr(self, name))
        print(f"{name} {'on' if getattr(self, name) else 'off'}")

    def _leave(self, _: str) -> None:
        raise LeaveShell


def run_script(db: lancesql.Connection, lines: Iterable[str]) -> None:
    """Runs the statements and dot commands of a text as they come, and stops at the first error."""
    shell = Shell(db)
    pending = ""
    try:
        for line in lines:
            if not pending.strip() and line.lstrip().startswith("."):
                shell.run(line)
                pending = ""
                continue
            pending += line
            if line.rstrip().endswith(";") and is_complete(pending):
                shell.run(pending)
                pending = ""
                sys.stdout.flush()
        if pending.strip():
            shell.run(pending)
    except LeaveShell:
        return


def run_shell(db: lancesql.Connection) -> None:
    """Reads statements from the terminal and runs them, until `.quit` or Ctrl-D."""
    from lancesql.completion import SqlCompleter, read_names

    shell = Shell(db)
    completer = SqlCompleter(read_names(db))
    session = _open_session(completer)
    print("lancesql: .help for help, Ctrl-D to leave")
    while True:
        try:
            text = session.prompt("lancesql> ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if not text.strip():
            continue
        try:
            shell.run(text)
        except LeaveShell:
            return
        except LanceSQLError as error:
            _print_error(error)
        except KeyboardInterrupt:
            print("interrupted")
        if text.lstrip()[:6].upper() != "SELECT":
            completer.names = read_names(db)


def is_complete(text: str) -> bool:
    """Whether Enter should run `text`: a dot command, nothing at all, or statements closed by a semicolon.

    Example:
        >>> is_complete("SELECT ';'"), is_complete("SELECT ';'; -- done")
        (False, True)
    """
    if not text.strip() or text.lstrip().startswith("."):
        return True
    try:
        tokens = read_tokens(text)
    except ParseError:
        return False
    return not tokens or tokens[-1].token_type is TokenType.SEMICOLON


def find_history() -> Path:
    """The file that keeps what was typed: in the user's folder for the state of programs."""
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "lancesql" / "history"
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "lancesql" / "history"


def _open_session(completer: Any) -> PromptSession[str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.application import get_app
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.history import FileHistory, History, InMemoryHistory
    from prompt_toolkit.lexers import PygmentsLexer
    from pygments.lexers.sql import SqlLexer  # type: ignore[import-untyped]

    history: History
    try:
        find_history().parent.mkdir(parents=True, exist_ok=True)
        history = FileHistory(find_history())
    except OSError:
        history = InMemoryHistory()
    return PromptSession(
        history=history,
        lexer=PygmentsLexer(SqlLexer),
        completer=completer,
        complete_while_typing=True,
        multiline=Condition(lambda: not is_complete(get_app().current_buffer.text)),
        prompt_continuation=lambda width, _number, _wrapped: "… ".rjust(width),
        enable_history_search=False,
    )


def _split(text: str) -> list[str]:
    try:
        return [text[span.start : span.end] for span in split_statements(read_tokens(text))]
    except ParseError:
        return [text]  # the connection says what is wrong with it, or can read it


def _print_error(error: LanceSQLError) -> None:
    red, plain = ("\x1b[31m", "\x1b[0m") if sys.stderr.isatty() and "NO_COLOR" not in os.environ else ("", "")
    sys.stderr.write(f"{red}Error:{plain} {error}\n")
