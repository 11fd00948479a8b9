"""An office opens the yearly evaluation of its sites and villages, or the year's routine does (D0-R14)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.evaluation import YearEvaluation
from models.registry import Person, Unit
from policies.errors import Refused
from policies.life_scheme import AnnualEvaluation
from policies.load import LoadedEdition
from policies.vocabulary import CaseKind, Door, Role, UnitKind
from rules.periods import shanghai_day
from rules.window import spoken_day
from runtime.resources import Resources
from tasks.act import Act, acting
from tasks.cases import holds_any, person_of
from tasks.history import SYSTEM
from tasks.living import keep, open_case
from tasks.openings import edition_in_use, opened_by
from tasks.year_commands import OpenEvaluation
from tasks.year_figures import Year, sites_in_year


def open_evaluation(resources: Resources, command: OpenEvaluation, *, door: Door, key: str, at: datetime) -> str:
    """
    Open the evaluation of a town's year; its figures are computed with its first gate (D0-R14).

    Args:
        key: what opened it; the same key opens one evaluation, however often it is tried.

    Returns:
        The case's number.

    Raises:
        Refused: no such town, its edition has no evaluation or is not in force, the person is not the office's, the
            year is not over, it was opened before, or no site was listed in it.
    """
    with acting(resources, at=at) as act:
        if (known := opened_by(act.session, key)) is not None:
            return known.number
        town = _town(act.session, command.town)
        # The same year may be opened twice at once, by two people or by the routine.
        act.session.get_one(Unit, town.id, with_for_update={"of": Unit}, populate_existing=True)
        if (known := opened_by(act.session, key)) is not None:
            return known.number
        loaded = edition_in_use(resources, town, at)
        rules = rules_for(loaded, town)
        by = person_of(act.session, command.by)
        roles = {Role.OFFICE_REVIEWER, Role.OFFICE_HEAD, rules.gates.figures_review.decided_by}
        if not holds_any(act.session, by, roles, town.lineage(), on=act.day):
            able = "、".join(role.label for role in Role if role in roles)
            raise Refused(rules.where, f"{by.display}不能为{town.name}开启年度考核:须由其{able}办理;请改由他们办理")
        return open_in(act, town, loaded, command.year, by=by, door=door, key=key).number


def _town(session: Session, text: str) -> Unit:
    wanted = text.strip()
    query = select(Unit).where(Unit.kind == UnitKind.TOWN, (Unit.code == wanted) | (Unit.name == wanted))
    found = session.scalars(query.order_by(Unit.code)).all()
    if len(found) == 1:
        return found[0]
    if found:
        codes = "、".join(each.code for each in found)
        raise Refused("default", f"登记簿中有{len(found)}个镇(街道)名为“{wanted}”,请改填编码:{codes}")
    known = "、".join(
        f"{each.name}({each.code})"
        for each in session.scalars(select(Unit).where(Unit.kind == UnitKind.TOWN).order_by(Unit.code))
    )
    raise Refused("default", f"登记簿中没有镇(街道)“{wanted}”,可填:{known or '(无,请先导入登记簿)'}")


def rules_for(loaded: LoadedEdition, town: Unit) -> AnnualEvaluation:
    """Return the rules of the evaluation by the edition that a town uses; Refused when it has none."""
    rules = loaded.edition.for_sites.evaluation
    if rules is None:
        raise Refused(
            "default", f"{town.name}现行政策《{loaded.edition.title}》没有规定年度考核,不能开启;请在政策中规定后再办"
        )
    return rules


def open_in(
    act: Act,
    town: Unit,
    loaded: LoadedEdition,
    year: int,
    *,
    by: Person | None,
    door: Door,
    key: str,
    due: datetime | None = None,
    late: str = "",
) -> Case:
    """
    Open the case; the town is locked.

    Args:
        by: None: the year's routine.
        due: when the routine should have opened it; None: somebody opens it by hand.
        late: how late that is, as the record says it; empty: it is not late.

    Raises:
        Refused: the year is not over, it was opened before, or it has no sites.
    """
    rules = rules_for(loaded, town)
    if year >= act.day.year:
        raise Refused(
            rules.where,
            f"{year}年尚未结束({spoken_day(act.day)}),不能考核;请在{year + 1}年1月1日以后开启,"
            f"现在可以考核的是{act.day.year - 1}年及以前",
        )
    if (known := case_of_year(act.session, town, year)) is not None:
        ended = f"已办结({known.outcome.label})" if known.outcome is not None else "正在办理"
        raise Refused(
            rules.where,
            f"{town.name}{year}年度考核已于{spoken_day(shanghai_day(known.opened_at))}开启,"
            f"案件编号 {known.number},{ended};每年只考核一次,请在该案件中办理",
        )
    if not sites_in_year(act.session, Year(town=town, year=year, at=act.at, scheme=loaded.edition.for_sites)):
        raise Refused(
            rules.where, f"{town.name}{year}年末没有当年运行过的客堂间,无从考核;请核对年份和名册(ketang site list)"
        )
    late_days = max(0, (act.day - shanghai_day(due)).days) if due is not None else 0
    case = open_case(
        act,
        kind=CaseKind.ANNUAL_EVALUATION,
        loaded=loaded,
        prefix=rules.case_prefix,
        key=key,
        title=f"{town.name}{year}年度客堂间考核",
        unit=town,
        actor=by.display if by is not None else SYSTEM,
        door=door,
        summary=f"开启{town.name}{year}年度考核" + (f"({late})" if late else ""),
        data={"year": year, "due": due.isoformat() if due is not None else None, "late_days": late_days},
    )
    evaluation = YearEvaluation(case_id=case.id, unit_id=town.id, year=year, round=1, computed_at=act.at)
    act.session.add(evaluation)
    keep(act, case, [evaluation], actor=SYSTEM, summary=f"登记{year}年度考核")
    return case


def case_of_year(session: Session, town: Unit, year: int) -> Case | None:
    """Return the case in which a town's year is evaluated; None while it is not."""
    return session.scalars(
        select(Case)
        .join(YearEvaluation, YearEvaluation.case_id == Case.id)
        .where(YearEvaluation.unit_id == town.id, YearEvaluation.year == year)
    ).one_or_none()
