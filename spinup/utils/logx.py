"""Where Spinning Up's users find the logger."""

from spinup.console import colorize
from spinup.loggers import EpochLogger, Logger
from spinup.rundir.config import to_json as convert_json

__all__ = ["EpochLogger", "Logger", "colorize", "convert_json"]
