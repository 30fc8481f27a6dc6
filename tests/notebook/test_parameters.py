"""Expressions of Python within SQL: bound, never pasted."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lancesql.errors import ParameterError, ParseError, Span
from lancesql.notebook.parameters import bind_expressions

VARIABLES = {"n": 2, "q": [1.0, 2.0], "table": "x; DROP TABLE y", "rows": [{"a": 1}], "N": 3}


@pytest.mark.parametrize(
    ("text", "sql", "values"),
    [
        ("SELECT {n}", "SELECT $n", {"n": 2}),
        ("SELECT { n } + {n}", "SELECT $n + $n", {"n": 2}),
        ("SELECT {n}, {N}", "SELECT $n, $parameter_2", {"n": 2, "parameter_2": 3}),
        ("SELECT {table}", "SELECT $table", {"table": "x; DROP TABLE y"}),
        ("SELECT {n + 1}, $parameter_1", "SELECT $parameter_2, $parameter_1", {"parameter_2": 3}),
        ("SELECT {rows[0]['a']}", "SELECT $parameter_1", {"parameter_1": 1}),
        ("SELECT {{'k': n}['k']}", "SELECT $parameter_1", {"parameter_1": 2}),
        ("SELECT {[one * 2 for one in q]}", "SELECT $parameter_1", {"parameter_1": [2.0, 4.0]}),
        ("SELECT {[one * n for one in q]}", "SELECT $parameter_1", {"parameter_1": [2.0, 4.0]}),
        ("SELECT {'a': 1, 'b': {n}}", "SELECT {'a': 1, 'b': $n}", {"n": 2}),
        ("SELECT {a: 1}, MAP {'x': {n}}, MAP {}", "SELECT {a: 1}, MAP {'x': $n}, MAP {}", {"n": 2}),
        ("SELECT '{n}', \"{n}\", 'it''s {n}' -- {n}", None, {}),
        ("SELECT /* {n} */ $$ {n} $$, $t$ {n} $t$, E'\\'{n}'", None, {}),
        ("SELECT '{\"json\": {}}'", None, {}),
        ("SELECT {n", None, {}),
        ("SELECT n}", None, {}),
        ("", None, {}),
    ],
)
def test_what_is_an_expression(text, sql, values):
    bound = bind_expressions(text, VARIABLES)
    assert bound.sql == (text if sql is None else sql)
    assert bound.values == values


def test_values_of_every_kind_arrive_as_they_are():
    words = ["it's", "{n}", "$n", "'; DROP TABLE x --", "\N{DUCK}"]
    for value in [*words, 5, 2.5, None, True, [1, 2], {"a": [1]}]:
        bound = bind_expressions("SELECT {value} AS value", {"value": value})
        ((found,),) = duckdb.sql(bound.sql, params=bound.values).fetchall()
        assert found == value


def test_a_variable_that_is_not_there():
    with pytest.raises(ParameterError, match="there is no variable 'vektor'") as caught:
        bind_expressions("SELECT {vektor}", {"vector": 1})
    assert caught.value.hint == "did you mean 'vector'?"
    assert caught.value.span == Span(7, 15)


def test_an_expression_that_fails():
    with pytest.raises(ParameterError, match=r"\{q\[7\]\} has no value: IndexError: list index out of range"):
        bind_expressions("SELECT {q[7]}", VARIABLES)


PIECES = ["SELECT ", "{n}", "{n + 1}", "'{n}'", "{q}", " x ", "{'a': {n}}", "\n", "{ n }"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12), st.data())
def test_a_place_in_the_sql_is_one_in_the_text(pieces, data):
    text = "".join(pieces)
    bound = bind_expressions(text, VARIABLES)
    at = data.draw(st.integers(0, len(bound.sql)))
    end = data.draw(st.integers(at, len(bound.sql)))
    error = bound.locate(ParseError("wrong", sql=bound.sql, span=Span(at, end)))
    assert error.sql == text
    assert error.span is not None
    assert 0 <= error.span.start <= error.span.end <= len(text)
    inside = [place for _, place in bound.places if place.start < end and at < place.end]
    if not inside:
        assert text[error.span.start : error.span.end] == bound.sql[at:end]
    for written, place in bound.places:
        if (at, end) == place:
            assert error.span == written
