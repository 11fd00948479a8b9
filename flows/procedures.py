"""Which procedure carries which kind of case: for the drivers that carry many."""

from flows.annual_evaluation import annual_evaluation
from flows.inspection import campaign, inspection
from flows.joint_meeting import joint_meeting, resolution
from flows.micro_project import call, project
from flows.public_notice import notice
from flows.service_order import service_order
from flows.site_change import site_change
from flows.site_lifecycle import site
from policies.vocabulary import CaseKind
from tasks.procedure import Procedure

PROCEDURES: dict[CaseKind, Procedure] = {
    CaseKind.SITE: site,
    CaseKind.CALL: call,
    CaseKind.PROJECT: project,
    CaseKind.NOTICE: notice,
    CaseKind.CAMPAIGN: campaign,
    CaseKind.INSPECTION: inspection,
    CaseKind.ANNUAL_EVALUATION: annual_evaluation,
    CaseKind.JOINT_MEETING: joint_meeting,
    CaseKind.RESOLUTION: resolution,
    CaseKind.SERVICE_ORDER: service_order,
    CaseKind.SITE_CHANGE: site_change,
}
