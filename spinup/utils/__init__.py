"""The import paths that the specification gives."""
