"""SQL in the cells of a notebook: `%load_ext lancesql`."""

from .magics import load_magics

__all__ = ["load_magics"]
