"""What a text index does to a text, and whether it fits the texts there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import lance
import pyarrow as pa

from lancesql.catalog import IndexInfo, TableInfo
from lancesql.plan.spelling import spell_name, spell_table

from .scan import wrap_lance_error
from .scripts import BY_SPACES, find_spaceless_language

if TYPE_CHECKING:
    from .database import LanceDatabase

__all__ = ["advise_language", "show_text_options"]

_SAMPLE = 100
_TOKEN_LENGTH = 40


def show_text_options(details: Mapping[str, Any]) -> str:
    """The options that make such an index, as `CREATE INDEX … WITH (…)` takes them."""
    tokenizer = str(details.get("base_tokenizer") or "simple")
    shown: dict[str, object] = {"base_tokenizer": f"'{tokenizer}'" if "/" in tokenizer else tokenizer}
    if tokenizer == "ngram":
        shown["ngram_min_length"] = details.get("min_ngram_length")
        shown["ngram_max_length"] = details.get("max_ngram_length")
        if details.get("prefix_only"):
            shown["prefix_only"] = True
    else:
        stem, stop_words = bool(details.get("stem")), bool(details.get("remove_stop_words"))
        if stem or stop_words:
            shown["language"] = details.get("language")
        shown.update(stem=stem, remove_stop_words=stop_words)
    shown.update((name, False) for name in ("ascii_folding", "lower_case") if details.get(name) is False)
    if details.get("max_token_length") not in (None, _TOKEN_LENGTH):
        shown["max_token_length"] = details["max_token_length"]
    shown["with_position"] = bool(details.get("with_position"))
    return ", ".join(
        f"{name} = {str(value).lower() if isinstance(value, bool) else value}" for name, value in shown.items()
    )


def advise_language(database: LanceDatabase, table: TableInfo, index: IndexInfo) -> str | None:
    """What to do about a text index that finds no words in the texts there are; None when nothing is amiss."""
    if index.kind != "INVERTED" or len(index.columns) != 1 or index.columns[0] not in table.schema.names:
        return None
    if f"{index.text_options},".partition(",")[0].removeprefix("base_tokenizer = ") not in BY_SPACES:
        return None
    try:
        code = find_spaceless_language(_sample_texts(database.open_dataset(table), index.columns[0]))
    except BaseException as error:
        raise wrap_lance_error(error, f"reading column '{index.columns[0]}'") from None
    if code is None:
        return None
    return (
        "most texts are in a script whose words this index cannot find: "
        f"CREATE OR REPLACE INDEX ON {spell_table(table)} USING FTS ({spell_name(index.columns[0])}) "
        f"WITH (language = '{code}')"
    )


def _sample_texts(dataset: lance.LanceDataset, column: str) -> list[str]:
    """Texts of rows that lie evenly in the table."""
    rows = dataset.count_rows()
    places = sorted({number * rows // _SAMPLE for number in range(_SAMPLE)}) if rows else []
    values: Any = dataset.take(places, columns=[column]).column(0).combine_chunks() if places else pa.array([])
    if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        values = values.flatten()
    return [text for text in values.to_pylist() if text is not None]
