"""Defaults that a user may change: here, by environment variable, or at run time.

Edit the values below, or set ``SPINUP_DEFAULT_DATA_DIR``, ``SPINUP_FORCE_DATESTAMP``,
``SPINUP_DEFAULT_SHORTHAND`` or ``SPINUP_WAIT_BEFORE_LAUNCH`` in the environment (it wins over what
is written here), or assign to this module in a script (which wins over both)::

    import spinup.user_config
    spinup.user_config.WAIT_BEFORE_LAUNCH = 0
"""

from __future__ import annotations

import math
import os

from spinup.errors import SettingError

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


def _text(name: str, default: str) -> str:
    return os.environ.get(f"SPINUP_{name}") or default


def _flag(name: str, *, default: bool) -> bool:
    value = os.environ.get(f"SPINUP_{name}")
    if value is None:
        return default
    if value.strip().lower() in _TRUE | _FALSE:
        return value.strip().lower() in _TRUE
    raise SettingError(
        f"The environment variable SPINUP_{name} is {value!r}; it takes 1 or 0 (true, false)."
    )


def _seconds(name: str, default: float) -> float:
    value = os.environ.get(f"SPINUP_{name}")
    if value is None:
        return default
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if math.isfinite(seconds) and seconds >= 0:
        return seconds
    raise SettingError(
        f"The environment variable SPINUP_{name} is {value!r}; it takes a number of seconds, 0 or more."
    )


#: Where results go when a call gives no ``data_dir``. A relative path starts at the working directory.
DEFAULT_DATA_DIR: str = _text("DEFAULT_DATA_DIR", default="data")

#: Put date and time into every directory name, whatever the call says.
FORCE_DATESTAMP: bool = _flag("FORCE_DATESTAMP", default=False)

#: Make a shorthand from the first three letters of each colon-separated term of a key that has none.
DEFAULT_SHORTHAND: bool = _flag("DEFAULT_SHORTHAND", default=True)

#: Seconds to look over the plan before a grid starts. Counted down on an interactive terminal only.
WAIT_BEFORE_LAUNCH: float = _seconds("WAIT_BEFORE_LAUNCH", default=5)
