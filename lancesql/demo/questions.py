"""The five questions of the demo, each with the SQL that answers it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["QUESTIONS", "Question"]


@dataclass(frozen=True)
class Question:
    """One query of the demo.

    Attributes:
        title: What the query shows.
        comment: What it does, for a reader who does not know the functions yet.
        sql: The statement.
        text: The text whose vector is `$question`; None when the statement takes no vector.
    """

    title: str
    comment: str
    sql: str
    text: str | None = None


QUESTIONS = (
    Question(
        "Vector search",
        "The objects whose docstrings are nearest in meaning to a question, nearest first.",
        """\
SELECT name, round(_distance, 3) AS distance, summary
FROM vector_search('docstrings', $question, k => 5)""",
        "create a temporary directory that is removed",
    ),
    Question(
        "Text search",
        "The best matches of a phrase, ranked by BM25 over the full-text index.",
        """\
SELECT name, round(_score, 2) AS score, summary
FROM fts('docstrings', 'text', '"regular expression"')
ORDER BY _score DESC
LIMIT 5""",
    ),
    Question(
        "Hybrid search with a filter",
        "Both at once, fused by reciprocal rank. WHERE holds before the ranking: these are the best five of the public "
        "functions, not the public functions among the best five.",
        """\
SELECT name, round(_relevance_score, 4) AS relevance, summary
FROM hybrid_search('docstrings', $question, 'timeout', k => 5)
WHERE kind = 'function' AND NOT contains(name, '._')""",
        "wait for several tasks to finish",
    ),
    Question(
        "A search joined with a DuckDB table",
        "modules is a temporary table of DuckDB, counted from the sources. Of the twenty objects nearest to a "
        "question, those first whose modules the rest of the library imports most.",
        """\
SELECT d.name, round(d._distance, 3) AS distance,
       m.imported_by, m.lines AS module_lines
FROM vector_search('docstrings', $question, k => 20) AS d
JOIN modules AS m ON m.module = d.module
WHERE d.kind <> 'module'
ORDER BY m.imported_by DESC, d._distance
LIMIT 5""",
        "copy a file",
    ),
    Question(
        "An aggregate over a search",
        "Which modules know about something: the two hundred nearest objects, counted by module.",
        """\
SELECT module, count(*) AS objects, bar(count(*), 0, 60, 15) AS share,
       arg_min(name, _distance) AS nearest
FROM vector_search('docstrings', $question, k => 200)
GROUP BY module
ORDER BY objects DESC, module
LIMIT 5""",
        "read and write compressed archives",
    ),
)
