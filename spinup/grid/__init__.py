"""Pure: parameters, variants and their names."""

from spinup.grid.grid import Grid
from spinup.grid.parameters import Parameter

__all__ = ["Grid", "Parameter"]
