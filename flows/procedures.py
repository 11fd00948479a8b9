"""Which procedure carries which kind of case: for the drivers that carry many."""

from flows.micro_project import call, project
from flows.public_notice import notice
from flows.site_lifecycle import site
from policies.vocabulary import CaseKind
from tasks.procedure import Procedure

PROCEDURES: dict[CaseKind, Procedure] = {
    CaseKind.SITE: site,
    CaseKind.CALL: call,
    CaseKind.PROJECT: project,
    CaseKind.NOTICE: notice,
}
