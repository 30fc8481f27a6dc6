"""Documents in a Lance table: texts with a vector and metadata, as frameworks for retrieval keep them."""

from .filters import Condition, Filter, Group, SQLText, parse_filter
from .table import Document, DocumentTable

__all__ = ["Condition", "Document", "DocumentTable", "Filter", "Group", "SQLText", "parse_filter"]
