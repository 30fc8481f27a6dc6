"""Other processes that write: forked from one that has imported all of it and has opened nothing."""

from __future__ import annotations

import multiprocessing

__all__ = ["PROCESSES"]

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["lancesql", "lancesql.connection", "duckdb", "lance", "lancedb", "pyarrow.dataset"])
