"""What SQLAlchemy says in SQL: as PostgreSQL does, but where DuckDB and Lance tables differ."""

from __future__ import annotations

from typing import Any

from sqlalchemy import exc
from sqlalchemy import types as sqltypes
from sqlalchemy.dialects.postgresql.base import PGCompiler
from sqlalchemy.sql import compiler

from lancesql.binder.searches.signatures import SIGNATURES
from lancesql.plan.literals import write_literal

from .searches import write_names
from .types import HALF, SizedInteger

__all__ = ["LanceCompiler", "LanceDDLCompiler", "LanceIdentifierPreparer", "LanceTypeCompiler"]

_SINGLE_BITS = 24
"""A Float of at most so many bits is a FLOAT."""


class LanceCompiler(PGCompiler):
    """Statements."""

    def visit_function(self, func: Any, add_to_result_map: Any = None, **kwargs: Any) -> str:
        """The names of a searched table and its columns are parts of the statement, whatever they were given as."""
        if func.name.lower() in SIGNATURES and len(func.clause_expr.element.clauses) > 0:
            func = func._clone()
            func.clause_expr = func.clause_expr._clone()
            func.clause_expr.element = func.clause_expr.element._clone()
            func.clause_expr.element.clauses = write_names(func.name.lower(), func.clause_expr.element.clauses)
        text: str = super().visit_function(func, add_to_result_map=add_to_result_map, **kwargs)
        return text

    def _regexp_match(self, base_op: str, binary: Any, operator: Any, kw: Any) -> str:
        """DuckDB's `~` asks whether the pattern is the whole text."""
        flags = binary.modifiers["flags"]
        given = [self.process(binary.left, **kw), self.process(binary.right, **kw)]
        given += [] if flags is None else [self.render_literal_value(flags, sqltypes.STRINGTYPE)]  # type: ignore[no-untyped-call]
        return f"{'NOT ' if base_op.startswith('!') else ''}regexp_matches({', '.join(given)})"

    def visit_bitwise_xor_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        """A function of DuckDB."""
        return f"xor({self.process(binary.left, **kw)}, {self.process(binary.right, **kw)})"

    def visit_match_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        """`column.match('query')` is a text query as a predicate."""
        return f"match({self.process(binary.left, **kw)}, {self.process(binary.right, **kw)})"

    def visit_json_getitem_op_binary(self, binary: Any, operator: Any, _cast_applied: bool = False, **kw: Any) -> str:
        """A member of a JSON text, as JSON or as the type that is asked for."""
        return self._read_json(binary, **kw)

    def visit_json_path_getitem_op_binary(
        self, binary: Any, operator: Any, _cast_applied: bool = False, **kw: Any
    ) -> str:
        """What is at a path of a JSON text."""
        return self._read_json(binary, **kw)

    def _read_json(self, binary: Any, **kw: Any) -> str:
        held, place = self.process(binary.left, **kw), self.process(binary.right, **kw)
        if isinstance(binary.type, sqltypes.JSON):
            return f"json_extract({held}, {place})"
        text = f"json_extract_string({held}, {place})"
        if isinstance(binary.type, sqltypes.String):
            return text
        return f"CAST({text} AS {self.dialect.type_compiler_instance.process(binary.type)})"

    def visit_getitem_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        """An element of a list, counted from 1; a part of it."""
        return f"{self.process(binary.left, **kw)}[{self.process(binary.right, **kw)}]"

    def visit_now_func(self, fn: Any, **kw: Any) -> str:
        """`func.now()`."""
        return "now()"

    def visit_char_length_func(self, fn: Any, **kw: Any) -> str:
        """`length`, which counts characters."""
        return f"length{self.function_argspec(fn, **kw)}"

    def for_update_clause(self, select: Any, **kw: Any) -> str:
        """There are no locks.

        Raises:
            CompileError: Always.
        """
        raise exc.CompileError("lancesql has no FOR UPDATE: LanceDB finds out about conflicts when it commits")

    def fetch_clause(
        self,
        select: Any,
        fetch_clause: Any = None,
        require_offset: bool = False,
        use_literal_execute_for_simple_int: bool = False,
        **kw: Any,
    ) -> str:
        """`FETCH FIRST n ROWS ONLY` is LIMIT.

        Raises:
            CompileError: For PERCENT and WITH TIES.
        """
        options = select._fetch_clause_options
        if options["percent"] or options["with_ties"]:
            raise exc.CompileError("lancesql has no FETCH with PERCENT or WITH TIES")
        text = f"\n LIMIT {self.process(select._fetch_clause, **kw)}"
        if select._offset_clause is not None:
            text += f" OFFSET {self.process(select._offset_clause, **kw)}"
        return text


class LanceIdentifierPreparer(compiler.IdentifierPreparer):
    """Names."""

    reserved_words = compiler.RESERVED_WORDS | {
        "array", "at", "columns", "describe", "end", "except", "intersect", "limit", "offset", "order", "pivot",
        "qualify", "returning", "show", "summarize", "table", "unpivot", "window", "with",
    }  # fmt: skip


class LanceDDLCompiler(compiler.DDLCompiler):
    """Tables, indexes and comments."""

    def visit_create_index(
        self, create: Any, include_schema: bool = False, include_table_schema: bool = True, **kw: Any
    ) -> str:
        """`CREATE INDEX name ON table (column) USING kind WITH (…)`; without a kind lancesql chooses it.

        Raises:
            CompileError: For a unique index.
        """
        index = create.element
        self._verify_index_table(index)
        if index.unique:
            raise exc.CompileError(f"index '{index.name}' cannot be unique: a Lance table has its primary key alone")
        options = index.dialect_options["lancesql"]
        columns = ", ".join(
            self.sql_compiler.process(one, include_table=False, literal_binds=True) for one in index.expressions
        )
        exists = "IF NOT EXISTS " if create.if_not_exists else ""
        text = (
            f"CREATE INDEX {exists}{self._prepared_index_name(index, include_schema=False)} "
            f"ON {self.preparer.format_table(index.table)} ({columns})"
        )
        text += f" USING {options['using']}" if options["using"] else ""
        given = options["with"] or {}
        written = ", ".join(f"{name} = {write_literal(value)}" for name, value in given.items())
        return f"{text} WITH ({written})" if written else text

    def visit_drop_index(self, drop: Any, **kw: Any) -> str:
        """`DROP INDEX name ON table`."""
        exists = "IF EXISTS " if drop.if_exists else ""
        name = self._prepared_index_name(drop.element, include_schema=False)
        return f"DROP INDEX {exists}{name} ON {self.preparer.format_table(drop.element.table)}"

    def visit_foreign_key_constraint(self, constraint: Any, **kw: Any) -> str:
        """Lance tables keep no references.

        Raises:
            CompileError: Always, for a Lance table.
        """
        if constraint.table.schema in (None, "lance"):
            raise exc.CompileError(
                f"table '{constraint.table.name}' cannot have a foreign key: Lance tables keep no references; "
                "relationship(primaryjoin=…, foreign_keys=…) joins without one"
            )
        text: str = super().visit_foreign_key_constraint(constraint, **kw)
        return text


class LanceTypeCompiler(compiler.GenericTypeCompiler):
    """Types."""

    def visit_FLOAT(self, type_: Any, **kw: Any) -> str:
        """A Float of SQLAlchemy is Python's, of 64 bits, unless its precision says otherwise."""
        return "FLOAT" if type_.precision is not None and type_.precision <= _SINGLE_BITS else "DOUBLE"

    def visit_REAL(self, type_: Any, **kw: Any) -> str:
        """32 bits."""
        return "FLOAT"

    def visit_DOUBLE(self, type_: Any, **kw: Any) -> str:
        """64 bits."""
        return "DOUBLE"

    visit_DOUBLE_PRECISION = visit_DOUBLE

    def visit_HALF(self, type_: HALF, **kw: Any) -> str:
        """16 bits."""
        return "HALF"

    def visit_lancesql_integer(self, type_: SizedInteger, **kw: Any) -> str:
        """By its name."""
        return type_.name

    def visit_BLOB(self, type_: Any, **kw: Any) -> str:
        """Bytes."""
        return "BLOB"

    visit_BINARY = visit_VARBINARY = visit_BYTEA = visit_large_binary = visit_BLOB

    def visit_VARCHAR(self, type_: Any, **kw: Any) -> str:
        """A text; DuckDB and Lance know no longest one."""
        return "VARCHAR"

    visit_CHAR = visit_NVARCHAR = visit_NCHAR = visit_TEXT = visit_CLOB = visit_text = visit_VARCHAR
    visit_enum = visit_ENUM = visit_VARCHAR

    def visit_datetime(self, type_: Any, **kw: Any) -> str:
        """A moment, or a date with a time of day."""
        return "TIMESTAMP WITH TIME ZONE" if type_.timezone else "TIMESTAMP"

    visit_DATETIME = visit_TIMESTAMP = visit_datetime

    def visit_INTERVAL(self, type_: Any, **kw: Any) -> str:
        """A span of time."""
        return "INTERVAL"

    def visit_UUID(self, type_: Any, **kw: Any) -> str:
        """A UUID; Lance keeps its text."""
        return "UUID"

    def visit_JSON(self, type_: Any, **kw: Any) -> str:
        """A JSON text."""
        return "JSON"

    def visit_ARRAY(self, type_: Any, **kw: Any) -> str:
        """A list."""
        return self.process(type_.item_type, **kw) + "[]" * (type_.dimensions or 1)

    def visit_NUMERIC(self, type_: Any, **kw: Any) -> str:
        """A decimal."""
        if type_.precision is None:
            return "DECIMAL"
        return f"DECIMAL({type_.precision}, {type_.scale or 0})"

    visit_DECIMAL = visit_NUMERIC
