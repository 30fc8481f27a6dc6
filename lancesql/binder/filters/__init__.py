"""Which conjuncts restrict a source: its own block's, those written around it, those an equality carries over."""
