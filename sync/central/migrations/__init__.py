"""How the centre's database came to its present form, one step a file (``versions``).

Owns which form this software knows, and how a database gets there. Promises that an upgrade is
one transaction: a database has the old form or the new one. The tables of the chain (ledger,
event, body) are frozen: a step may add to them and never changes or drops what is there.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import CheckConstraint, Connection, MetaData

from sync.central import tables


class NewerDatabase(Exception):
    """The database was upgraded by a newer version of the software; it was not touched."""


def config_for(connection: Connection) -> Config:
    """Return what Alembic wants to know: where the steps are, and the connection to use."""
    config = Config()
    config.set_main_option("script_location", "sync.central:migrations")
    config.attributes["connection"] = connection
    return config


def form() -> MetaData:
    """Return ``tables.metadata`` as Alembic sees it: it overlooks checks that stand in a column."""
    metadata = MetaData()
    for original in tables.metadata.sorted_tables:
        table = original.to_metadata(metadata)
        for column in table.columns:
            for check in list(column.constraints):
                if isinstance(check, CheckConstraint):
                    column.constraints.discard(check)
                    table.append_constraint(CheckConstraint(check.sqltext, name=check.name))
    return metadata


def upgrade(connection: Connection) -> None:
    """Bring the database to the newest form, in the transaction of *connection*.

    Whoever calls holds a lock that keeps other processes from doing the same. Raises NewerDatabase.
    """
    config = config_for(connection)
    steps = ScriptDirectory.from_config(config)
    present = MigrationContext.configure(connection).get_current_revision()
    if present == steps.get_current_head():
        return
    if present is not None:
        try:
            steps.get_revision(present)
        except CommandError as error:
            raise NewerDatabase(f"form {present} is not known here") from error
    command.upgrade(config, "head")
