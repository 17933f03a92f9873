"""What Alembic runs for each command: the steps, on the connection that was handed over."""

from __future__ import annotations

from alembic import context

from sync.central import migrations

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=migrations.form(),
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
