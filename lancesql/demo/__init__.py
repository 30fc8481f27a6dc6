"""The demo: the docstrings of the Python standard library as a LanceDB to search."""
