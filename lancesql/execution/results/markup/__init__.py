"""Answers, plans and errors as HTML, for notebooks: each piece stands alone, and everything in it is escaped."""
