"""Recall you can see and set: the default search, a cheaper one, and the exact one, over a compressed index."""

import tempfile
import time

import numpy as np
import pyarrow as pa

import lancesql

ROWS, DIMENSION, QUERIES, K = 20_000, 64, 40, 10


def make_vectors(count: int, random: np.random.Generator, centres: np.ndarray) -> np.ndarray:
    noise = random.normal(scale=0.6, size=(count, DIMENSION))
    return (centres[random.integers(len(centres), size=count)] + noise).astype(np.float32)


def main() -> None:
    random = np.random.default_rng(7)
    centres = random.normal(size=(50, DIMENSION))
    vectors = make_vectors(ROWS, random, centres)
    points = pa.table(
        {
            "id": np.arange(ROWS),
            "shop": np.arange(ROWS) % 100,
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIMENSION),
        }
    )
    queries = make_vectors(QUERIES, random, centres)
    with tempfile.TemporaryDirectory() as folder, lancesql.connect(folder) as db:
        print(f"Indexing {points.num_rows:,} vectors …")
        db.execute("CREATE TABLE points AS SELECT * FROM points")
        db.execute("CREATE INDEX ON points (vector) USING IVF_PQ WITH (num_partitions = 32, num_sub_vectors = 16)")
        for where in ("", "WHERE shop = 42"):
            statement = f"SELECT id FROM vector_search('points', $q, k => {K}{{}}) {where}"
            truth = [set(db.sql(statement.format(", exact => true"), {"q": q}).fetchall()) for q in queries]
            print(f"\n{where or 'every row'}")
            for options in ("", ", nprobes => 1, refine_factor => 1", ", recall => 0.99", ", exact => true"):
                started = time.perf_counter()
                found = [set(db.sql(statement.format(options), {"q": q}).fetchall()) for q in queries]
                elapsed = (time.perf_counter() - started) / QUERIES * 1e3
                recall = np.mean([len(f & t) / K for f, t in zip(found, truth, strict=True)])
                print(f"  {options.lstrip(', ') or 'default':<34} recall {recall:.2f}   {elapsed:5.1f} ms")
        print("\n" + db.explain(statement.format(""), {"q": queries[0]}))


if __name__ == "__main__":
    main()
