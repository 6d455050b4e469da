"""Where Spinning Up's users find the conversion of any object to JSON."""

from spinup.rundir.config import to_json as convert_json

__all__ = ["convert_json"]
