"""The logger that a thunk writes with, and one sink per file."""

from spinup.loggers.base import Sink
from spinup.loggers.epoch import EpochLogger
from spinup.loggers.logger import Logger

__all__ = ["EpochLogger", "Logger", "Sink"]
