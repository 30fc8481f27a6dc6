"""Texts in a JSON column: Lance's rows under the filter text are those of DuckDB over the JSON it reads back."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import duckdb
import lance
import pyarrow as pa
import pytest

from lancesql.catalog import TableInfo
from lancesql.optimizer.translation.predicates import translate_predicate
from lancesql.storage.filters.render import UnrenderableError, render_filter

VALUES: tuple[Any, ...] = (
    "x", "X", "", " ", "it's", "ünï 🎉", "5", "-5", "0", "true", "null", "1.0", "/", "a\"b", "a\\b", "a\nb", "\u2028",
    5, -5, 0, 1.0, 1e20, 2**60, True, False, None, {"k": "x"}, ["x"], [], {},
)  # fmt: skip
TEXTS = [value for value in VALUES if isinstance(value, str)]
FORMS = (
    "js->>'$.a' = {v}", "js->>'a' <> {v}", "(js->>'$.o.a') = {v}", "json_extract_string(js, '$.a') IN ({v}, 'x')",
    "js->>'$.a' NOT IN ({v}, 'x')", "NOT (js->>'$.a' = {v})", "js->>'$.a' IS DISTINCT FROM {v}",
    "(js->>'$.a' = {v}) IS NOT TRUE", "js->>'$.a' IN ({v}, NULL)", "coalesce(js->>'$.a' = {v}, true)",
)  # fmt: skip


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[lance.LanceDataset, duckdb.DuckDBPyConnection]]:
    documents = [json.dumps({"a": value, "o": {"a": value}}, ensure_ascii=False) for value in VALUES]
    documents += ["[1]", '"x"', "null", "{}", '{"A": "x"}', '{"o": null}', '{"o": "x"}']
    table = pa.table({"id": range(len(documents) + 1), "js": pa.array([*documents, None], pa.json_())})
    dataset = lance.write_dataset(table, tmp_path_factory.mktemp("json") / "t.lance")
    with duckdb.connect() as memory:
        memory.register("t", dataset.to_table())
        yield dataset, memory


def test_texts_in_json(stored: tuple[lance.LanceDataset, duckdb.DuckDBPyConnection]) -> None:
    dataset, memory = stored
    table = TableInfo("t", "t", 1, dataset.schema, dataset.count_rows())
    forms = [form.replace("{v}", "$v") for form in FORMS]
    asked = [*itertools.product(forms, TEXTS), ("js->>'$.a' IS NULL", None), ("js->>'$.o.a' IS NOT NULL", None)]
    pushed = 0
    for where, value in asked:
        parameters = {} if value is None else {"v": value}
        wanted = [row[0] for row in memory.execute(f"SELECT id FROM t WHERE {where}", parameters).fetchall()]
        try:
            text = render_filter(translate_predicate(where, "t", table), parameters)
        except UnrenderableError:
            continue
        pushed += 1
        assert dataset.to_table(filter=text).column("id").to_pylist() == wanted, (where, value, text)
    assert pushed > 0.7 * len(asked)
