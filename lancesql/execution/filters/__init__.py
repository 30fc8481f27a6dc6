"""What a source's filter comes to when the statement runs: text for Lance, row ids, or keys."""
