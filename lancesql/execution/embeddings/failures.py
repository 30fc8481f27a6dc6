"""What an embedding function raised, as an error of ours."""

from __future__ import annotations

import re

from lancesql.catalog import EmbeddingInfo
from lancesql.errors import EmbeddingError, LanceSQLError, Span

__all__ = ["explain_failure", "is_passing"]

_ENVIRONMENT = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:KEY|TOKEN|SECRET)\b")
_VARIABLE = re.compile(r"Variable '([^']*)' not found in registry")
_PACKAGE = re.compile(r"(?:[Pp]lease install|need to install|No module named) '?([\w.-]+)'?")
_LATER = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""What a service answers that may answer otherwise a moment later."""


def explain_failure(error: BaseException, info: EmbeddingInfo, span: Span | None) -> LanceSQLError:
    """An error that says which function failed, of which column, why, and what to do."""
    if isinstance(error, LanceSQLError):
        return error
    text = _read_first_line(error)
    named = f"the embedding function '{info.function}' of '{info.table}.{info.column}'"
    register = f"db.register_embedding('{info.table}', '{info.column}', function)"
    if isinstance(error, LookupError) and info.origin == "table" and error.args == (info.function,):
        return EmbeddingError(
            f"{named} is not registered with LanceDB in this process",
            hint=f"import the module that registers it (lancedb.embeddings.register), or {register}",
            span=span,
        )
    package = _PACKAGE.search(text) if isinstance(error, ImportError) else None
    if isinstance(error, ImportError):
        name = package.group(1) if package else (error.name or "")
        return EmbeddingError(
            f"{named} needs a package that is not installed: {name or text}",
            hint=f"pip install {name}" if package and "No module" not in text else f"install it; {text}",
            span=span,
        )
    variable = _VARIABLE.search(text)
    if variable is not None:
        return EmbeddingError(
            f"{named} needs the variable '{variable.group(1)}', which is not set",
            hint=f"lancedb.embeddings.get_registry().set_var('{variable.group(1)}', …)",
            span=span,
        )
    key = _ENVIRONMENT.search(str(error))
    hint = f"set the environment variable {key.group(0)}" if key else f"{register} registers another"
    return EmbeddingError(f"{named} failed: {type(error).__name__}: {text}", hint=hint, span=span)


def is_passing(error: BaseException) -> bool:
    """Whether the same call may succeed a moment later: a network, or a service that asks for patience."""
    response = getattr(error, "response", None)
    codes = (getattr(error, "status_code", None), getattr(error, "code", None), getattr(response, "status_code", None))
    return isinstance(error, ConnectionError | TimeoutError) or any(code in _LATER for code in codes if _is_code(code))


def _is_code(code: object) -> bool:
    return isinstance(code, int)


def _read_first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else "it gave no reason"
