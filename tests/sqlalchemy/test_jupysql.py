"""JupySQL over an engine; it is no part of the test dependencies, since it reports its use unless told not to."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

CELLS = """
from IPython.testing.globalipapp import start_ipython
ip = start_ipython()
ip.run_line_magic("load_ext", "sql")
ip.run_line_magic("sql", {url!r})
ip.run_line_magic("config", "SqlMagic.feedback = 0")
ip.run_line_magic("config", "SqlMagic.autopandas = True")
ip.run_line_magic("config", "SqlMagic.named_parameters = 'enabled'")
ip.user_ns["most"] = 3
hits = ip.run_cell_magic("sql", "", "SELECT id FROM vector_search('docs', [2, 1], k => 2) WHERE id < :most ORDER BY id")
assert hits["id"].tolist() == [1, 2], hits
ip.run_cell_magic("sql", "--save few --no-execute", "SELECT id FROM docs WHERE id < 2")
assert ip.run_cell_magic("sql", "--with few", "SELECT max(id) AS m FROM few")["m"].tolist() == [1]
ip.run_cell_magic("sql", "", "INSERT INTO docs (id, title) VALUES (9, 'x')")
assert "docs" in str(ip.run_line_magic("sqlcmd", "tables"))
assert "FLOAT[2]" in str(ip.run_line_magic("sqlcmd", "columns --table docs"))
print("done")
"""


@pytest.mark.skipif(importlib.util.find_spec("sql") is None, reason="JupySQL is not installed")
def test_jupysql(engine: sa.Engine, docs: sa.Table, tmp_path: Path) -> None:
    code = CELLS.format(url=str(engine.url))
    env = {**os.environ, "PLOOMBER_STATS_ENABLED": "false", "IPYTHONDIR": str(tmp_path / "ipython")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert "done" in done.stdout.splitlines(), done.stderr
    with engine.connect() as connection:
        assert connection.scalar(sa.select(docs.c.title).where(docs.c.id == 9)) == "x"
