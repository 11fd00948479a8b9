"""What a person reads before the fields of a Resume form, whichever UI shows it."""

from uuid import uuid4

from flows.forms import LONGEST, form_for
from policies.vocabulary import Gate, Verdict
from tasks.asks import claim_run, new_ask, use_up
from tasks.case_file import case_file
from tests.desks import OpenTown
from tests.inspections import inspections, open_campaign
from tests.parlours import add_site
from tests.township import REVIEWER, Township

EXAMPLE, MONDAY = "example-2026", "2026-03-02 10:00"


def first_field(town: Township, number: str) -> list[str]:
    """Return the paragraphs at the first field of the form that waits."""
    file = case_file(town.resources, number, at=town.now())
    assert file.awaited is not None
    properties = form_for(town.resources, file, file.awaited).model_json_schema()["properties"]
    assert next(iter(properties)) == "by"
    return str(properties["by"]["description"]).split("\n\n")


def refuse(town: Township, number: str, reason: str) -> None:
    """Let an answer at the gate that waits be refused."""
    item = town.item(number)
    assert item is not None
    ask = new_ask(town.resources, item.id, claim_run(town.resources, number, str(uuid4())), at=town.now())
    assert ask is not None
    use_up(town.resources, ask.id, at=town.now(), refusal=reason)


def test_the_first_field_says_why_the_last_answer_was_refused_and_what_is_asked_until_when(
    open_town: OpenTown,
) -> None:
    town = open_town(EXAMPLE, MONDAY)
    number = town.apply()
    asked, where = first_field(town, number)
    assert asked.startswith(f"{number}“农户同意”(第1轮)自2026年3月2日起办理,期限至2026年")
    assert where.endswith("Artifacts 中的案卷。")
    town.everybody_agrees()
    town.decide(Verdict.FORWARDED, by=town.forwarder())
    town.decide(Verdict.RETURNED, by=REVIEWER, reason="请补照片")
    refuse(town, number, "志愿者队伍现有0人,应为1人以上")
    refused, asked, before, _ = first_field(town, number)
    assert refused == "⚠️ 上次提交未被接受:志愿者队伍现有0人,应为1人以上。"
    assert asked.startswith(f"{number}“补正”(第1轮)自2026年3月2日起办理,期限至")
    assert before == "上一步“社区办审核”(第1轮):退回补正,理由:请补照片。"


def test_a_day_gone_by_is_said_and_a_long_reason_is_cut(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, MONDAY)
    number = town.apply()
    town.everybody_agrees()
    town.decide(Verdict.FORWARDED, by=town.forwarder())
    town.decide(Verdict.RETURNED, by=REVIEWER, reason="请补充" * 100)
    assert town.gate(number) is Gate.CORRECTION
    _, before, _ = first_field(town, number)
    assert before.endswith("请补…")
    assert len(before) == LONGEST + len("上一步")
    town.resubmit()
    item = town.item(number)
    assert item is not None
    town.stand_at(item.due_at)
    asked, *_ = first_field(town, number)
    assert "起办理,已逾期,期限至" in asked


def test_a_gate_at_which_another_case_decides_only_expects_a_day(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, MONDAY)
    add_site(town)
    campaign = open_campaign(town)
    assert len(inspections(town, campaign)) == 1
    assert "起办理,预计至2026年" in first_field(town, campaign)[0]
