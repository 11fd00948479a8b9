"""A township whose cases ended years ago, and what its office does about archives: for tests."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import update

from models.case import Case
from policies.vocabulary import Answer, CaseStatus, Verdict
from runtime.resources import Resources
from tasks.archive_choice import Wanted
from tasks.archive_file import MANIFEST, SUMS, sha256_of, sums_of
from tasks.archive_removal import Removed, remove_archived
from tasks.archives import Made, make_archive
from tasks.history import verify
from tasks.post import post_letters
from tests.notices import Board
from tests.township import HEAD_OF_OFFICE, RESPONSIBLE, REVIEWER, Township, at

YEARS_LATER = "2024-06-03 09:00"
BEFORE = date(2024, 1, 1)


class Office:
    """What the office of a township does about archives."""

    def __init__(self, town: Township) -> None:
        self.town = town

    @property
    def resources(self) -> Resources:
        """The town's."""
        return self.town.resources

    def settle(self) -> None:
        """Let letters leave, pages be written, and the engine see that all has ended."""
        self.town.rehearsal.sweep()
        post_letters(self.resources, at=self.town.now())
        with self.resources.database.write() as session:
            session.execute(update(Case).where(Case.status == CaseStatus.CLOSED).values(carried_seq=Case.decision_seq))

    def make(self, folder: Path, *, by: str = REVIEWER, dry_run: bool = False, **wanted: Any) -> Made:
        """Archive what was closed before 2024."""
        asked = Wanted(**({"before": BEFORE} | wanted))
        return make_archive(self.resources, to=folder, wanted=asked, by=by, at=self.town.now(), dry_run=dry_run)

    def written(self, folder: Path, **wanted: Any) -> Path:
        """Archive, and return the file."""
        path = self.make(folder, **wanted).path
        assert path is not None
        return path

    def remove(self, path: Path, told: Callable[[str], None] = lambda _: None) -> Removed:
        """Take what is in a file out of the database."""
        return remove_archived(self.resources, path, by=HEAD_OF_OFFICE, at=self.town.now(), told=told)

    def faults(self) -> list[str]:
        """What the audit finds."""
        with self.resources.database.read() as session:
            return [str(each) for each in verify(session)]


class Ended(Office):
    """Zhujiajiao in 2018: one application refused, one withdrawn, one listed with its subsidy, one notice."""

    bring_back: Callable[[], None]
    """Lets the town be as it was kept."""

    def __init__(self, town: Township) -> None:
        super().__init__(town)
        town.apply()
        town.everybody_agrees()
        town.decide(Verdict.RETURNED, by=RESPONSIBLE, reason="请补充")
        town.resubmit()
        town.decide(Verdict.FORWARDED, by=RESPONSIBLE)
        town.decide(Verdict.REJECTED, by=REVIEWER, reason="选址不当")
        self.rejected = town.number
        town.add_group("ZD02", households=2)
        town.apply(household="ZD02-001")
        town.answer({"ZD02-002": Answer.OBJECT})
        town.withdraw()
        self.withdrawn = town.number
        town.add_group("ZD03")
        town.apply(household="ZD03-001")
        town.everybody_agrees()
        town.decide(Verdict.FORWARDED, by=RESPONSIBLE)
        town.decide(Verdict.APPROVED, by=REVIEWER)
        town.finish_works()
        town.finish_subsidy()
        self.listed = town.number
        board = Board(town)
        self.notice = board.publish("zhujiajiao-2018")
        seq = board.object(contact="wang@example.com")
        board.handle(seq, "异议不成立")
        town.pass_until("2018-12-03 09:00")
        self.settle()
        town.clock.move_to(at(YEARS_LATER))


def forge(path: Path, changes: Mapping[str, Callable[[bytes], bytes | None]]) -> None:
    """
    Change members of an archive as somebody would who knows it: manifest, sums and ``.sha256`` are made to fit.

    Args:
        changes: by member, what it is to be; None: it goes.
    """
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name, change in changes.items():
        changed = change(members.pop(name))
        if changed is not None:
            members[name] = changed
    manifest = json.loads(members.pop(MANIFEST))
    members.pop(SUMS)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    manifest["members"] = {name: {"sha256": digest, "size": len(members[name])} for name, digest in digests.items()}
    members[MANIFEST] = json.dumps(manifest).encode()
    digests[MANIFEST] = hashlib.sha256(members[MANIFEST]).hexdigest()
    members[SUMS] = sums_of(digests).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    path.with_name(f"{path.name}.sha256").write_text(f"{sha256_of(path)}  {path.name}\n", encoding="utf-8")


def in_case(change: Callable[[dict[str, Any]], None]) -> Callable[[bytes], bytes]:
    """Return a change of a case's rows for `forge`."""

    def changed(content: bytes) -> bytes:
        told = json.loads(content)
        change(told["tables"])
        return json.dumps(told, ensure_ascii=False, indent=1).encode()

    return changed
