"""LanceDB: tables at a version, scans, searches, writes, indexes. The only package that imports lance and lancedb."""

from __future__ import annotations

import os

# Lance reads these when it starts.
os.environ.setdefault("LANCE_INCLUDE_VECTOR_CENTROIDS", "false")  # statistics without megabytes of centroids
# Upstream: with the two threads of a two-core machine an exact search can wait for itself for ever.
os.environ.setdefault("TOKIO_WORKER_THREADS", str(max(8, os.cpu_count() or 1)))
