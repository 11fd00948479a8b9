"""What an office sees in the list of deployments, and what their forms take."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from models.registry import Person
from runtime.settings import PROJECT
from tests.e2e.live import CARRYING, Office

CHINESE = re.compile(r"[\u4e00-\u9fff]")
LATIN = re.compile(r"[A-Za-z]")


def fields(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every field of a schema, also those of the models in it."""
    for part in (schema, *schema.get("definitions", {}).values()):
        yield from part.get("properties", {}).values()


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_names_descriptions_labels_and_choices_are_chinese(office: Office) -> None:
    deployments = office.ask("POST", "/deployments/filter", {})
    assert {each["name"] for each in deployments} >= {
        "客堂间申请",
        "登记农户同意",
        "办理(决定)",
        "催办、转办、撤回",
        "补贴支出",
        "客堂间办理",
        "期限巡检",
    }
    for each in deployments:
        assert CHINESE.search(each["name"])
        assert not LATIN.search(each["name"])
        assert CHINESE.search(each["description"])
        assert each["enforce_parameter_schema"] is True
        for field in fields(each["parameter_openapi_schema"]):
            assert CHINESE.search(field["title"]), (each["name"], field)
            assert not LATIN.search(field["title"]), (each["name"], field)
            options = [*field.get("enum", []), *field.get("items", {}).get("enum", [])]
            assert all(CHINESE.search(option) and not LATIN.search(option) for option in options), options


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_a_phone_or_an_identity_number_is_refused_before_it_is_kept(office: Office) -> None:
    household = next(office.households)
    with office.resources.database.read() as session:
        person = session.scalars(select(Person).where(Person.code == "P002")).one()
    for deployment, parameters in (
        (
            "site-application/客堂间申请",
            {"application": office.application(household, speciality=f"编织,电话{person.phone}")},
        ),
        (
            "decide/办理(决定)",
            {"entry": {"case": "KT-2026-0001", "by": "P002", "verdict": "批准", "reason": person.id_number}},
        ),
        ("site-lifecycle/客堂间办理", {"case_number": 1}),
    ):
        path = f"/deployments/{office.deployment(deployment)['id']}/create_flow_run"
        status, text = office.refused("POST", path, {"parameters": parameters})
        assert status in {409, 422}, text
        if deployment != CARRYING:
            assert "请勿填写手机号、电话或身份证号" in text


def test_no_module_of_the_flows_hides_a_package_of_ours() -> None:
    packages = {path.parent.name for path in PROJECT.glob("*/__init__.py")}
    assert {"tasks", "models", "rules"} <= packages
    assert packages.isdisjoint(path.stem for path in (PROJECT / "flows").glob("*.py"))
