"""Every kind of case finds the deployment that carries it: a wrong name would leave its cases waiting for ever."""

import json
from importlib import import_module

import yaml
from prefect.utilities.callables import parameter_schema

from flows.procedures import PROCEDURES
from flows.waking import DEPLOYMENTS
from policies.vocabulary import CaseKind
from runtime.settings import PROJECT


def named() -> set[str]:
    """Return flow and deployment of every entry of the project file, as the server will know them."""
    entries = yaml.safe_load((PROJECT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    names = set()
    for entry in entries:
        module, _, function = entry["entrypoint"].rpartition(".")
        names.add(f"{getattr(import_module(module), function).name}/{entry['name']}")
    return names


def test_every_kind_of_case_is_carried_by_a_procedure_and_a_deployment_of_the_project_file() -> None:
    assert set(PROCEDURES) == set(DEPLOYMENTS) == set(CaseKind)
    assert set(DEPLOYMENTS.values()) <= named()


def test_a_run_of_a_case_takes_nothing_but_the_case() -> None:
    entries = yaml.safe_load((PROJECT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    carried = {each.partition("/")[2] for each in DEPLOYMENTS.values()}
    for entry in entries:
        if entry["name"] in carried:
            module, _, function = entry["entrypoint"].rpartition(".")
            assert set(getattr(import_module(module), function).parameters.properties) == {"case_number"}


def test_no_form_asks_for_the_type_of_a_field_before_the_field() -> None:
    entries = yaml.safe_load((PROJECT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    for entry in entries:
        module, _, function = entry["entrypoint"].rpartition(".")
        schema = json.dumps(parameter_schema(getattr(import_module(module), function)).model_dump_for_openapi())
        assert "anyOf" not in schema, entry["name"]
        assert '"default": null' not in schema, entry["name"]
