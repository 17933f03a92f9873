"""``classbox …``: finds its subcommands through entry points and imports none of them itself."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import click

from edge.config import DEFAULT_PATH
from edge.ledger import SOFTWARE

GROUP = "classbox.commands"


class Commands(click.Group):
    """A group whose commands are loaded when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the installed commands."""
        return sorted(_commands())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        found = _commands().get(cmd_name)
        if found is None:
            return None
        command = found.load()
        if not isinstance(command, click.Command):
            raise click.ClickException(f"{cmd_name}: {found.value} is not a command")
        return command


def _commands() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


@click.group(cls=Commands)
@click.option(
    "--config",
    envvar="CLASSBOX_CONFIG",
    # Whether it can be read is asked by whoever reads it: the touch screen's account may not.
    type=click.Path(path_type=Path, readable=False),
    default=DEFAULT_PATH,
    show_default=True,
    help="Settings of the box, or of the centre for `classbox centre`.",
)
@click.version_option(SOFTWARE, prog_name="classbox")
@click.pass_context
def main(ctx: click.Context, config: Path) -> None:
    """The box that makes a lesson count: its services, its ledger, its people, the centre."""
    ctx.obj = config
