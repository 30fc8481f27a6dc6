"""A table made with SQL, searched by vector, by text and by both, joined with a data frame, and explained."""

import tempfile

import pyarrow as pa

import lancesql

FILMS = """
CREATE TABLE films AS
SELECT * FROM (VALUES
    (1, 'Alien',       1979, ['horror', 'space'], 'A crew meets a creature on its ship',     [0.9, 0.1, 0.3]::FLOAT[3]),
    (2, 'Aliens',      1986, ['action', 'space'], 'Marines meet many creatures on a colony', [0.8, 0.3, 0.3]),
    (3, 'Solaris',     1972, ['drama', 'space'],  'An ocean planet reads a crew in orbit',   [0.4, 0.9, 0.2]),
    (4, 'The Thing',   1982, ['horror'],          'A creature hides among a polar crew',     [0.9, 0.2, 0.7]),
    (5, 'Moon',        2009, ['drama', 'space'],  'A miner is alone on the moon',            [0.3, 0.8, 0.4]),
    (6, 'The Shining', 1980, ['horror'],          'A hotel in winter turns on a family',     [0.7, 0.5, 0.9])
) AS t(id, title, year, genres, plot, vector)
"""


def main() -> None:
    query = {"q": [0.9, 0.15, 0.35]}
    ratings = pa.table({"film_id": [1, 2, 3, 4], "stars": [4.5, 4.2, 4.0, 4.4]})  # noqa: F841 - SQL finds it by its name
    with tempfile.TemporaryDirectory() as folder, lancesql.connect(folder) as db:
        db.execute(FILMS)
        db.execute("CREATE INDEX ON films (plot) USING FTS")

        print("The three nearest horror films: the filter comes before the top-k.")
        horror = "SELECT title, _distance FROM vector_search('films', $q, k => 3) WHERE list_contains(genres, 'horror')"
        db.sql(horror, query).show()

        print("Every film whose plot speaks of a crew and of a creature.")
        db.sql("SELECT title, _score FROM fts('films', 'plot', 'crew AND creature')").show()

        print("Both at once, with the ratings of a data frame.")
        db.sql(
            """
            SELECT title, stars, round(_relevance_score, 4) AS relevance
            FROM hybrid_search('films', $q, 'creature ship', k => 4) AS f LEFT JOIN ratings AS r ON r.film_id = f.id
            ORDER BY relevance DESC
            """,
            query,
        ).show()

        print("What runs:")
        print(db.explain(f"{horror} AND length(title) > 5", query))


if __name__ == "__main__":
    main()
