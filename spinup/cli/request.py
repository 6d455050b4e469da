"""What the flags of a command line mean for the thunk that it runs: options, and parameters of a grid."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from click import UsageError

from spinup.cli.options import find_option, option_names
from spinup.cli.values import MISSING, read_values
from spinup.utils.shell import ShellCommand, check_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from spinup.cli.flags import Flag
    from spinup.cli.thunks import Thunk
    from spinup.cli.values import Resolve
    from spinup.utils.run_utils import ExperimentGrid

#: Short forms, as in Spinning Up; ``cpu`` and ``dt`` are other names of options.
SHORT_FORMS = {"env": "env_name", "hid": "ac_kwargs:hidden_sizes", "act": "ac_kwargs:activation"}

_MADE_FOR_THE_THUNK = ("env_fn", "logger_kwargs")
_OWN = {
    "output_dir": "{output_dir} is the directory that each run gets. --data_dir says where those are made.",
    "exp_name": "{exp_name} is the name that each run gets. --exp_name says how those begin.",
}


@dataclass(frozen=True)
class Setting:
    """A parameter, as the flags give it.

    Attributes:
        key: Its name; colons make nested dicts.
        values: What it takes.
        shorthand: What stands for it in names, if that was said.
    """

    key: str
    values: list[Any]
    shorthand: str | None = None


@dataclass(frozen=True)
class Request:
    """What is asked: the options by keyword, and the parameters in the order of their flags."""

    options: dict[str, Any] = field(default_factory=dict)
    settings: list[Setting] = field(default_factory=list)


def make_request(
    flags: Iterable[Flag], thunk: Thunk, resolve: Resolve, note: Callable[[str], None]
) -> Request:
    """What ``flags`` ask for.

    Args:
        flags: The flags.
        thunk: What is to be run.
        resolve: Finds what a dotted name names.
        note: Is told what the user may not have meant.

    Raises:
        UsageError: A flag is not known, or a value does not fit.
    """
    request = Request()
    for flag in flags:
        option = None if flag.is_own else find_option(flag.key)
        if option is not None:
            if option.keyword in request.options:
                raise UsageError(f"{flag} is given twice, under two names.")
            request.options[option.keyword] = option.value(flag)
            if flag.key in thunk.parameters:
                note(f"{flag} is an option of spinup run; the argument of {thunk.name} is --+{flag.key}.")
        else:
            setting = _setting(flag, thunk, resolve, note)
            if any(setting.key == other.key for other in request.settings):
                raise UsageError(
                    f"{flag} is --{setting.key}, which is given too. Put all values behind one."
                )
            request.settings.append(setting)
    return request


def check_complete(keys: Iterable[str], thunk: Thunk) -> None:
    """Raise UsageError unless ``keys`` give ``thunk`` all that it needs."""
    given = {key.partition(":")[0] for key in keys} | set(_MADE_FOR_THE_THUNK)
    missing = [name for name, p in thunk.parameters.items() if p.default is MISSING and name not in given]
    if missing:
        flags = ", ".join(f"--{'+' if find_option(name) else ''}{name}" for name in missing)
        raise UsageError(f"{thunk.name} needs {flags}.")


def check_placeholders(grid: ExperimentGrid, thunk: Thunk) -> None:
    """Raise ThunkError if a placeholder such as ``{ac:hid}`` finds nothing in some variant of ``grid``."""
    if isinstance(thunk.function, ShellCommand) and any(":" in name for name in thunk.placeholders or ()):
        for variant, _ in grid.named_variants():
            check_values(thunk.function, variant)


def _setting(flag: Flag, thunk: Thunk, resolve: Resolve, note: Callable[[str], None]) -> Setting:
    key = flag.key
    if not flag.is_own and key not in thunk.parameters:
        key = SHORT_FORMS.get(key, key)
    name = key.partition(":")[0]
    if thunk.placeholders is not None and key in _OWN:
        raise UsageError(f"{flag} cannot be given: {_OWN[key]}")
    if name not in thunk.parameters and not thunk.takes_any:
        raise UsageError(_unknown(flag, name, thunk))
    if thunk.placeholders is not None and name != "seed" and not _is_used(key, thunk.placeholders):
        raise UsageError(_unknown(flag, key, thunk))
    if name not in thunk.parameters and not flag.is_own:
        near = _near(flag.key, [*option_names(), *thunk.parameters], cutoff=0.8)
        if near:
            note(f"{flag} goes to {thunk.name}, which takes any argument. Did you mean --{near}?")
    parameter = thunk.parameters.get(key)
    kind = None if parameter is None else parameter.kind
    values = read_values(str(flag), flag.texts, kind, resolve)
    if (
        key == "seed"
        and thunk.placeholders is not None
        and "seed" not in thunk.placeholders
        and len(values) > 1
    ):
        note("No {seed} is in the command: its runs differ by chance, or by SPINUP_SEED if it reads that.")
    return Setting(key, values, flag.shorthand)


def _is_used(key: str, placeholders: Iterable[str]) -> bool:
    return any(key == p or key.startswith(f"{p}:") or p.startswith(f"{key}:") for p in placeholders)


def _unknown(flag: Flag, name: str, thunk: Thunk) -> str:
    if thunk.placeholders is not None:
        known = ", ".join(f"{{{name}}}" for name in thunk.placeholders) or "none"
        near = _near(name, [each for each in thunk.placeholders if each not in _OWN])
        hint = f" Did you mean --{near}?" if near else f" Its placeholders: {known}."
        return f"{flag} would change nothing: there is no {{{name}}} in the command.{hint}"
    stands = f", which stands for --{SHORT_FORMS[flag.key]}" if flag.key in SHORT_FORMS else ""
    names = [each for each in thunk.parameters if each not in _MADE_FOR_THE_THUNK]
    short_forms = [each for each in SHORT_FORMS if each != flag.key]
    near = _near(flag.key, [*names, *option_names(), *short_forms])
    hint = f" Did you mean --{near}?" if near else f" It takes: {', '.join(names)}."
    return f"{thunk.name} does not take {flag}{stands}.{hint}"


def _near(name: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    import difflib  # noqa: PLC0415 - mistakes alone need it

    # Dashes for underscores are the commonest mistake.
    plain = {each.replace("-", "_").lower(): each for each in names}
    near = difflib.get_close_matches(name.replace("-", "_").lower(), plain, n=1, cutoff=cutoff)
    return plain[near[0]] if near else None
