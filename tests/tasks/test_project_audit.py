"""What was changed in a call or a project behind the product's back is named (D2-R9, D2-R11)."""

import pytest
from sqlalchemy import text

from policies.vocabulary import Gate, Verdict
from tasks.history import verify
from tests.calls import LINPING, OpenCallTown
from tests.desks import OpenTown
from tests.projects import EDITIONS, confirmed
from tests.township import Township

CALL = [
    ("UPDATE scores SET points = 0", "项目 LPX-2022-0001 的评分与办理记录不符"),
    ("DELETE FROM scores", "项目 LPX-2022-0001 的评分与办理记录不符"),
    ("UPDATE meeting_votes SET in_favour = 1", "表决结果与办理记录不符"),
    ("DELETE FROM meeting_votes", "的表决结果已被删除"),
    ("UPDATE call_members SET signed_in_at = NULL", "签到与办理记录不符"),
    ("DELETE FROM interests", "回避与办理记录不符"),
    ("UPDATE calls SET budget_fen = budget_fen + 1", "预算或类别与办理记录不符"),
    ("UPDATE projects SET in_favour = in_favour + 1", "调研份数与各号登记的合计不符"),
    ("UPDATE projects SET amount_fen = amount_fen + 1", "申报内容与办理记录不符"),
    ("UPDATE projects SET score = '100/1'", "评分与筛选记录不符"),
    ("UPDATE projects SET rank = 7", "遴选情况或名次与办理记录不符"),
    ("UPDATE projects SET standing_because = '领导同意'", "遴选情况或名次与办理记录不符"),
]
PROJECT = [
    ("UPDATE plans SET content = '改建停车场'", "方案与提交时的记录不符"),
    ("UPDATE budget_lines SET name = '餐费' WHERE seq = 1", "方案与提交时的记录不符"),
    ("UPDATE milestones SET due_on = '2030-01-01'", "方案与提交时的记录不符"),
    ("UPDATE panel_results SET points_total = 1", "评估结果与办理记录不符"),
    ("DELETE FROM panel_results", "办理记录中的评估结果已被删除"),
    ("UPDATE progress_records SET percent = 100", "进展与办理记录不符"),
    ("UPDATE projects SET grade = 'excellent'", "核定金额或评估结果与办理决定不符"),
]


def faults(town: Township) -> str:
    with town.resources.database.read() as session:
        return "\n".join(str(fault) for fault in verify(session))


def changed(town: Township, statement: str) -> str:
    assert faults(town) == ""
    with town.resources.database.write() as session:
        session.execute(text(statement))
    return faults(town)


def screened(open_town: OpenCallTown) -> Township:
    town = open_town(LINPING)
    numbers = town.to_screening({"长廊": {}, "路灯": {"proposer": "DLH1", "village": "LH"}})
    town.screen(interests=[{"project": numbers["路灯"], "member": "P045", "reason": "亲属"}])
    town.meet(dict.fromkeys(numbers.values(), (9, 0, 0)))
    town.score({numbers["长廊"]: 90})
    town.score({numbers["路灯"]: 80}, members=["P041", "P042", "P043"])
    town.complete_screening()
    return town


@pytest.mark.parametrize(("statement", "told"), CALL)
def test_a_call_changed_behind_the_products_back_is_named(
    call_town_on_sqlite: OpenCallTown, statement: str, told: str
) -> None:
    assert told in changed(screened(call_town_on_sqlite), statement)


def test_a_call_is_sound_and_a_changed_score_is_named_on_both_databases(open_call_town: OpenCallTown) -> None:
    assert "的评分与办理记录不符" in changed(screened(open_call_town), "UPDATE scores SET points = 0")


@pytest.mark.parametrize(("statement", "told"), PROJECT)
def test_a_project_changed_behind_the_products_back_is_named(open_sqlite: OpenTown, statement: str, told: str) -> None:
    assert told in changed(evaluated(open_sqlite), statement)


def test_a_project_is_sound_and_a_changed_plan_is_named_on_both_databases(open_town: OpenTown) -> None:
    assert "方案与提交时的记录不符" in changed(evaluated(open_town), "UPDATE plans SET content = '改建停车场'")


def evaluated(open_town: OpenTown) -> Township:
    projects = confirmed(open_town(LINPING, EDITIONS[LINPING]))
    projects.to_gate(Gate.MILESTONE)
    projects.progress()
    projects.finish_steps()
    projects.decide(Verdict.ACCEPTED, by=projects.acceptor(), proof="验收单.pdf")
    projects.evaluate({"居民评议": (10, 900), "专家评议": (3, 200)})
    projects.evaluate({"专家评议": (3, 180)}, complete=True)
    return projects.town
