"""The logger that a thunk writes with, and one sink per file."""
