"""A search compared across two versions of a table: what new vectors did to its answers, and the way back."""

import tempfile

import lancesql

ARTICLES = """
CREATE TABLE articles AS
SELECT * FROM (VALUES
    (1, 'Bread without kneading',  [0.9, 0.1, 0.0]::FLOAT[3]),
    (2, 'Sourdough, day by day',   [0.8, 0.2, 0.1]),
    (3, 'Soup for a cold evening', [0.5, 0.6, 0.1]),
    (4, 'A knife that stays sharp', [0.2, 0.1, 0.9]),
    (5, 'Yeast under a lens',      [0.4, 0.1, 0.7])
) AS t(id, title, vector)
"""
COMPARED = """
WITH was AS (SELECT id, title, row_number() OVER (ORDER BY _distance, id) AS rank
             FROM vector_search('articles' AT (TAG => 'before'), $q, k => 3)),
     now AS (SELECT id, title, row_number() OVER (ORDER BY _distance, id) AS rank
             FROM vector_search('articles', $q, k => 3))
SELECT coalesce(now.title, was.title) AS title, was.rank AS before, now.rank AS after,
       CASE WHEN was.id IS NULL THEN 'new' WHEN now.id IS NULL THEN 'gone'
            WHEN now.rank < was.rank THEN 'up' WHEN now.rank > was.rank THEN 'down' ELSE '' END AS moved
FROM was FULL JOIN now ON was.id = now.id
ORDER BY now.rank NULLS LAST, was.rank
"""


def main() -> None:
    query = {"q": [0.85, 0.15, 0.2]}
    with tempfile.TemporaryDirectory() as folder, lancesql.connect(folder) as db:
        db.execute(ARTICLES)
        db.execute("CREATE TAG before ON articles")

        # Another model, as it were, thinks that yeast belongs to bread.
        db.execute("UPDATE articles SET vector = [0.85, 0.1, 0.15] WHERE title LIKE 'Yeast%'")
        db.execute("INSERT INTO articles VALUES (6, 'Flour, from the field', [0.7, 0.2, 0.2])")

        print("What changed in the table since the tag.")
        db.sql("SELECT change, id, title FROM (DIFF TABLE articles SINCE TAG 'before') ORDER BY id").show()

        print("What that did to the three nearest; both versions are read in one statement.")
        db.sql(COMPARED, query).show()

        db.execute("RESTORE TABLE articles TO TAG 'before'")
        print("And the way back: nothing moves any more.")
        db.sql(f"SELECT count(*) AS moved FROM ({COMPARED}) WHERE moved <> ''", query).show()


if __name__ == "__main__":
    main()
