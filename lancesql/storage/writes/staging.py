"""Several commits as one: each makes a version that nobody is shown, and the last of them becomes the next one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import lance

from lancesql.catalog import TableInfo
from lancesql.errors import ConflictError, UnsupportedError
from lancesql.storage.scan import wrap_lance_error

if TYPE_CHECKING:
    from lancesql.storage.database import LanceDatabase

__all__ = ["Staging", "stage_changes"]


@contextlib.contextmanager
def stage_changes(database: LanceDatabase, table: TableInfo, doing: str) -> Iterator[Staging]:
    """A staging whose errors are ours, and after which the database knows nothing old of the table.

    Raises:
        ConflictError: When somebody else has written to the table meanwhile.
        LanceSQLError: Whatever else went wrong; the table is then as it was.
    """
    try:
        with Staging(database, table) as staging:
            yield staging
    except BaseException as error:
        raise wrap_lance_error(error, doing) from None
    finally:
        database.forget(table.name)


class Staging:
    """Versions on top of the newest one, of which none is shown before `publish`; none is left behind."""

    def __init__(self, database: LanceDatabase, table: TableInfo) -> None:
        """Opens the table.

        Raises:
            ConflictError: When the version that was planned for is not the newest one.
        """
        self.options = database.storage_options
        self._read: Any = lance.dataset(table.uri, storage_options=self.options)
        if self._read.version != table.version:
            raise ConflictError(f"table '{table.name}' was changed meanwhile", hint="run the statement again")
        self._last: Any = self._read
        self._staged: list[int] = []
        self._alone: Any = None

    @property
    def dataset(self) -> Any:
        """The last of the versions; before the first, the one that was read.

        Raises:
            UnsupportedError: When the table is of a Lance that knew no such versions.
        """
        if self._alone is not None:
            raise self._refuse()
        return self._last

    @property
    def version(self) -> int:
        """The number that the next version has."""
        return int(self._read.version) + 1

    def add(self, operation: Any) -> None:
        """Makes a version by an operation on the last one.

        Raises:
            UnsupportedError: When the table is of a Lance that knew no such versions, and one commit does not do.
        """
        try:
            self._last = self.try_out(operation)
        except OSError as error:
            if "v1 manifest paths" not in str(error):
                raise
            if not isinstance(operation, lance.LanceOperation.Merge):  # no row of somebody else passes by a merge
                raise self._refuse() from None
            self._alone = operation

    def _refuse(self) -> UnsupportedError:
        return UnsupportedError(
            "the versions of the table are named as Lance did it long ago, and this takes two of them",
            hint=f"while nobody writes to it: lance.dataset('{self._read.uri}').migrate_manifest_paths_v2()",
        )

    def try_out(self, operation: Any) -> Any:
        """A version by an operation on the last one, which none comes after."""
        made: Any = lance.LanceDataset.commit(
            self.dataset,
            operation,
            read_version=self.dataset.version,
            storage_options=self.options,
            detached=True,
        )
        self._staged.append(made.version)
        return made

    def publish(self) -> None:
        """Makes the last version the next one of the table.

        Upstream: a restore passes over what others have committed since.
        """
        if self._alone is not None:
            lance.LanceDataset.commit(
                self._read, self._alone, read_version=self._read.version, storage_options=self.options
            )
            return
        from .next_version import NextVersion  # takes a third of a second, of which most have no need

        NextVersion(self._read, self.options).commit(lance.LanceOperation.Restore(self._last.version), "ALTER")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Upstream: Lance's clean-up leaves the manifests of such versions where they are."""
        for version in self._staged:
            with contextlib.suppress(OSError):
                (Path(self._read.uri) / "_versions" / f"d{version}.manifest").unlink(missing_ok=True)
