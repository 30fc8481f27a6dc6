"""Stage 5, LogicalPlan → Result: sources from storage, the relation from the engine."""
