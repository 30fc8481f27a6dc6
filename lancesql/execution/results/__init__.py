"""The answer of a statement, and the ways to read it: Arrow, rows, text, HTML."""
