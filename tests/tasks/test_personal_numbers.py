"""Telephone and identity numbers: refused wherever people type, and nowhere to be found after a whole walk."""

import typing
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from models.registry import Household, Person
from policies.vocabulary import Answer, Verdict
from tasks import commands
from tasks.commands import Command
from tasks.faults import refusal_of
from tests.desks import OpenTown
from tests.township import GROUP_HEAD, HEAD_OF_OFFICE, LEADER, RESPONSIBLE, REVIEWER, SECOND_REVIEWER

NUMBERS = ["13912345678", "139 1234 5678", "021-59240000", "310118195601011234", "１３９１２３４５６７８"]
PHONE, IDENTITY = "13912345678", "310118195601011234"

SOUND: dict[type[Command], dict[str, Any]] = {
    commands.ApplyForSite: {
        "household": "ZD01-001",
        "leader": "P030",
        "leader_source": "村(居)民小组长",
        "recommended_by": "周荡村党支部",
        "volunteers": 12,
        "area_square_metres": "25",
        "confirmations": ["宽敞"],
        "speciality": "编织",
    },
    commands.HouseholdAnswer: {"household": "ZD01-001", "answer": "同意", "note": "书面签字"},
    commands.RecordAnswers: {
        "case": "KT-2026-0001",
        "by": "P020",
        "answers": [{"household": "ZD01-001", "answer": "同意"}],
    },
    commands.WorkRecord: {"point": "挂牌", "done_on": date(2026, 3, 2), "proof": "照片.jpg"},
    commands.Decide: {
        "case": "KT-2026-0001",
        "by": "P001",
        "verdict": "批准",
        "reason": "合格",
        "acknowledged": ["活动空间"],
    },
    commands.Withdraw: {"case": "KT-2026-0001", "by": "P030", "reason": "不办了"},
    commands.Urge: {"case": "KT-2026-0001", "by": "P030", "message": "请抓紧"},
    commands.HandOver: {"case": "KT-2026-0001", "by": "P001", "to": "P002", "reason": "出差"},
    commands.Spend: {
        "case": "KT-2026-0001",
        "by": "P010",
        "purpose": "设施添置",
        "amount_yuan": "10",
        "memo": "购置",
        "proof": "发票.jpg",
    },
}
SOUND[commands.Resubmit] = {**SOUND[commands.ApplyForSite], "case": "KT-2026-0001", "by": "P030"}
SOUND[commands.Resubmit].pop("household")
SOUND[commands.RecordWorks] = {"case": "KT-2026-0001", "by": "P001", "works": [SOUND[commands.WorkRecord]]}


def commands_of_the_product() -> set[type[Command]]:
    found = {each for each in vars(commands).values() if isinstance(each, type) and issubclass(each, Command)}
    return {each for each in found if not any(issubclass(other, each) for other in found - {each})}


def test_every_command_of_the_product_is_tried_here() -> None:
    assert commands_of_the_product() == set(SOUND)
    for model, fields in SOUND.items():
        model.model_validate(fields)


def free_text(model: type[BaseModel]) -> list[str]:
    """Return the fields into which people type text: strings, and lists of them."""
    found = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        inner = typing.get_args(kind)[0] if typing.get_origin(kind) is list else kind
        inner = typing.get_args(inner)[0] if typing.get_origin(inner) is typing.Annotated else inner
        if inner is str:
            found.append(name)
    return found


FIELDS = [(model, name) for model in sorted(SOUND, key=lambda each: each.__name__) for name in free_text(model)]


@pytest.mark.parametrize(("model", "name"), FIELDS)
def test_a_personal_number_in_free_text_is_refused_and_the_field_is_named(model: type[Command], name: str) -> None:
    for number in NUMBERS:
        listed = isinstance(SOUND[model].get(name), list)
        for text in (number, f"电话{number}转"):
            with pytest.raises(ValidationError) as refused:
                model.model_validate(SOUND[model] | {name: [text] if listed else text})
            told = str(refusal_of(refused.value, model))
            assert f"“{model.model_fields[name].title or '案件编号'}" in told, told
            assert number not in told
            assert "请勿填写手机号、电话或身份证号" in told or "不得超过" in told, told


CHOICES = [(commands.Decide, "verdict"), (commands.ApplyForSite, "volunteers"), (commands.WorkRecord, "done_on")]


@pytest.mark.parametrize(("model", "name"), CHOICES)
def test_a_personal_number_in_any_other_field_is_not_repeated(model: type[Command], name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(SOUND[model] | {name: f"{IDENTITY} {PHONE}"})
    told = str(refusal_of(refused.value, model))
    assert str(model.model_fields[name].title) in told
    assert IDENTITY not in told
    assert PHONE not in told


def test_control_signs_are_refused_in_chinese() -> None:
    for sign in ("\x00", "\x1b", "\ud800"):
        with pytest.raises(ValidationError) as refused:
            commands.Decide.model_validate(SOUND[commands.Decide] | {"reason": f"合格{sign}"})
        assert "“理由”含有无法保存的字符" in str(refusal_of(refused.value, commands.Decide))


def test_after_a_whole_walk_no_personal_number_has_left_the_registry(open_town: OpenTown) -> None:
    town = open_town("zhujiajiao-2018", "2018-10-08 10:00")
    with town.resources.database.write() as session:
        for number, household in enumerate(session.query(Household).order_by(Household.id)):
            household.phone, household.id_number = f"1391234{number:04d}", f"31011819560101{number:04d}"
        for number, person in enumerate(session.query(Person).order_by(Person.id)):
            person.phone, person.id_number = f"1371234{number:04d}", f"31011819660101{number:04d}"
    town.set_email(LEADER, None)
    town.apply(volunteers=9)
    town.urge(by=RESPONSIBLE, message="请抓紧")
    town.answer({"ZD01-001": Answer.AGREE, "ZD01-002": Answer.OBJECT}, by=GROUP_HEAD)
    town.pass_until("2018-11-09 10:00")
    town.resubmit(volunteers=9)
    town.everybody_agrees()
    town.decide(Verdict.FORWARDED, by=RESPONSIBLE)
    town.hand_over(by=HEAD_OF_OFFICE, to=SECOND_REVIEWER)
    town.decide(Verdict.APPROVED, by=SECOND_REVIEWER, acknowledged=["志愿者人数"])
    town.finish_works()
    town.finish_subsidy()
    town.spend("10", key="1")

    state = town.state()
    everywhere = "\n".join(
        str(row) for table, rows in state.items() if table not in ("households", "people") for row in rows
    )
    everywhere += "\n".join(
        str(each) + str(each.get_body(("plain",))) + str(each.get_body(("html",))) for each in town.eml()
    )
    everywhere += "\n".join(
        part.get_content() for each in town.eml() for part in each.walk() if part.get_content_maintype() == "text"
    )
    assert "户主1" in everywhere, "the search sees what was written"
    for number in range(8):
        for personal in (
            f"1391234{number:04d}",
            f"1371234{number:04d}",
            f"31011819560101{number:04d}",
            f"31011819660101{number:04d}",
        ):
            assert personal not in everywhere
    assert REVIEWER in everywhere
