"""What Alembic runs for each migration, on the connection that ``database.py`` hands over."""

from alembic import context

from components.log.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
