"""Who runs the relation. The only package that imports duckdb."""
