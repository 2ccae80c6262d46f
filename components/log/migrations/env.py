"""Run by Alembic for each migration, on the connection from ``database.py``."""

from alembic import context

from components.log.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
