"""Statements that order by a distance without a search function: the rows they need are a search's."""
