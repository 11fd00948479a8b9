"""
Write migrations; for developers only.

``python -m migrations.author rewrite`` writes 0001 anew from the models (only before the first release).
``python -m migrations.author new "what changes"`` adds a step that brings the last schema to the models.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from alembic import command

from migrations.run import FOLDER, _config, _connection, upgrade

FIRST = "0001"


def rewrite() -> Path:
    """Write the first migration anew from the models; refuses when there are later ones."""
    versions = FOLDER / "versions"
    if later := [path for path in versions.glob("*.py") if not path.name.startswith(FIRST)]:
        raise SystemExit(f"{later[0].name} builds on {FIRST}: add a migration instead")
    for old in versions.glob(f"{FIRST}_*.py"):
        old.unlink()
    return write("The tables", revision=FIRST)


def write(message: str, *, revision: str) -> Path:
    """Write a migration from the schema of all present ones to the models; return its file."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/present.db"
        if any((FOLDER / "versions").glob("*.py")):
            upgrade(url)
        with _connection(url, new=True) as connection:
            config = _config(connection)
            config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
            script = command.revision(config, message=message, rev_id=revision, autogenerate=True)
    if script is None or isinstance(script, list):
        raise SystemExit("no single migration was written")
    return Path(script.path)


def main(arguments: list[str]) -> None:
    """Run the tool."""
    parser = argparse.ArgumentParser(prog="python -m migrations.author", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    kinds.add_parser("rewrite", help=f"write {FIRST} anew from the models")
    kinds.add_parser("new", help="add a migration").add_argument("message")
    chosen = parser.parse_args(arguments)
    if chosen.kind == "rewrite":
        path = rewrite()
    else:
        count = len(list((FOLDER / "versions").glob("*.py")))
        path = write(chosen.message, revision=f"{count + 1:04d}")
    sys.stdout.write(f"{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
