"""Pure: parameters, variants, their names, and the language in which a grid is written."""

from spinup.grid.distributions import Choice, IntUniform, LogUniform, Uniform
from spinup.grid.grid import Grid
from spinup.grid.parameters import Parameter

__all__ = ["Choice", "Grid", "IntUniform", "LogUniform", "Parameter", "Uniform"]
