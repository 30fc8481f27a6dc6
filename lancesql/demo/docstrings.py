"""The docstrings of the Python standard library, read from its source files without importing any of them."""

from __future__ import annotations

import ast
import os
import re
import sysconfig
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["DocumentedObject", "Library", "Module", "find_library", "read_library"]

Kind = Literal["module", "class", "function", "method"]

_SKIPPED = frozenset(
    {"__pycache__", "dist-packages", "idle_test", "idlelib", "site-packages", "test", "tests", "turtledemo"}
)
_Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_SUMMARY_LENGTH = 120


@dataclass(frozen=True)
class DocumentedObject:
    """One module, class, function or method that has a docstring.

    Attributes:
        name: The qualified name, `json.JSONDecoder.decode`.
        module: The module it is defined in.
        signature: `decode(self, s, _w=WHITESPACE.match)`; empty for a module.
        summary: The first sentence of the docstring, at most 120 characters.
        text: The whole docstring.
        lines: How many lines of source the object takes.
        file: The source file, relative to the folder of the library.
    """

    name: str
    module: str
    kind: Kind
    signature: str
    summary: str
    text: str
    lines: int
    file: str


@dataclass(frozen=True)
class Module:
    """What the sources say about one module.

    Attributes:
        imports: How many modules of the library it imports.
        imported_by: How many modules of the library import it.
    """

    module: str
    package: str
    lines: int
    imports: int
    imported_by: int


@dataclass(frozen=True)
class Library:
    """The documented objects and the modules of one library, in the order of their names."""

    objects: tuple[DocumentedObject, ...]
    modules: tuple[Module, ...]


def find_library() -> Path:
    """The folder of the standard library of the running interpreter."""
    return Path(sysconfig.get_paths()["stdlib"])


def read_library(folder: Path) -> Library:
    """Reads every source file below `folder`; tests, tools with a window and installed packages are left out.

    A file that cannot be read or parsed is left out. The same sources give the same answer.
    """
    objects: dict[str, DocumentedObject] = {}
    lines: dict[str, int] = {}
    imports: dict[str, set[str]] = {}
    for path in _find_sources(folder):
        file = path.relative_to(folder)
        source = _read_source(path)
        if source is None:
            continue
        tree, count = source
        module = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
        lines[module] = count
        imports[module] = set(_find_imports(tree, module, is_package=file.name == "__init__.py"))
        for found in _find_objects(tree, module, count, file.as_posix()):
            objects.setdefault(found.name, found)  # the first of two definitions, such as those of an if and its else
    return Library(
        tuple(objects[name] for name in sorted(objects)),
        tuple(_count_imports(lines, imports)),
    )


def _find_sources(folder: Path) -> list[Path]:
    paths: list[Path] = []
    for below, names, files in os.walk(folder):
        names[:] = [name for name in names if name not in _SKIPPED]
        paths += [Path(below, file) for file in files if file.endswith(".py")]
    return sorted(paths, key=lambda path: path.relative_to(folder).as_posix())


def _read_source(path: Path) -> tuple[ast.Module, int] | None:
    try:
        content = path.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in old sources
            return ast.parse(content), content.count(b"\n") + (not content.endswith(b"\n") and bool(content))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _find_objects(tree: ast.Module, module: str, lines: int, file: str) -> Iterator[DocumentedObject]:
    text = _read_docstring(tree)
    if text:
        yield DocumentedObject(module, module, "module", "", _summarise(text), text, lines, file)
    for name, kind, node in _find_definitions(tree.body, module, "function"):
        text = _read_docstring(node)
        if text:
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            yield DocumentedObject(name, module, kind, _write_signature(node), _summarise(text), text, length, file)


def _find_definitions(
    body: list[ast.stmt], owner: str, callable_kind: Literal["function", "method"]
) -> Iterator[tuple[str, Kind, _Definition]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield f"{owner}.{node.name}", "class", node
            yield from _find_definitions(node.body, f"{owner}.{node.name}", "method")
        elif isinstance(node, _Definition):
            yield f"{owner}.{node.name}", callable_kind, node
        elif isinstance(node, ast.If | ast.Try | ast.With):
            for block in _branches(node):
                yield from _find_definitions(block, owner, callable_kind)


def _branches(node: ast.If | ast.Try | ast.With) -> Iterator[list[ast.stmt]]:
    yield node.body
    if isinstance(node, ast.Try):
        for handler in node.handlers:
            yield handler.body
        yield node.finalbody
    if not isinstance(node, ast.With):
        yield node.orelse


def _read_docstring(node: ast.Module | _Definition) -> str:
    text = ast.get_docstring(node) or ""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "").strip()  # a lone surrogate is no text


def _summarise(text: str) -> str:
    paragraph = " ".join(re.split(r"\n\s*\n", text, maxsplit=1)[0].split())
    sentence = re.split(r"(?<=[a-z)\]'\"`]\.)\s+(?=[A-Z])", paragraph, maxsplit=1)[0]
    if len(sentence) <= _SUMMARY_LENGTH:
        return sentence
    return sentence[: _SUMMARY_LENGTH - 1].rsplit(" ", 1)[0] + "…"


def _write_signature(node: _Definition) -> str:
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        return f"class {node.name}({bases})" if bases else f"class {node.name}"
    prefix = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{prefix}{node.name}({ast.unparse(node.args)}){returns}"


def _find_imports(tree: ast.Module, module: str, *, is_package: bool) -> Iterator[str]:
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in _walk_statements(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = [*base, *(node.module or "").split(".")] if node.module else base
            yield ".".join(origin)
            yield from (".".join([*origin, alias.name]) for alias in node.names)


def _walk_statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Every statement, however deep; far fewer nodes than `ast.walk` visits."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        yield node
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            children = getattr(node, block, None)
            if isinstance(children, list):  # the body of a lambda or of a conditional is an expression
                pending += children


def _count_imports(lines: dict[str, int], imports: dict[str, set[str]]) -> Iterator[Module]:
    known = {module: (names & lines.keys()) - {module} for module, names in imports.items()}
    popularity = Counter(name for names in known.values() for name in names)
    for module in sorted(lines):
        yield Module(module, module.split(".")[0], lines[module], len(known[module]), popularity[module])
