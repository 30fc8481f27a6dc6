"""A search call → its source: what is searched, for what, and what is made of the ranking."""
