"""The record: every file of a run directory, and the only place where writers and readers meet."""
