"""The forms of a call's gates: what they ask for, and what an answer does."""

from typing import Any

import pytest
from openpyxl import Workbook

from flows.answers import apply
from flows.forms import form_for
from policies.vocabulary import Gate, ProjectStanding, Verdict
from tasks.asks import claim_run, new_ask
from tasks.case_file import as_markdown, case_file
from tasks.cases import Asked
from tests.calls import EXAMPLE, LINPING, REPRESENTATIVES, CallTown, OpenCallTown

OFFICE = "沈审核(P001)"


@pytest.fixture
def town(call_town_on_sqlite: OpenCallTown) -> CallTown:
    """Linping's town with a call and two proposals: it has every gate and a meeting."""
    town = call_town_on_sqlite(LINPING)
    town.open_call()
    town.propose("长廊", amount_yuan="3000")
    town.propose("路灯", proposer="DLH1", village="LH", amount_yuan="2500")
    return town


def form(town: CallTown) -> Any:
    """The form of the gate that waits."""
    file = case_file(town.resources, town.number, at=town.now())
    assert file.awaited is not None
    return form_for(town.resources, file, file.awaited)


def answer(town: CallTown, **filled: Any) -> str:
    """Fill in the form of the gate that waits; the refusal, if there is one."""
    # What people fill in passes the form's own schema first.
    filled = form(town).model_validate({"by": OFFICE} | filled).model_dump(mode="json", include={"by", *filled})
    item = town.item()
    assert item is not None
    ask = new_ask(town.resources, item.id, claim_run(town.resources, town.number, "run"), at=town.now())
    assert ask is not None
    asked = Asked(work_item=item.id, ask=ask.id)
    refusal = apply(town.resources, town.number, item.gate, filled, asked, at=town.now())
    town.rehearsal.carry(town.number)
    return refusal


def named(town: CallTown, title: str) -> str:
    """A proposal as the forms offer it."""
    return f"{town.titled(title)}“{title}”"


def put_sheet(town: CallTown, name: str, rows: list[list[Any]]) -> None:
    """Put a sheet into the documents folder."""
    folder = town.resources.settings.documents_folder
    folder.mkdir(parents=True, exist_ok=True)
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(folder / name)


def test_a_call_is_carried_to_its_notice_by_its_forms_alone(town: CallTown) -> None:
    gates = []

    def seen() -> None:
        made = form(town)
        made.model_validate({})
        schema = made.model_json_schema()
        models = [schema, *schema.get("$defs", {}).values()]
        titles = [field["title"] for model in models for field in model["properties"].values()]
        assert not [title for title in titles if title.isascii()]
        gates.append(town.gate())

    seen()
    assert "到申报末日系统自动结束" in answer(town)
    assert "须填写新的申报末日" in answer(town, action="延长征集", reason="农忙")
    assert "新的申报末日" in answer(town, action="延长征集", closes_on="下周", reason="农忙")
    assert answer(town, action="延长征集", closes_on="2022-05-13", reason="农忙") == ""
    town.end_window()

    seen()
    count = {"project": named(town, "长廊"), "in_favour": 12, "against": 3, "indifferent": 0}
    assert "没有填写调研方式" in answer(town, counts=[count])
    assert answer(town, channel="议事会", counts=[count]) == ""
    correction = count | {"entry": 1, "in_favour": 19, "against": 1, "reason": "抄错"}
    assert answer(town, corrections=[correction]) == ""
    assert "调研还不能完成" in answer(town, complete=True)
    put_sheet(town, "调研.xlsx", [["项目编号", "赞成", "反对", "无所谓"], [town.titled("路灯"), 20, 0, 0]])
    assert answer(town, channel="问卷", sheet="调研.xlsx", complete=True) == ""

    seen()
    members = ["评审甲(P041)", "评审乙(P042)", "评审丙(P043)"]
    criteria = [each.name for each in town.edition().for_projects.screening.scoring.criteria]
    rows = [[town.titled(title), member, 9, 9, 9, 9] for title in ("长廊", "路灯") for member in members]
    put_sheet(town, "评分.xlsx", [["项目编号", "评审人", *criteria], *rows])
    interest = {"project": named(town, "长廊"), "member": "评审丁(P044)", "reason": "亲属"}
    assert answer(town, sheet="评分.xlsx", interests=[interest]) == ""
    votes = [
        {"project": named(town, title), "in_favour": count, "against": 6 - count, "abstained": 0}
        for title, count in (("长廊", 6), ("路灯", 4))
    ]
    offered = form(town).model_json_schema()["properties"]["present"]["items"]["enum"]
    assert len(offered) == len(REPRESENTATIVES)
    assert "筛选还不能完成" in answer(town, present=offered[:6], complete=True)
    assert answer(town, present=offered[:6], votes=votes, complete=True) == ""
    assert town.standings() == {"长廊": ProjectStanding.SELECTED, "路灯": ProjectStanding.NOT_CARRIED}
    assert town.gate() is Gate.SELECTION_NOTICE
    assert gates == [Gate.CALL_WINDOW, Gate.SURVEY, Gate.SCREENING]


def test_a_refused_answer_leaves_nothing_behind(town: CallTown) -> None:
    town.end_window()
    before = town.project(town.titled("长廊")).in_favour
    good = {"project": named(town, "长廊"), "in_favour": 12}
    assert "份数全为0" in answer(town, channel="问卷", counts=[good, {"project": named(town, "路灯")}])
    assert town.project(town.titled("长廊")).in_favour == before == 0


def test_the_office_takes_a_call_back_by_its_form(town: CallTown) -> None:
    assert "须填写理由" in answer(town, withdraw=True)
    assert answer(town, withdraw=True, reason="资金未落实") == ""
    assert town.decisions()[0].verdict is Verdict.WITHDRAWN


def test_a_page_shows_what_is_missing_and_what_a_proposal_waits_for(call_town_on_sqlite: OpenCallTown) -> None:
    town = call_town_on_sqlite(EXAMPLE)
    numbers = town.to_screening({"长廊": {}})
    page = as_markdown(case_file(town.resources, town.number, at=town.now()))
    assert "尚缺" in page
    assert "尚未评分:评审甲" in page
    page = as_markdown(case_file(town.resources, numbers["长廊"], at=town.now()))
    assert f"征集 {town.number} 的“协商筛选”" in page
