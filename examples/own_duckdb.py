"""Your own DuckDB connection: its tables, its transaction and its settings are what a statement sees."""

import tempfile
from pathlib import Path

import duckdb

import lancesql


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        connection = duckdb.connect(str(Path(folder) / "shop.duckdb"))
        connection.execute("CREATE TABLE orders AS SELECT i AS product_id, i % 5 + 1 AS amount FROM range(200) AS t(i)")

        with lancesql.connect(Path(folder) / "vectors", duckdb=connection) as db:
            db.execute("""
                CREATE TABLE products AS
                SELECT i AS id, 'product ' || i AS name, [sin(i), cos(i), i / 200]::FLOAT[3] AS vector
                FROM range(200) AS t(i)
            """)
            nearest = "SELECT id, name, _distance FROM vector_search('products', ?, k => ?)"

            print("What sold of the five nearest products:")
            db.sql(
                f"SELECT name, amount FROM ({nearest}) AS p JOIN orders AS o ON o.product_id = p.id", [[0, 1, 0], 5]
            ).show()

            connection.execute("BEGIN")
            db.execute(f"INSERT INTO orders SELECT id, 100 FROM ({nearest})", [[1, 0, 1], 3])
            print("Within the transaction:", connection.execute("SELECT count(*) FROM orders").fetchall())
            connection.execute("ROLLBACK")
            print("After its rollback:    ", connection.execute("SELECT count(*) FROM orders").fetchall())

            target = Path(folder) / "nearest.parquet"
            db.execute(f"COPY ({nearest}) TO '{target}'", [[0, 1, 0], 20])
            print("Copied:", connection.execute(f"SELECT count(*) FROM '{target}'").fetchall())
        print("Still open:", connection.execute("SELECT table_name FROM duckdb_tables()").fetchall())
        connection.close()


if __name__ == "__main__":
    main()
