"""Texts → vectors: which function embeds a column's texts, how it is called, and where its vectors go."""
