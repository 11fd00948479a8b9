"""The schema's history: Alembic, configured in code. `migrations.run` is the only door the product uses."""
