"""The errors of PEP 249, and which of them each of ours is.

::

    Exception
    ├── Warning            a rollback that cannot undo what was written; given out by `warnings`
    └── Error              every other error; also a LanceSQLError
        ├── InterfaceError     the connection or the cursor is closed, or has no rows to give
        └── DatabaseError
            ├── DataError          a value that does not fit: out of range, not convertible, a division by zero
            ├── OperationalError   LanceDB, DuckDB, a model or the machine could not do it; stopped, or took too long
            ├── IntegrityError     a NULL where none may stand, a CHECK, a key that is there already
            ├── InternalError      DuckDB reports a bug of its own
            ├── ProgrammingError   the text, a name, an argument or a parameter is wrong
            └── NotSupportedError  understood, and refused

Each keeps the error of lancesql that it was, as `origin`.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from contextlib import contextmanager

from lancesql import errors

__all__ = [
    "DataError",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Warning",
    "translate_error",
    "translated",
]


class Warning(builtins.Warning):  # noqa: A001 - the name is PEP 249's
    """Something that was done cannot be undone."""


class Error(errors.LanceSQLError):
    """Base of the errors of this module: message, hint and place are those of the error of lancesql.

    Attributes:
        origin: The error of lancesql.
    """

    origin: errors.LanceSQLError | None = None


class InterfaceError(Error):
    """The connection or the cursor cannot be used as it was."""


class DatabaseError(Error):
    """The database could not do what was asked."""


class DataError(DatabaseError):
    """A value does not fit."""


class OperationalError(DatabaseError):
    """The statement was right and could not be carried out."""


class IntegrityError(DatabaseError):
    """A row breaks a rule of its table."""


class InternalError(DatabaseError):
    """The database reports a bug of its own."""


class ProgrammingError(DatabaseError):
    """The statement is wrong."""


class NotSupportedError(DatabaseError):
    """The statement is understood and refused."""


_KINDS: tuple[tuple[type[errors.LanceSQLError], type[Error]], ...] = (
    (errors.ParseError, ProgrammingError),
    (errors.BindError, ProgrammingError),
    (errors.UnsupportedError, NotSupportedError),
    (errors.ConstraintError, IntegrityError),
    (errors.CardinalityError, IntegrityError),
    (errors.ConversionError, DataError),
    (errors.ExecutionError, OperationalError),
    (errors.ConnectionClosedError, InterfaceError),
)
"""Ours and theirs; the first that fits counts."""

_CONDITIONS: dict[str, type[Error]] = {
    "constraint": IntegrityError,
    "conversion": DataError,
    "mismatch type": DataError,
    "out of range": DataError,
    "fatal": InternalError,
    "internal": InternalError,
}
"""What DuckDB calls its errors."""


def translate_error(error: errors.LanceSQLError) -> Error:
    """The error of PEP 249 that an error of lancesql is."""
    if isinstance(error, Error):
        return error
    kind = next((theirs for ours, theirs in _KINDS if isinstance(error, ours)), DatabaseError)
    if isinstance(error, errors.EngineError):
        kind = DataError if "division by zero" in error.message.lower() else _CONDITIONS.get(error.condition, kind)
    translated = kind(error.message, hint=error.hint, span=error.span, sql=error.sql)
    translated.origin = error
    return translated


@contextmanager
def translated() -> Iterator[None]:
    """Within it, errors of lancesql are those of PEP 249."""
    try:
        yield
    except errors.LanceSQLError as error:
        raise translate_error(error) from None
