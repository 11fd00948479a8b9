"""The documents name what the product has: no setting, command, word or deployment is left out."""

import re

import pytest
import yaml
from typer.main import get_group

from cli.main import PARTS
from policies import vocabulary
from policies.load import load_all
from policies.vocabulary import Word
from runtime.settings import PROJECT, Settings


def text_of(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def test_the_glossary_has_every_label_of_the_vocabulary() -> None:
    glossary = text_of("docs/glossary.md")
    lists = [each for each in vars(vocabulary).values() if isinstance(each, type) and issubclass(each, Word)]
    missing = {word.label for words in lists for word in words if word.label not in glossary}
    assert len(lists) > 15
    assert not missing


def test_the_readme_names_every_setting_with_its_default() -> None:
    rows = [line for line in text_of("README.md").splitlines() if line.startswith("| `KETANG_")]
    named = {name: row for row in rows for name in re.findall(r"KETANG_[A-Z_]+", row.partition(" | ")[0])}
    assert set(named) == {f"KETANG_{name.upper()}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, str | int) and field.default != "":
            assert f"`{field.default}`" in named[f"KETANG_{name.upper()}"]


@pytest.mark.parametrize(("name", "place"), [(name, place) for name, place, _ in PARTS])
def test_the_readme_names_every_command(name: str, place: str) -> None:
    module, _, attribute = place.partition(":")
    part = getattr(__import__(module, fromlist=[attribute]), attribute)
    commands = get_group(part).commands if hasattr(part, "registered_commands") else {"": None}
    rows = [line for line in text_of("README.md").splitlines() if line.startswith("| `ketang")]
    assert all(any(name in row and command in row for row in rows) for command in commands)


def test_the_offices_guide_names_every_deployment_that_people_start() -> None:
    deployments = yaml.safe_load(text_of("prefect.yaml"))["deployments"]
    guide = text_of("README.zh-CN.md").translate(str.maketrans("（）", "()"))
    assert [each["name"] for each in deployments if each["name"] not in guide] == []


def test_the_changelog_tells_of_every_shipped_edition() -> None:
    changelog = text_of("CHANGELOG.md")
    assert all(f"`{edition}`" in changelog for edition in load_all())
