"""The demo: the docstrings of the Python standard library as a LanceDB to search."""

from lancesql.demo.run import run_demo

__all__ = ["run_demo"]
