"""A statement as the parser reads it, in lines."""

from __future__ import annotations

from lancesql.errors import LanceSQLError
from lancesql.parser import parse_statement


def describe_statement(sql: str) -> str:
    """The calls, their blocks, AT clauses and parameters of a statement; every part is the user's own text."""
    try:
        statement = parse_statement(sql)
    except LanceSQLError as error:
        return f"{type(error).__name__}: {error.locate(sql)}"
    lines = [f"kind       {type(statement.tree).__name__}"]
    for call in statement.stand_ins.values():
        lines.append(f"call       {call.function}")
        for argument in call.arguments:
            value = sql[argument.span.start : argument.span.end]
            lines.append(f"  {argument.name or '-':<8} {value}")
        block = statement.token_tree.read_block(call.span.start)
        lines += [f"  where    {sql[span.start : span.end]}" for span in block.where]
        for join in block.joins:
            kind = "on" if join.inner else "outer on"
            lines += [f"  {kind:<8} {sql[span.start : span.end]}" for span in join.conjuncts]
        for name in ("LIMIT", "OFFSET"):
            if name in block.clauses:
                lines.append(f"  {name.lower():<8} {sql[block.clauses[name].start : block.clauses[name].end]}")
        marks = [word for word in ("combined", "outermost") if getattr(block, word)]
        lines.append(f"  block    {' '.join(marks) or 'inner'}")
    for clause in statement.at_clauses:
        lines.append(f"at         {clause.kind} {sql[clause.value.span.start : clause.value.span.end]}")
    for use in statement.parameters:
        lines.append(f"parameter  {use.name} {sql[use.span.start : use.span.end]}")
    return "\n".join(lines)
