"""The demo from start to end: read, embed, build, ask."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from lancesql.demo.corpus import modules_to_table, objects_to_table, write_contexts
from lancesql.demo.database import build_database, find_state, read_vectors, register_modules
from lancesql.demo.docstrings import Library, find_library, read_library
from lancesql.demo.embedding import DIMENSIONS, fit_embedder, require_scikit_learn, to_vector_array
from lancesql.demo.questions import QUESTIONS, Question
from lancesql.demo.report import format_time, print_heading, print_sql, print_text, time_step
from lancesql.errors import ExecutionError

if TYPE_CHECKING:
    import lancesql

__all__ = ["run_demo"]

_ABOUT_EMBEDDING = (
    f"The embedding is latent semantic analysis: TF-IDF over the words of the docstrings, reduced to {DIMENSIONS} "
    "dimensions by scikit-learn. Nothing is downloaded. It is a space of bags of words, not a neural model: it knows "
    "which words keep company in these texts, and no others. With a neural embedding the SQL below stays the same."
)


def run_demo(directory: Path | None = None, *, keep: bool = False, library: Path | None = None) -> None:
    """Builds a database of the docstrings of the standard library and asks it five questions.

    Args:
        directory: Where to build; a demo there is used again, built anew when it is outdated. A temporary
            directory when None.
        keep: Leave the database; otherwise what this run built is removed.
        library: The folder of sources to read; that of the running Python when None.

    Raises:
        ExecutionError: When scikit-learn or the sources are missing, or `directory` holds something else.
    """
    require_scikit_learn()
    existed = directory is not None and directory.exists()
    folder = directory or Path(tempfile.mkdtemp(prefix="lancesql-demo-"))
    state = find_state(folder)
    passing = state == "absent" and not keep  # what was there before this run is left there
    try:
        _run(folder, library or find_library(), build=state != "finished")
    finally:
        if passing:
            _remove(folder, contents_only=existed)
    if passing:
        print()
        print_text("The database is removed again. To keep one for the shell: lancesql demo --dir DIR --keep")
    else:
        _print_farewell(folder)


def _run(folder: Path, sources: Path, *, build: bool) -> None:
    import lancesql

    started = time.perf_counter()
    print_heading("lancesql demo: the docstrings of Python's standard library, searched by SQL")
    with time_step(f"Read the sources in {sources}"):
        found = read_library(sources)
    if not found.objects:
        raise ExecutionError(
            f"no source of the standard library lies in '{sources}'", hint="run it with another Python"
        )
    print_text(
        f"{len(found.objects):,} modules, classes, functions and methods have a docstring. "
        "They were read, not imported.",
        indent="  ",
    )
    with lancesql.connect(folder) as db:
        if build:
            vectors = _build(db, folder, found)
        else:
            print_text(f"Use the database in {folder} again.", indent="  ")
            vectors = read_vectors(db)
        register_modules(db, modules_to_table(found))
        print_text(f"Ready after {time.perf_counter() - started:.1f} s.", indent="  ")
        for number, question in enumerate(QUESTIONS, 1):
            _ask(db, number, question, vectors)


def _build(db: lancesql.Connection, folder: Path, found: Library) -> dict[str, list[float]]:
    with time_step("Embed the docstrings"):
        embedder, placed = fit_embedder(write_contexts(found))
        texts = [question.text for question in QUESTIONS if question.text]
        vectors = {text: embedder.embed_question(text) for text in texts}
    print()
    print_text(_ABOUT_EMBEDDING, indent="  ")
    print()
    asked = pa.table(
        {"question": texts, "vector": pa.array(vectors.values(), pa.list_(pa.float32(), embedder.dimensions))}
    )
    build_database(db, folder, objects_to_table(found, to_vector_array(placed)), asked)
    return vectors


def _ask(db: lancesql.Connection, number: int, question: Question, vectors: dict[str, list[float]]) -> None:
    print_heading(f"{number}. {question.title}")
    print_text(question.comment)
    print()
    parameters = None
    if question.text:
        parameters = {"question": vectors[question.text]}
        print_sql(f"-- $question is the vector of '{question.text}'")
    print_sql(f"{question.sql};")
    started = time.perf_counter()
    result = db.sql(question.sql, parameters)
    result.to_arrow()
    elapsed = time.perf_counter() - started
    result.show()
    print(f"  {format_time(elapsed)}")


def _print_farewell(folder: Path) -> None:
    print_heading("Go on")
    print_text(f"The database stays in {folder}. Open it with")
    print(f"\n  lancesql -d {folder} shell\n")
    print_text("and ask for more of the same kind as something you know:")
    print()
    print_sql(
        "SELECT name, summary\n"
        "FROM vector_search('docstrings',\n"
        "                   (SELECT vector FROM docstrings WHERE name = 'json.loads'), k => 5);"
    )
    print()
    print_text(
        "EXPLAIN before a query tells what LanceDB answers, with an index or without and why, and what DuckDB runs."
    )


def _remove(folder: Path, *, contents_only: bool) -> None:
    if not contents_only:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
