"""What others wrote since the rows of a table were read: whether a change may still be made on top of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lance
import numpy as np
import pyarrow as pa

from lancesql.storage.scan import make_conflict, serialize_row_ids

from .key_lookup import find_key

__all__ = ["RowIds", "find_addresses", "find_newest"]

RowIds = np.ndarray[Any, np.dtype[np.uint64]]

_OPERATIONS = lance.LanceOperation
_KNOWN = (
    _OPERATIONS.Append,
    _OPERATIONS.CreateIndex,
    _OPERATIONS.Delete,
    _OPERATIONS.Merge,
    _OPERATIONS.Rewrite,
    _OPERATIONS.Update,
)
"""Those that leave a row alone or mark it as gone. A table that was restored may have rows again that were gone."""
_MOST_VERSIONS = 64


def find_newest(read: lance.LanceDataset, row_ids: RowIds, keys: Sequence[pa.Table], doing: str) -> lance.LanceDataset:
    """The newest version of a table, in which these rows are as they were, and no row of these keys has come.

    Args:
        read: The version that was read.
        row_ids: Rows that are to change or go.
        keys: The keys of the rows that are to come: a table for each set of columns.
        doing: What is being done.

    Raises:
        ConflictError: When somebody has written one of those rows or keys, or may have done.
    """
    newest = read.checkout_version(read.latest_version)
    if newest.version == read.version:
        return read
    if not _is_undisturbed(read, newest, row_ids, keys):
        raise make_conflict(doing)
    return newest


def find_addresses(dataset: lance.LanceDataset, row_ids: RowIds) -> RowIds:
    """Where those of the rows lie that are there."""
    allowed = serialize_row_ids(row_ids)
    scanner = dataset.scanner(columns=[], with_row_address=True, row_addr_allowlist=allowed)
    found: RowIds = scanner.to_table().column("_rowaddr").to_numpy()
    return found


def _is_undisturbed(
    read: lance.LanceDataset, newest: lance.LanceDataset, row_ids: RowIds, keys: Sequence[pa.Table]
) -> bool:
    between = range(read.version + 1, newest.version + 1)
    if not 0 < len(between) <= _MOST_VERSIONS or not read.schema.equals(newest.schema, check_metadata=True):
        return False
    before, now = _list_files(read), _list_files(newest)
    if any(now.get(number) != files for number, files in before.items()):
        return False
    if not all(isinstance(_read_operation(newest, one), _KNOWN) for one in between):
        return False
    if len(row_ids):
        addresses = find_addresses(newest, row_ids)
        places = np.unique(addresses >> np.uint64(32)).tolist()
        if len(addresses) < len(row_ids) or not before.keys() >= set(places):
            return False
    added = [one for one in newest.get_fragments() if one.fragment_id not in before]
    return not added or all(find_key(newest, one, fragments=added) is None for one in keys)


def _read_operation(dataset: lance.LanceDataset, version: int) -> object:
    try:
        transaction: Any = dataset.read_transaction(version)
    except Exception:  # the version was cleaned up, or pylance cannot tell what was done
        return None
    return None if transaction is None else transaction.operation


def _list_files(dataset: lance.LanceDataset) -> dict[int, list[tuple[str, tuple[int, ...]]]]:
    """The files of each fragment, with the columns in them."""
    return {
        one.fragment_id: [(file.path, tuple(file.fields)) for file in one.metadata.files]
        for one in dataset.get_fragments()
    }
