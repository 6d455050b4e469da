"""The files that a run's rows can be in: one reader each, behind one small protocol."""
