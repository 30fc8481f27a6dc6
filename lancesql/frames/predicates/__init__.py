"""A Polars expression → SQL, for what is proved to keep the rows that Polars keeps."""

from .translate import translate_conjuncts

__all__ = ["translate_conjuncts"]
