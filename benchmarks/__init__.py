"""What a statement costs over the same work written by hand: `python -m benchmarks`."""
