"""Another process that logs, one step at a time."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

_PROGRAM = """
import sys
from spinup.loggers import Logger
def row(logger, **values):
    for key, value in values.items():
        logger.log_tabular(key, value)
    logger.dump_tabular()
loggers = {}
def open(directory, fname='progress.txt'):
    loggers[fname] = Logger(directory, fname, console=False)
    return loggers[fname]
print('ready', flush=True)
for line in sys.stdin:
    try:
        exec(line)
    except Exception as error:
        print(f'{type(error).__name__}: {error}'.replace('\\n', ' '), flush=True)
    else:
        print('done', flush=True)
"""


class OtherProcess:
    """Knows ``open(directory, fname)``, which gives a logger, and ``row(logger, key=value)``."""

    def __init__(self, directory: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._read()
        self.run(f"D = {str(directory)!r}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def run(self, code: str) -> str:
        """What came of one line of code: ``done``, or the error; messages of the logger are left out."""
        assert self.process.stdin is not None
        self.process.stdin.write(code + "\n")
        self.process.stdin.flush()
        return self._read()

    def end(self) -> None:
        """Have it exit in peace, if it has not been killed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    def _read(self) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(("ready", "done", "RunIsLive: ")) or "Error: " in line:
                return line.strip()
        raise AssertionError("the other process has died")
