"""Text of a conjunct → Predicate: what Lance is proved to evaluate as DuckDB does."""
