"""Pure: parameters, variants and their names."""
