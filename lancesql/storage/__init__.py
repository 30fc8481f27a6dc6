"""LanceDB: tables at a version, scans, searches, writes, indexes. The only package that imports lance and lancedb."""
