"""`python docs/draw_screens.py` runs statements, and draws what a shell and a notebook show of them: `docs/images/`."""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

import lancesql

IMAGES = Path(__file__).parent / "images"
WIDTH = 118
FILMS = """
CREATE TABLE films AS SELECT * FROM (VALUES
    (1, 'Alien', 1979, 'A crew meets a creature on its ship', [0.9, 0.1, 0.3]::FLOAT[3]),
    (2, 'Solaris', 1972, 'An ocean planet reads a crew in orbit', [0.4, 0.9, 0.2]),
    (3, 'The Thing', 1982, 'A creature hides among a polar crew', [0.9, 0.2, 0.7]),
    (4, 'Moon', 2009, 'A miner is alone on the moon', [0.3, 0.8, 0.4]),
    (5, 'The Shining', 1980, 'A hotel in winter turns on a family', [0.7, 0.5, 0.9])
) AS t(id, title, year, plot, vector)"""
SEARCH = """SELECT title, year, round(_distance, 3) AS distance
FROM vector_search('films', [0.9, 0.1, 0.4], k => 2)
WHERE year >= 1980 AND length(title) > 4;"""
HIGHLIGHT = """SELECT title, highlight(plot, 'creature OR crew') AS plot, round(_score, 2) AS score
FROM fts('films', '+crew creature') ORDER BY _score DESC;"""
SCREENS = {
    "search": [SEARCH, f"EXPLAIN {SEARCH}", "SELECT title FROM vector_search('films', [0.9, 0.1, 0.4], kk => 2);"],
    "text": [HIGHLIGHT, "SELECT title FROM fts('films', 'crew AND (ship OR');"],
}
WIDEN = """CREATE OR REPLACE TABLE films AS
SELECT * REPLACE (list_transform(range(24), lambda i: sin(i * vector[1]) * vector[i % 3 + 1])::FLOAT[24] AS vector)
FROM films"""
NOTEBOOK = """SELECT title, year, vector, _distance
FROM vector_search('films', $q, k => 4) WHERE year >= 1975 AND length(title) > 4"""
NEAR = """SELECT [sin(i), cos(i) * (i % 3), i % 3, sin(i * i)]::FLOAT[4] AS vector,
    ['horror', 'drama', 'space'][i % 3 + 1] AS genre
FROM range(150) AS t(i)"""


def main() -> None:
    """Writes every screen."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, lancesql.connect(Path(folder) / "films") as db:
        db.execute(FILMS)
        db.execute("CREATE INDEX ON films (plot) USING FTS")
        for name, statements in SCREENS.items():
            screen = draw_screen(db, statements).replace(folder, "")
            (IMAGES / f"{name}.svg").write_text(screen)
        db.execute(WIDEN)
        ((first,),) = db.sql("SELECT vector FROM films WHERE id = 1").fetchall()
        for name, sql in (("answer", NOTEBOOK), ("plan", f"EXPLAIN {NOTEBOOK}")):
            (IMAGES / f"notebook-{name}.html").write_text(db.sql(sql, {"q": first})._repr_html_() + "\n")
        db.sql(NEAR).plot(color="genre").save(IMAGES / "plot.png")


def draw_screen(db: lancesql.Connection, statements: list[str]) -> str:
    """The statements and what the shell prints of each, as SVG."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for statement in statements:
        lines = Syntax(statement, "sql", theme="ansi_dark", background_color="default").highlight(statement).split()
        for number, line in enumerate(lines):
            console.print(Text.assemble("lancesql> " if number == 0 else "        … ", line))
        console.print(run_statement(db, statement), end="\n\n")
    frame = re.sub(r"@font-face {{.*?}}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)  # no font from elsewhere
    return console.export_svg(title="lancesql", code_format=frame, unique_id="screen")


def run_statement(db: lancesql.Connection, statement: str) -> Text:
    """What the shell prints."""
    from lancesql.output import show_result

    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            show_result(db.sql(statement), statement, rows=20)
    except lancesql.LanceSQLError as error:
        return Text.assemble(("Error: ", "bold red"), str(error))
    return Text(printed.getvalue().rstrip("\n"), no_wrap=True)


if __name__ == "__main__":
    main()
