"""Edits of the user's text: what the engine is given in the place of what it does not know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lancesql.binder.nearest.operators import spell_operators
from lancesql.binder.searches.correlation import OuterColumns, write_search_text
from lancesql.errors import Span
from lancesql.parser import Statement
from lancesql.parser.tokens import TokenType, is_word
from lancesql.plan.query import Asked
from lancesql.plan.sources import Conjunct, Source
from lancesql.plan.spelling import quote_name

from .drafts import Draft, contains
from .splice import Edit, splice

__all__ = ["edit_statement", "place_conjuncts", "settle_conjuncts", "settle_matches"]


def edit_statement(statement: Statement, drafts: list[Draft], outers: Mapping[str, OuterColumns]) -> list[Edit]:
    """Puts placeholders in the place of the sources, and names and numbers where the engine takes nothing else."""
    edits: list[Edit] = []
    names = {draft.table.name.lower() for draft in drafts if draft.call is None}
    for draft in drafts:
        outer = outers.get(draft.placeholder)
        text = f'"{draft.placeholder}"' if outer is None or not outer.values else write_search_text(draft, outer)
        lateral = draft.call.lateral if draft.call is not None else None
        if lateral is not None and (outer is None or not outer.values or _stands_first(statement, lateral)):
            edits.append(Edit(lateral, ""))
        if not draft.aliased and not _refuses_alias(statement, draft):
            text += f" AS {quote_name(draft.alias)}"
        edits.append(Edit(draft.span, text))
        if draft.at is not None and not contains(draft.span, draft.at.span):
            edits.append(Edit(draft.at.span, ""))
    inside = [edit.span for edit in edits]
    for use in statement.parameters:
        if use.anonymous and not any(contains(span, use.span) for span in inside):
            edits.append(Edit(use.span, f"${use.name}"))
    tokens = statement.tokens
    for index in range(len(tokens) - 3):
        qualified = tokens[index + 1].token_type is TokenType.DOT and tokens[index + 3].token_type is TokenType.DOT
        if qualified and tokens[index].text.lower() == "lance" and tokens[index + 2].text.lower() in names:
            span = Span(tokens[index].start, tokens[index + 1].end + 1)  # lance.movies.title → movies.title
            if not any(contains(one, span) for one in inside):
                edits.append(Edit(span, ""))
    return [*edits, *spell_operators(statement.sql, statement.token_tree, edits)]


def settle_conjuncts(source: Source) -> list[Edit]:
    """A predicate with a subquery, or a `match()`, that the search has applied is not asked again.

    The engine would answer a subquery by a join, which costs a second run of it and loses the order of the search.
    """
    subqueries = [
        Edit(one.span, "true") for one in source.filter if one.subquery and one.span is not None and not one.explicit
    ]
    return [*subqueries, *settle_matches(source.filter)]


def settle_matches(conjuncts: tuple[Conjunct, ...]) -> list[Edit]:
    """What a source has found by its text index is not asked again: every word of every text would be looked at."""
    return [
        Edit(one.span, "true")
        for one in conjuncts
        if one.match is not None and one.span is not None and not one.explicit
    ]


def place_conjuncts(sql: str, edits: Sequence[Edit], conjuncts: Iterable[tuple[str, Span]]) -> tuple[Asked, ...]:
    """Where the conjuncts of scans stand in the relation; those that an edit has taken away are left out."""
    asked: list[Asked] = []
    for placeholder, span in conjuncts:
        if any(contains(edit.span, span) for edit in edits):
            continue
        start = len(splice(sql, edits, Span(0, span.start)))
        text = splice(sql, edits, span)
        if splice(sql, edits).startswith(text, start):
            asked.append(Asked(placeholder, span, Span(start, start + len(text))))
    return tuple(asked)


def _refuses_alias(statement: Statement, draft: Draft) -> bool:
    """Whether the table stands behind a word that takes a bare name alone."""
    index = statement.token_tree.find_token(draft.span.start)
    return index > 0 and is_word(statement.tokens[index - 1], "SUMMARIZE", "TABLE", "DESCRIBE")


def _stands_first(statement: Statement, lateral: Span) -> bool:
    """Whether the word stands right behind FROM, where the engine does not take it."""
    index = statement.token_tree.find_token(lateral.start)
    return index > 0 and is_word(statement.tokens[index - 1], "FROM")
