"""What a run was asked: its config.json, flat, without what tells where or by whom it was run."""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING, Any

from spinup.errors import RecordError
from spinup.rundir.config import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ABLATION = "_ablation"

# What identifies a run, or says where it is; `logger` is what save_config(locals()) may catch.
_NO_HYPERPARAMETER = frozenset({"exp_name", "seed", "logger", "logger_kwargs", "output_dir", ABLATION})
# A stream of random numbers beside the seed, such as eval_seed, which follows from it.
_SEED_LIKE = re.compile(r"(?:.*[_:])?seeds?(?:_.*)?")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_DEEPEST = 20
_MOST_KEYS = 2_000


def flat(config: Mapping[str, Any], directory_name: str) -> dict[str, Any]:
    """Hyperparameters by their keys in a grid, such as ``ac_kwargs:hidden_sizes``.

    Left out are the run's name, seed and logger, further seeds (whole numbers called ``eval_seed``, say),
    and each text with the path of the run's own directory in it, which tells where something is that the
    run wrote. Memory addresses are taken out of texts.

    Args:
        config: What config.json holds.
        directory_name: Of the run.
    """
    found: dict[str, Any] = {}
    for key, value in config.items():
        if key not in _NO_HYPERPARAMETER:
            _flatten(key, value, found)
    # Spinning Up notes the function that makes the environment beside its name.
    if "env_name" in found:
        found.pop("env_fn", None)
    own_path = re.compile(rf"/{re.escape(directory_name)}(?![\w.-])")
    return {
        key: value
        for key, value in found.items()
        if not (isinstance(value, str) and own_path.search(value)) and not _is_seed(key, value)
    }


def _is_seed(key: str, value: Any) -> bool:
    return type(value) is int and _SEED_LIKE.fullmatch(key) is not None


def _flatten(key: str, value: Any, found: dict[str, Any], depth: int = 0) -> None:
    if len(found) >= _MOST_KEYS:
        return
    if type(value) is dict and value and depth < _DEEPEST:
        for name, item in value.items():
            _flatten(f"{key}:{name}", item, found, depth + 1)
        return
    plain = isinstance(value, str) and " at 0x" in value
    found[_ADDRESS.sub("", key)] = _ADDRESS.sub("", value) if plain else value


def text_of(value: Any) -> str:
    """``value`` as one line of JSON, by which two values are the same or not."""
    # 3e-4 and 0.0003 are one number, and so are 1 and 1.0; true is another.
    return json.dumps(_plain_numbers(value), sort_keys=True)


def _plain_numbers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return [_plain_numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain_numbers(item) for key, item in value.items()}
    return value


def asked(value: Any) -> str:
    """As `text_of`, for a caller's value: tuples, functions and arrays are as config.json has them."""
    return text_of(to_json(value))


def full_key(short: str, known: Iterable[str]) -> str:
    """The key that ``short`` means: itself, or the only one whose last parts it is.

    Raises:
        RecordError: There is none, or there are several.
    """
    keys = list(dict.fromkeys(known))
    if short in keys:
        return short
    fitting = [key for key in keys if key.endswith(f":{short}")]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise RecordError(f"{short!r} may be any of {', '.join(fitting)}. Write the whole of one.")
    near = difflib.get_close_matches(short, keys, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    more = f" and {len(keys) - 50} more" if len(keys) > 50 else ""
    raise RecordError(f"No run has {short!r}.{hint} There is: {', '.join(keys[:50]) or 'nothing'}{more}.")
