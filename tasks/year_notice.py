"""What the public notice of a year's results says: sites and villages by rank, points, grade and what they earn."""

from collections.abc import Iterator, Sequence

from sqlalchemy import select

from models.case import Case
from models.evaluation import EvaluationResult, YearEvaluation
from models.notice import Notice
from models.work_item import WorkItem
from policies.vocabulary import NoticeKind
from rules.periods import shanghai_day
from runtime.resources import edition_of
from tasks.act import Act
from tasks.history import SYSTEM, append
from tasks.mail import chinese_date, office_of
from tasks.notices import NoticeItem, open_notice
from tasks.year_results import evaluation_of, results_of, rules_of
from tasks.year_words import award_of, graded, site_line, village_line


def publish(act: Act, case: Case, item: WorkItem) -> Case:
    """
    Publish the notice of the results; safe to repeat because a round publishes one (D0-R14, D2-R10).

    Args:
        case: the evaluation, locked.
        item: the gate RESULTS_NOTICE that opens; its round tells a notice from the one before.

    Returns:
        The notice's case.
    """
    evaluation = evaluation_of(act.session, case)
    found = results_of(act.session, evaluation)
    sites = [each for each in found if each.site is not None]
    villages = [each for each in found if each.site is None]
    again = f"（第{item.round}次）" if item.round > 1 else ""
    notice = open_notice(
        act,
        parent=case,
        unit=case.unit,
        edition=case.edition,
        kind=NoticeKind.EVALUATION,
        title=f"{case.title}结果的公示{again}",
        text="\n".join(_paragraphs(case, evaluation, sites, villages, again=_again(act, case))),
        items=[
            *(NoticeItem(site_line(case, each), each.site.case_id) for each in sites if each.site is not None),
            *(NoticeItem(village_line(case, each)) for each in villages),
        ],
        contact=office_of(case),
        place=f"{office_of(case)}公示栏",
        key=f"{case.number}:results:{item.round}",
        actor=SYSTEM,
    )
    append(
        act.session,
        case,
        kind="results_noticed",
        actor=SYSTEM,
        summary=f"考核结果(第{evaluation.round}次计算)开始公示{again}:{notice.number}",
        at=act.at,
        data={"notice": notice.number, "round": item.round, "computation": evaluation.round},
    )
    return notice


def _again(act: Act, case: Case) -> str:
    """Return why the results are noticed again; empty the first time."""
    query = select(Notice.id).join(Case, Case.id == Notice.case_id).where(Case.parent_id == case.id)
    return "" if act.session.scalars(query).first() is None else "因异议成立，考核结果已重新计算，再次公示。"


def _paragraphs(
    case: Case,
    evaluation: YearEvaluation,
    sites: Sequence[EvaluationResult],
    villages: Sequence[EvaluationResult],
    *,
    again: str,
) -> Iterator[str]:
    rules = rules_of(case)
    computed = chinese_date(shanghai_day(evaluation.computed_at))
    yield (
        f"根据《{edition_of(case).title}》（{rules.clause or '系统默认规定'}），{office_of(case)}"
        f"按截至{computed}的登记记录，"
        f"对{evaluation.year}年度“{edition_of(case).for_sites.plaque_text}”及所在村（居）进行考核，现将结果予以公示。{again}"
    )
    criteria = "、".join(f"{each.name}{each.points}分" for each in rules.site_criteria)
    yield (
        f"客堂间考核项目：{criteria}。当年没有应办事项的项目，其分值按比例分摊到其他各项；"
        "场次、人次、篇数按当年运行天数折算。"
    )
    yield f"参加考核的客堂间{graded(case, sites)}。同分的名次相同。"
    yield from (f"{site_line(case, each)}。" for each in sites)
    yield f"参加考核的村（居）{len(villages)}个："
    yield from (f"{village_line(case, each)}。" for each in villages)
    yield f"各客堂间拟计入所在村（居）以奖代拨的金额合计{award_of(sites)}，为建议数，以实际拨付为准。"
