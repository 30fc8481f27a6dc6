"""Predicate → Lance filter text: what DuckDB means by it, said so that Lance cannot mean anything else."""
