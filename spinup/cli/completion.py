"""``spinup completion``: the script with which a shell completes commands and flags."""

from __future__ import annotations

import os

import click
from click.shell_completion import get_completion_class

from spinup import console

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS), required=False)
@click.pass_context
def command(ctx: click.Context, shell: str | None) -> None:
    """Print the script that completes commands, flags and names in SHELL; by default in yours.

    \b
    bash:  echo 'eval "$(spinup completion bash)"' >> ~/.bashrc
    zsh:   echo 'eval "$(spinup completion zsh)"' >> ~/.zshrc
    fish:  spinup completion fish > ~/.config/fish/completions/spinup.fish
    """  # noqa: D301 - the backspace is click's mark for lines that stay as they are
    shell = shell or os.path.basename(os.environ.get("SHELL", ""))
    maker = get_completion_class(shell)
    if shell not in _SHELLS or maker is None:
        raise click.UsageError(f"Which shell? One of {', '.join(_SHELLS)}.", ctx)
    # The environment variable is the one that click makes of the program's name.
    console.say(maker(ctx.find_root().command, {}, "spinup", "_SPINUP_COMPLETE").source())
