"""Quick views of an answer: how scores are distributed, and where vectors lie."""
