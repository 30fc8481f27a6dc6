"""Searches carried out: of one vector or text, of lists of them, and for each row of another relation."""
