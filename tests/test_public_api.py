"""The public names, their signatures, and what an import costs."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import lancesql

HEAVY = (
    "duckdb",
    "lance",
    "lancedb",
    "polars",
    "pandas",
    "sqlglot",
    "rich",
    "numpy",
    "pyarrow",
    "prompt_toolkit",
    "typer",
)


def test_the_names_of_the_package() -> None:
    assert sorted(lancesql.__all__) == [
        "AmbiguousNameError",
        "ArgumentError",
        "BindError",
        "CardinalityError",
        "ConflictError",
        "Connection",
        "ConnectionClosedError",
        "ConstraintError",
        "ConversionError",
        "EmbeddingError",
        "EngineError",
        "ExecutionError",
        "LanceSQLError",
        "ParameterError",
        "ParseError",
        "QueryInterruptedError",
        "QueryTimeoutError",
        "RerankError",
        "Result",
        "RowLimitError",
        "StorageError",
        "UnknownColumnError",
        "UnknownTableError",
        "UnsupportedError",
        "connect",
        "errors",
        "sql",
    ]
    for name in lancesql.__all__:
        assert getattr(lancesql, name) is not None


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'conect'"):
        _ = lancesql.conect


SIGNATURES = {
    "connect": "(target, *, duckdb, storage_options, read_only)",
    "sql": "(sql, parameters)",
    "Connection.__init__": "(self, target, *, duckdb, storage_options, read_only)",
    "Connection.sql": "(self, sql, parameters, *, timeout, max_rows)",
    "Connection.execute": "(self, sql, parameters, *, timeout, max_rows)",
    "Connection.sql_async": "(self, sql, parameters, *, timeout, max_rows)",
    "Connection.execute_async": "(self, sql, parameters, *, timeout, max_rows)",
    "Connection.cursor": "(self)",
    "Connection.explain": "(self, sql, parameters, *, analyze)",
    "Connection.register": "(self, name, data)",
    "Connection.register_reranker": "(self, name, reranker)",
    "Connection.register_embedding": "(self, table, column, function, *, query_function, source, batch_size)",
    "Connection.unregister_embedding": "(self, table, column)",
    "Connection.unregister": "(self, name)",
    "Connection.tables": "(self)",
    "Connection.scan": "(self, table, *, version, tag, timestamp)",
    "Connection.vector_search": "(self, table, query, *, filter, arguments)",
    "Connection.fts": "(self, table, query, *, filter, arguments)",
    "Connection.hybrid_search": "(self, table, query, *, filter, arguments)",
    "Connection.interrupt": "(self)",
    "Connection.close": "(self)",
    "Result.to_arrow": "(self)",
    "Result.to_reader": "(self)",
    "Result.to_polars": "(self)",
    "Result.lazy": "(self)",
    "Result.to_pandas": "(self)",
    "Result.to_numpy": "(self, columns)",
    "Result.to_torch": "(self)",
    "Result.fetchall": "(self)",
    "Result.fetchone": "(self)",
    "Result.fetchmany": "(self, size)",
    "Result.explain": "(self, analyze)",
    "Result.plot": "(self, kind, *, column, color, axes)",
    "Result.preview": "(self)",
    "Result.show": "(self, max_rows, max_width)",
    "Result.__arrow_c_stream__": "(self, requested_schema)",
    "LanceSQLError.__init__": "(self, message, *, hint, span, sql)",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures(name: str) -> None:
    found: object = lancesql
    for part in name.split("."):
        found = getattr(found, part)
    assert callable(found)
    names: list[str] = []
    for parameter in inspect.signature(found).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in names:
            names.append("*")
        names.append(parameter.name)
    assert f"({', '.join(names)})" == SIGNATURES[name]


def test_public_methods_are_all_of_them() -> None:
    listed = {name for name in SIGNATURES if name.startswith(("Connection.", "Result."))}
    for kind in (lancesql.Connection, lancesql.Result):
        public = {f"{kind.__name__}.{name}" for name in vars(kind) if not name.startswith("_")}
        properties = {
            "Connection.closed",
            "Connection.settings",
            "Connection.uri",
            "Result.schema",
            "Result.columns",
            "Result.types",
            "Result.rows_changed",
            "Result.returns_rows",
        }
        assert public - listed - properties - {"Connection.run", "Connection.run_async"} == set()


def test_every_error_is_one_of_ours() -> None:
    for name in lancesql.errors.__all__:
        kind = getattr(lancesql.errors, name)
        if isinstance(kind, type) and issubclass(kind, Exception):
            assert issubclass(kind, lancesql.LanceSQLError)
            assert getattr(lancesql, name) is kind


def test_the_import_is_light() -> None:
    code = f"import sys, lancesql, lancesql.errors; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_connecting_leaves_out_what_a_query_may_not_need() -> None:
    code = (
        "import sys, lancesql; db = lancesql.connect(); db.sql('SELECT 1').fetchall(); "
        "print(*[m for m in ('polars', 'rich', 'prompt_toolkit', 'typer', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
