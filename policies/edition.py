"""
The schema of one policy file: the text of a scheme in force, as data.

Read by `policies.load`; never knows a database or a clock. A file holds one scheme, of the parlours or of the
micro-projects, and how it publishes notices.
"""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from policies.micro_scheme import MicroProjectScheme
from policies.notice_scheme import NoticeScheme
from policies.retention import Retention
from policies.sections import InForce, Name, Section, Text, Timing, Urging
from policies.site_scheme import SiteScheme
from policies.vocabulary import Gate


class Edition(Section):
    """One published text of a scheme."""

    model_config = ConfigDict(title="客堂政策文件")

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]
    """Stable identifier; the file is called ``<id>.yaml``."""
    title: Name
    township: Name
    document_number: Text | None = None
    """The office's number of the document, if it has one."""
    source_document: Text
    """File name of the source text, or who made the text up."""
    in_force: InForce
    site: SiteScheme | None = None
    """The scheme of the parlours."""
    micro_project: MicroProjectScheme | None = None
    """The scheme of the micro-projects."""
    notices: NoticeScheme | None = None
    """How notices are published."""
    retention: Retention | None = None
    """How long closed cases stay before they may be archived; null: for ever."""

    @model_validator(mode="after")
    def _one_scheme(self) -> Self:
        if (self.site is None) == (self.micro_project is None):
            raise ValueError("须写 site(客堂间)或 micro_project(微项目),二者取一")
        if self.micro_project is not None and self.notices is None:
            raise ValueError("微项目须公示:请写 notices")
        if self.site is not None and self.notices is None and (self.site.inspection or self.site.evaluation):
            raise ValueError("撤牌和年度考核结果须公示:请写 notices")
        return self

    @property
    def scheme(self) -> SiteScheme | MicroProjectScheme:
        """The one scheme of this file."""
        scheme = self.site or self.micro_project
        if scheme is None:
            raise LookupError(f"edition {self.id} has no scheme")
        return scheme

    @property
    def for_sites(self) -> SiteScheme:
        """The scheme of the parlours; LookupError when this file is about something else."""
        if self.site is None:
            raise LookupError(f"edition {self.id} says nothing of sites")
        return self.site

    @property
    def for_projects(self) -> MicroProjectScheme:
        """The scheme of the micro-projects; LookupError when this file is about something else."""
        if self.micro_project is None:
            raise LookupError(f"edition {self.id} says nothing of micro-projects")
        return self.micro_project

    @property
    def for_notices(self) -> NoticeScheme:
        """How notices are published; LookupError when this file says nothing of it."""
        if self.notices is None:
            raise LookupError(f"edition {self.id} says nothing of notices")
        return self.notices

    @property
    def urging(self) -> Urging:
        """How often people may be urged."""
        return self.scheme.urging

    def timing(self, gate: Gate) -> Timing:
        """Return the policy of `gate`; KeyError when this edition has no such gate."""
        life = (self.site.inspection, self.site.evaluation, self.site.joint_meeting) if self.site else ()
        later = (self.site.services, self.site.changes) if self.site else ()
        for part in (self.scheme, self.notices, *life, *later):
            timing: Timing | None = getattr(part.gates, gate.value, None) if part is not None else None
            if timing is not None:
                return timing
        raise KeyError(gate)
