"""Reference thunks: small, real, light. ``from spinup.algos.ars import ars``."""
