"""Statements that others have and that are understood only to be refused."""

from __future__ import annotations

from itertools import pairwise

from lancesql.errors import UnsupportedError

from .cursor import TokenCursor

__all__ = ["refuse_policy", "refuse_privileges", "refuse_secret"]


def refuse_privileges(cursor: TokenCursor) -> None:
    """`GRANT …` and `REVOKE …`.

    Raises:
        UnsupportedError: Always.
    """
    word = cursor.last_taken
    raise UnsupportedError(
        f"there are no users and no privileges to {cursor.text_of(word).upper()}",
        hint="ATTACH … (TYPE LANCE, READ_ONLY), or connect(…, read_only=True), lets nobody write",
        span=word,
    )


def refuse_policy(cursor: TokenCursor) -> None:
    """`CREATE POLICY …`.

    Raises:
        UnsupportedError: Always.
    """
    raise UnsupportedError(
        "there are no users whose rows a policy could choose",
        hint="CREATE VIEW … AS SELECT … WHERE … shows some of the rows",
        span=cursor.span,
    )


def refuse_secret(cursor: TokenCursor) -> None:
    """`CREATE SECRET (TYPE LANCE, …)`; other secrets are DuckDB's.

    Raises:
        UnsupportedError: For a secret of Lance.
    """
    words = [token.text.upper() for token in cursor.remaining()]
    if ("TYPE", "LANCE") in pairwise(words):
        raise UnsupportedError(  # without a place, which would print the secret
            "a Lance database is given its secrets as storage options",
            hint="connect(uri, storage_options={…}), or ATTACH … (TYPE LANCE, STORAGE_OPTIONS {…})",
        )
