"""
From a policy file's bytes to a checked edition, and back to a list of faults when it is not one.

Called by the CLI, by publishing (which stores the bytes and their hash) and by every case (which carries on with the
bytes it was pinned to). Never guesses: a text is either sound or refused.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from policies.calendar import CalendarFacts
from policies.document import read_document
from policies.edition import Edition
from policies.errors import BadPolicy
from policies.faults import BadPolicies, faults_in, faults_of, refuse

__all__ = [
    "CALENDAR",
    "EDITIONS",
    "BadPolicies",
    "LoadedEdition",
    "edition_schema",
    "faults_of",
    "load_all",
    "load_calendar",
    "load_edition",
    "parse_calendar",
    "parse_edition",
]

EDITIONS = Path(__file__).parent / "editions"
CALENDAR = Path(__file__).parent / "calendar.yaml"

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class LoadedEdition:
    """An edition together with the very bytes it was read from."""

    edition: Edition
    text: bytes
    sha256: str
    """Of `text`, 64 hexadecimal digits; what a case is pinned to."""
    path: Path
    """The file, or the bare name for a text that came from the database."""


def load_edition(path: Path) -> LoadedEdition:
    """
    Read and check the policy file at `path`; its name must be ``<id>.yaml``.

    Raises:
        BadPolicy: the file can not be read or is not sound; `faults_of` lists every fault.
    """
    loaded = parse_edition(_bytes(path), str(path))
    return LoadedEdition(edition=loaded.edition, text=loaded.text, sha256=loaded.sha256, path=path)


@lru_cache(maxsize=64)
def parse_edition(text: bytes, name: str) -> LoadedEdition:
    """
    Check a policy text that may come from anywhere, e.g. from the database; the same text is read once a process.

    Args:
        text: the bytes as published.
        name: ``<id>`` or ``<id>.yaml``, with or without a folder; must agree with the text's own `id`.

    Raises:
        BadPolicy: the text is not sound; `faults_of` lists every fault.
    """
    edition = _checked(text, Edition, file=name)
    wanted = Path(name).name.removesuffix(".yaml")
    if edition.id != wanted:
        raise BadPolicy(name, "id", edition.id, f"id 须与文件名一致:文件名是“{wanted}”")
    return LoadedEdition(edition=edition, text=text, sha256=hashlib.sha256(text).hexdigest(), path=Path(name))


def load_all(folder: Path = EDITIONS) -> dict[str, LoadedEdition]:
    """
    Read every ``*.yaml`` in `folder`, by id, in the order of their ids.

    Raises:
        BadPolicy: at least one file is not sound; the faults of all files are carried.
    """
    if not folder.is_dir():
        raise BadPolicy(folder, "", None, "没有这个文件夹")
    loaded: dict[str, LoadedEdition] = {}
    faults: list[BadPolicy] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            one = load_edition(path)
        except BadPolicy as error:
            faults.extend(faults_of(error))
        else:
            loaded[one.edition.id] = one
    refuse(faults)
    return loaded


def load_calendar(path: Path = CALENDAR) -> CalendarFacts:
    """
    Read the published holiday arrangements.

    Raises:
        BadPolicy: the file can not be read or is not sound.
    """
    return parse_calendar(_bytes(path), str(path))


@lru_cache(maxsize=8)
def parse_calendar(text: bytes, name: str) -> CalendarFacts:
    """
    Check a calendar text.

    Raises:
        BadPolicy: the text is not sound; `faults_of` lists every fault.
    """
    return _checked(text, CalendarFacts, file=name)


def edition_schema() -> dict[str, object]:
    """Return the JSON schema of a policy file (draft 2020-12), for editors and for people who write one."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Edition.model_json_schema(by_alias=True)}


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadPolicy(path, "", error.strerror, "文件不存在或无法读取") from error


def _checked(text: bytes, model: type[_Model], *, file: str) -> _Model:
    document, faults = read_document(text, file=file)
    refuse(faults)
    if not isinstance(document, dict):
        raise BadPolicy(file, "", document, "全文须为一组键值")
    try:
        return model.model_validate(document)
    except ValidationError as error:
        refuse(faults_in(error, file=file, document=document))
        raise
