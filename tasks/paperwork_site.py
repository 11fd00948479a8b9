"""What the documents of a parlour's case say: application, consent sheet, review form."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case, Consent, SiteApplication
from models.work_item import Decision, WorkItem
from policies.vocabulary import Answer, CombinedWith, Facility, Gate
from rules.consent import tally
from rules.eligibility import examine
from rules.masking import mask_phone
from rules.voting import spoken_share
from runtime.resources import edition_of
from tasks.cases import application_of
from tasks.mail import about_site, chinese_date, deficiencies, due_note, facts_of, warnings_of
from tasks.paperwork_words import Facts, Made, common, day, money, numbered, reached
from tasks.rolls import roll_of

_DECIDED_AT = (Gate.HOUSEHOLD_CONSENT, Gate.VILLAGE_FORWARD, Gate.OFFICE_REVIEW, Gate.CORRECTION)
"""The gates whose decisions belong on the review form."""


def of_application(session: Session, case: Case, made: Made) -> Facts:
    """Return what the application form says: the application of the latest round."""
    application = application_of(session, case)
    return {
        **_site(session, case, made),
        "地址": case.household.address,
        "户主电话": mask_phone(case.household.phone) if case.household.phone else "",
        "轮次": str(application.round),
        "申请日期": day(application.submitted_at),
        "负责人来源": application.leader_source.label,
        "负责人电话": mask_phone(application.leader.phone) if application.leader.phone else "",
        "推荐组织": application.recommended_by,
        "本人意愿": "愿意" if application.leader_agrees else "不愿意",
        "户主意愿": "自愿" if application.household_agrees else "未确认",
        **_room(application),
        "结合建设": "、".join(CombinedWith(code).label for code in application.combined_with) or "无",
        "标准": _standards(application, case),
        **_subsidy(case),
    }


def of_consent(session: Session, case: Case, made: Made) -> Facts:
    """
    Return what the consent sheet says: every household of the frozen roll, with the answers recorded so far (D0-R8).

    Raises:
        Refused: the case has not come to that gate.
    """
    item = reached(session, case, Gate.HOUSEHOLD_CONSENT, missing="尚未征求农户意见,没有农户意见征询签名表可印")
    at_least = edition_of(case).for_sites.gates.household_consent.rule.at_least
    roll = sorted(roll_of(session, item), key=lambda consent: consent.household.number)
    counted = tally({consent.household_id: consent.answer for consent in roll}, at_least=at_least)
    return {
        **_site(session, case, made),
        "轮次": str(item.round),
        "开始日期": day(item.opened_at),
        "截止日期": chinese_date(item.due_on),
        "期限说明": due_note(item),
        "须同意": spoken_share(at_least) + ("" if at_least == 1 else "以上"),
        "户数": str(counted.entitled),
        "同意户数": str(counted.agreeing),
        "不同意户数": str(len(counted.objecting)),
        "未答复户数": str(len(counted.missing)),
        "农户": numbered(
            {
                "户号": consent.household.number,
                "户主": consent.household.head_name,
                "地址": consent.household.address,
                "意见": _boxes(consent),
                "备注": consent.note,
            }
            for consent in roll
        ),
    }


def of_review(session: Session, case: Case, made: Made) -> Facts:
    """
    Return what the review form says: the file as the reviewer sees it, and what was found in the latest round.

    Raises:
        Refused: the case has not come to the review.
    """
    item = reached(session, case, Gate.OFFICE_REVIEW, missing="尚未进入审核,没有审核表可印")
    application = application_of(session, case)
    found = item.decision
    return {
        **_site(session, case, made),
        "申请日期": day(application.submitted_at),
        **_room(application),
        "标准": _standards(application, case),
        "提示": "；".join(warnings_of(application, case)) or "无",
        "待补齐": "、".join(deficiencies(application, case)) or "无",
        "办理": _decisions(session, case),
        "审核决定": found.verdict.label if found else "",
        "审核理由": found.reason if found else "",
        "审核人": _who(found) if found else "",
        "审核日期": day(found.effective_at) if found else "",
        "审核期限": chinese_date(item.due_on),
        **_subsidy(case),
    }


def _site(session: Session, case: Case, made: Made) -> Facts:
    told = about_site(case)
    return {
        **common(case, made),
        "村居": told["village"],
        "小组": told["group"],
        "户号": case.household.number,
        "户主": told["household_head"],
        "负责人": application_of(session, case).leader.display,
        "铭牌": told["plaque_text"],
    }


def _room(application: SiteApplication) -> Facts:
    return {
        "志愿者": f"{application.volunteers}人",
        "面积": f"{application.area_square_metres.normalize():f}平方米",
        "设施": "、".join(Facility(code).label for code in application.facilities) or "无",
        "特色主题": application.speciality,
    }


def _standards(application: SiteApplication, case: Case) -> list[Facts]:
    scheme = edition_of(case).for_sites
    unmet = {finding.code: finding.message for finding in examine(facts_of(application), scheme)}
    return numbered(
        {
            "名称": standard.name,
            "情况": unmet.get(standard.code, "符合"),
            "依据": standard.clause or "系统默认规定",
        }
        for standard in scheme.standards
    )


def _subsidy(case: Case) -> Facts:
    subsidy = edition_of(case).for_sites.subsidy
    return money("补贴", subsidy.amount_yuan * 100) if subsidy else {"补贴": "无", "补贴大写": ""}


def _boxes(consent: Consent) -> str:
    return " ".join(f"{'√' if consent.answer is answer else '□'}{answer.label}" for answer in Answer)


def _decisions(session: Session, case: Case) -> list[Facts]:
    query = (
        select(Decision)
        .join(WorkItem, WorkItem.id == Decision.work_item_id)
        .where(Decision.case_id == case.id, WorkItem.gate.in_(_DECIDED_AT))
        .order_by(Decision.id)
    )
    return [
        {
            "环节": f"{decision.work_item.gate.label}（第{decision.work_item.round}轮）",
            "决定": decision.verdict.label,
            "理由": decision.reason,
            "办理人": _who(decision),
            "日期": day(decision.effective_at),
        }
        for decision in session.scalars(query)
    ]


def _who(decision: Decision) -> str:
    return decision.decided_by.display if decision.decided_by else decision.door.label
