"""Pictures of the results table: each plot computes its data first, then draws."""
