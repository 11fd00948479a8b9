"""An office calls for micro-projects, prolongs the call's window or ends it early, and sums the call up (D2-R8…R11)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select

from models.case import Case
from models.project import Call, CallMember
from models.registry import Person, Unit, holders_below
from models.work_item import Decision, WorkItem
from notifications.call_letters import CallOpened
from policies.errors import Refused
from policies.load import LoadedEdition
from policies.micro_scheme import MicroProjectScheme
from policies.vocabulary import CaseKind, Door, Gate, Role, UnitKind, Verdict
from rules.money import fen_of, in_yuan
from rules.proposals import check_call, kind_of
from rules.scoring import check_panel
from rules.window import spoken_day
from runtime.resources import Resources, edition_of
from tasks import items
from tasks.act import Act, acting
from tasks.call_commands import ChangeWindow, OpenCall, SelfCheck
from tasks.call_projects import counted, load_call
from tasks.call_report import figures
from tasks.cases import Asked, call_of, check_authority, holds_any, person_of
from tasks.deciding import deciding, item_to_decide
from tasks.history import append
from tasks.ledger_posting import LARGEST_FEN
from tasks.mail import about, send, to_person
from tasks.openings import check_in_force, next_number, opened_by, publish


def open_call(resources: Resources, command: OpenCall, *, door: Door, key: str, at: datetime) -> str:
    """
    Open a call (征集) and tell the villages; its window waits from now on (D2-R8, D2-R9).

    Args:
        door: by which door it came.
        key: what opened it; the same key opens one call, however often it is tried.

    Returns:
        The call's number.

    Raises:
        Refused: the edition is none of micro-projects or not in force, or the office, area, kinds, window, budget or
            panel do not meet it; names the value and the clause.
    """
    with acting(resources, at=at) as act:
        if (known := opened_by(act.session, key)) is not None:
            return known.number
        loaded = _edition(resources, command.edition, act.day)
        scheme = loaded.edition.for_projects
        unit = _unit(act, command.unit)
        # Asked again under a lock: the same key may have come in twice at once.
        act.session.get_one(Unit, unit.id, with_for_update={"of": Unit}, populate_existing=True)
        if (known := opened_by(act.session, key)) is not None:
            return known.number
        by = person_of(act.session, command.by)
        _check_office(act, by, unit, scheme)
        _check_window(command, scheme, act.day)
        kinds, budget = _kinds(command, scheme), _budget(command, scheme)
        panel = _panel(act, command, scheme)
        published = publish(act.session, loaded, at=at)
        case = Case(
            number=next_number(act.session, scheme.call_prefix, act.day.year),
            kind=CaseKind.CALL,
            edition_id=published.id,
            edition_sha256=published.sha256,
            opening_key=key,
            title=command.title,
            unit_id=unit.id,
            year=act.day.year,
            opened_at=at,
        )
        act.session.add(case)
        act.session.flush()
        call = Call(
            case_id=case.id,
            purpose=command.purpose,
            opens_on=command.opens_on,
            closes_on=command.closes_on,
            kinds=kinds,
            budget_fen=budget,
            contact=command.contact,
            place=command.place,
        )
        act.session.add(call)
        act.session.add_all(CallMember(case_id=case.id, person_id=each.id, in_meeting=False) for each in panel)
        act.session.flush()
        append(
            act.session,
            case,
            kind="case_opened",
            actor=by.display,
            summary=f"{unit.name}征集微项目“{case.title}”,申报期{spoken_day(call.opens_on)}至{spoken_day(call.closes_on)},"
            f"预算{in_yuan(budget)},评审组{len(panel)}人",
            at=at,
            data={
                "door": door.value,
                "edition": published.id,
                "sha256": published.sha256,
                "opens_on": call.opens_on.isoformat(),
                "closes_on": call.closes_on.isoformat(),
                "kinds": kinds,
                "budget_fen": budget,
                "panel": [each.id for each in panel],
            },
        )
        # Not left to the first run: the window must end by itself also while Prefect is away.
        items.create(act, case, Gate.CALL_WINDOW, 1, last=call.closes_on)
        _tell_villages(act, case, call, change="")
        return case.number


def _edition(resources: Resources, name: str, today: date) -> LoadedEdition:
    loaded = resources.editions.get(name)
    if loaded is None or loaded.edition.micro_project is None:
        known = "、".join(sorted(each for each, one in resources.editions.items() if one.edition.micro_project))
        fault = "没有这份政策" if loaded is None else f"《{loaded.edition.title}》不是微项目的政策"
        raise Refused("default", f"适用政策“{name}”:{fault},可填:{known}")
    check_in_force(loaded, today)
    return loaded


def _unit(act: Act, code: str) -> Unit:
    units = act.session.scalars(select(Unit).where((Unit.code == code) | (Unit.name == code))).all()
    unit = next((each for each in units if each.code == code), units[0] if len(units) == 1 else None)
    if unit is None:
        found = f"有{len(units)}个单位名为“{code}”" if units else f"没有单位“{code}”"
        raise Refused("default", f"登记簿中{found},请填写镇(街道)或村(居)的编码")
    if unit.kind not in (UnitKind.TOWN, UnitKind.VILLAGE):
        raise Refused("default", f"{unit.name}是{unit.kind.label},微项目由镇(街道)或村(居)征集;请改填其编码")
    return unit


def _check_office(act: Act, by: Person, unit: Unit, scheme: MicroProjectScheme) -> None:
    roles = {Role.OFFICE_REVIEWER, Role.OFFICE_HEAD, scheme.gates.call_window.decided_by}
    if not holds_any(act.session, by, roles, unit.lineage(), on=act.day):
        able = "、".join(role.label for role in Role if role in roles)
        raise Refused(
            scheme.gates.call_window.where, f"{by.display}不能为{unit.name}开启征集:须由其{able}办理;请改由他们办理"
        )


def _check_window(command: OpenCall, scheme: MicroProjectScheme, today: date) -> None:
    if command.closes_on < command.opens_on:
        raise Refused(
            scheme.call.where,
            f"申报末日{spoken_day(command.closes_on)}早于首日{spoken_day(command.opens_on)},请改正",
        )
    if command.opens_on < today:
        raise Refused(
            scheme.call.where,
            f"申报首日{spoken_day(command.opens_on)}已经过去,须为{spoken_day(today)}或以后;请改正",
        )
    check_call((command.closes_on - command.opens_on).days + 1, scheme.call)


def _kinds(command: OpenCall, scheme: MicroProjectScheme) -> list[str]:
    if not command.kinds:
        return [each.code for each in scheme.kinds]
    found = {name: kind_of(name, scheme) for name in command.kinds}
    if unknown := [name for name, kind in found.items() if kind is None]:
        choices = "、".join(each.name for each in scheme.kinds)
        raise Refused(scheme.kinds[0].where, f"没有“{'、'.join(unknown)}”这一类,可选:{choices}")
    wanted = {kind.code for kind in found.values() if kind is not None}
    return [each.code for each in scheme.kinds if each.code in wanted]


def _budget(command: OpenCall, scheme: MicroProjectScheme) -> int:
    budget = fen_of(command.budget_yuan)
    if not 0 < budget <= LARGEST_FEN:
        raise Refused("default", f"预算总额为{in_yuan(budget)},须大于0元,不超过{in_yuan(LARGEST_FEN)};请改正")
    limits = [each.amount_yuan for each in scheme.funds.sources]
    most = sum(limit * 100 for limit in limits if limit is not None)
    if None not in limits and budget > most:
        named = "、".join(f"{each.name}{in_yuan((each.amount_yuan or 0) * 100)}" for each in scheme.funds.sources)
        clauses = ";".join(dict.fromkeys(each.where for each in scheme.funds.sources))
        raise Refused(clauses, f"预算总额{in_yuan(budget)}超过资金来源合计{in_yuan(most)}({named});请减少预算总额")
    return budget


def _panel(act: Act, command: OpenCall, scheme: MicroProjectScheme) -> list[Person]:
    members = {each.id: each for each in (person_of(act.session, text) for text in command.panel)}
    check_panel([each.name for each in members.values()], scheme.screening.scoring)
    return list(members.values())


def _tell_villages(act: Act, case: Case, call: Call, *, change: str) -> None:
    scheme = edition_of(case).for_projects
    letter = CallOpened(
        **about(case),
        purpose=call.purpose,
        kinds=tuple(
            f"{each.name}，每个项目至多{in_yuan(scheme.ceiling_of(each)[0])}"
            for each in scheme.kinds
            if each.code in call.kinds
        ),
        who=_who(scheme.proposers.roles),
        opens_on=call.opens_on,
        closes_on=call.closes_on,
        budget_fen=call.budget_fen,
        contact=call.contact,
        change=change,
    )
    to = holders_below(act.session, Role.VILLAGE_RESPONSIBLE, case.unit, on=act.day)
    send(act, case, letter, [to_person(each) for each in to], event=f"call-{call.closes_on.isoformat()}")


def _who(roles: Sequence[Role]) -> str:
    return f"{'、'.join(each.label for each in roles)}可以提议" if roles else "登记簿中的居民都可以提议"


def change_window(
    resources: Resources, command: ChangeWindow, *, door: Door, at: datetime, asked: Asked | None = None
) -> Decision | None:
    """
    Prolong the window of a call to a later last day, or end it now (D2-R9).

    Args:
        asked: the form it came in on; None: by another door.

    Returns:
        The decision that ended the window; None when it was prolonged.

    Raises:
        Refused: the window does not stand open, the person may not, the new day is not later, or the window would be
            shorter or longer than the edition says.
    """
    with deciding(resources, at=at) as act:
        case = load_call(act.session, command.case)
        item = item_to_decide(act, case, asked, Gate.CALL_WINDOW)
        by = person_of(act.session, command.by)
        check_authority(act.session, item, by, on=act.day)
        call = call_of(act.session, case)
        last = command.closes_on or act.day
        rule = edition_of(case).for_projects.call
        if command.closes_on is not None and command.closes_on <= call.closes_on:
            raise Refused(
                rule.where,
                f"新的申报末日{spoken_day(command.closes_on)}须晚于原定的{spoken_day(call.closes_on)};"
                "提前结束请不填新的申报末日",
            )
        if last < call.opens_on:
            raise Refused(rule.where, f"申报自{spoken_day(call.opens_on)}起,尚未开始,不能提前结束;不再征集的请撤回征集")
        check_call((last - call.opens_on).days + 1, rule)
        before, call.closes_on = call.closes_on, last
        if command.closes_on is not None:
            _prolong(act, case, item, before=before, last=last, by=by, reason=command.reason)
            _tell_villages(act, case, call, change=command.reason)
            return None
        return items.close(
            act,
            item,
            Verdict.ENDED,
            by=by,
            door=door,
            reason=f"提前结束:{command.reason}",
            details={"proposals": counted(act.session, case), "planned": before.isoformat()},
        )


def _prolong(act: Act, case: Case, item: WorkItem, *, before: date, last: date, by: Person, reason: str) -> None:
    items.prolong(act, item, last)
    append(
        act.session,
        case,
        kind="window_prolonged",
        actor=by.display,
        summary=f"征集期由{spoken_day(before)}延长至{spoken_day(last)}({(last - before) // timedelta(days=1)}日),"
        f"理由:{reason}",
        at=act.at,
        data={"work_item": item.id, "before": before.isoformat(), "closes_on": last.isoformat(), "reason": reason},
    )


def self_check(
    resources: Resources, command: SelfCheck, *, door: Door, at: datetime, asked: Asked | None = None
) -> Decision:
    """
    Take the office's self-check report (自查报告) with the figures of this moment; the call ends with it (D2-R11).

    Raises:
        Refused: the call does not wait for it, or the person may not.
    """
    with deciding(resources, at=at) as act:
        case = load_call(act.session, command.case)
        item = item_to_decide(act, case, asked, Gate.SELF_CHECK)
        by = person_of(act.session, command.by)
        check_authority(act.session, item, by, on=act.day)
        return items.close(
            act,
            item,
            Verdict.COMPLETED,
            by=by,
            door=door,
            reason=f"达成情况:{command.attainment}",
            details={
                "attainment": command.attainment,
                "problems": command.problems,
                "next_steps": command.next_steps,
                "figures": figures(act.session, case).as_data(),
            },
        )
