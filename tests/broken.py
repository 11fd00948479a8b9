"""Rows that nobody can read, written into the database by somebody who knows its password: for tests."""

from tests.township import Township


def break_rows(town: Township, *statements: str) -> None:
    """Change rows against every rule that the database keeps, and let it stand so."""
    engine = town.resources.database.engine
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")
            for pragma in ("foreign_keys = OFF", "ignore_check_constraints = ON"):
                connection.exec_driver_sql(f"PRAGMA {pragma}")
            connection.exec_driver_sql("BEGIN")
        else:
            connection.exec_driver_sql("SET session_replication_role = replica")
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.commit()
        connection.invalidate()
