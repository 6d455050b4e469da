"""One file per plot: compute its data, then draw it."""
