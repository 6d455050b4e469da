"""A stable hash of any Python value: the same in every process, on every machine."""
