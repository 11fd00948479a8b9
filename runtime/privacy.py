"""
Who may read what the desk writes: the account that runs it, and nobody else; the public notices everybody.

What is new is private by the umask of ``ketang``, whatever that was started with. A web server has an account of its
own: it may pass through the home, where it can read nothing, to the folder of the notices.
"""

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from models.engine import address_of, file_of
from runtime.settings import Settings

PASSED_THROUGH, PUBLIC = 0o711, 0o755
PRIVATE_FOLDERS = ("documents", "letters", "logs", "prefect")
OWN_FILES = "ketang*"
"""The home's database with what SQLite keeps beside it; copies and archives that bear the names of the handbook."""


def tighten(settings: Settings) -> tuple[list[str], list[str]]:
    """
    Take from other accounts what earlier versions, or another umask, let them read in this home; safe to repeat.

    A folder with the setgid bit is shared on purpose: its group keeps what it has. A database that has an address of
    its own is left to `tighten_database`.

    Returns:
        Names of what was tightened, and of what was not because it belongs to another account.
    """
    told = _closed(path for path in _private(settings) if path != settings.notices_folder)
    home, notices = settings.home, settings.notices_folder
    mode = stat.S_IMODE(home.stat().st_mode) & ~0o066
    _set(home, mode | PASSED_THROUGH if notices.is_relative_to(home) else mode)
    if notices.is_dir() and notices.is_relative_to(home):
        _set(notices, stat.S_IMODE(notices.stat().st_mode) | PUBLIC)
    return told


def tighten_database(settings: Settings) -> tuple[list[str], list[str]]:
    """
    As `tighten`, for the database, wherever it is; only for one that is known to hold our tables.

    What a mistyped address names may be any file of the machine.
    """
    file = file_of(address_of(settings.database))
    return _closed(Path(f"{file.resolve()}{end}") for end in ("", "-wal", "-shm")) if file else ([], [])


def make_home(settings: Settings) -> None:
    """Make the home, and the folder of a database that is below it; elsewhere no folder is made."""
    settings.home.mkdir(parents=True, exist_ok=True)
    file = file_of(address_of(settings.database))
    if file and file.resolve().is_relative_to(settings.home):
        file.resolve().parent.mkdir(parents=True, exist_ok=True)


def make_public(folder: Path) -> None:
    """Make a folder that every account may read, if there is none; one that is there stays as it is."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        each.chmod(PUBLIC if each == folder else PASSED_THROUGH)


def _private(settings: Settings) -> Iterator[Path]:
    yield from (settings.home / name for name in PRIVATE_FOLDERS)
    for path in settings.home.glob(OWN_FILES):
        if path.resolve().is_relative_to(settings.home):  # a link may lead anywhere
            yield path


def _closed(paths: Iterable[Path]) -> tuple[list[str], list[str]]:
    tightened: list[str] = []
    failed: list[str] = []
    for path in paths:
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except FileNotFoundError:  # what SQLite keeps beside the database comes and goes
            continue
        others = 0o007 if path.is_dir() and mode & stat.S_ISGID else 0o077
        if mode & others:
            (tightened if _set(path, mode & ~others) else failed).append(path.name)
    return tightened, failed


def _set(path: Path, mode: int) -> bool:
    try:
        path.chmod(mode)
    except PermissionError:
        return False
    return True
