"""Ways to start a run, one per file, behind one small protocol."""
