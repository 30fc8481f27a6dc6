"""Every answer equals brute force: DuckDB over the whole table in memory, and distances by numpy."""
