"""The inverse of the flag parser: words that a command line, or a value, can be read from."""

from click import UsageError

from spinup.cli.values import MISSING, read_values


def render(line):
    """Words that `spinup.cli.flags.parse` makes ``line`` of."""
    words = [] if line.target is None else [line.target]
    for flag in line.flags:
        head = str(flag) if flag.shorthand is None else f"{flag}[{flag.shorthand}]"
        words += [f"{head}={text}" for text in flag.texts] or [head]
    words += ["--help"] * line.wants_help
    return words if line.command is None else [*words, "--", *line.command]


def render_value(value):
    """A text that is read as ``value``: a string stands for itself where it can."""
    if isinstance(value, str) and reads_as(value, value):
        return value
    return repr(value)


def reads_as(text, value):
    try:
        (read,) = read_values("--x", [text], None, lambda _: MISSING)
    except (UsageError, ValueError):
        return False
    return type(read) is type(value) and read == value
