"""The lock is what every machine installs from: it must name the public index only and say what pyproject.toml says."""

import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement

from runtime.settings import PROJECT

PUBLIC_INDEX = "https://pypi.org/simple"
PUBLIC_FILES = "https://files.pythonhosted.org/"


@pytest.fixture(scope="module")
def lock() -> dict[str, Any]:
    return tomllib.loads((PROJECT / "uv.lock").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def itself(lock: dict[str, Any]) -> dict[str, Any]:
    return next(package for package in lock["package"] if package["name"] == "ketang")


def test_every_package_comes_from_the_public_index(lock: dict[str, Any], itself: dict[str, Any]) -> None:
    others = [package for package in lock["package"] if package is not itself]
    assert {package["name"]: package["source"] for package in others} == {
        package["name"]: {"registry": PUBLIC_INDEX} for package in others
    }
    files = [file for package in others for file in [*package.get("wheels", []), package.get("sdist")] if file]
    assert [file["url"] for file in files if not file["url"].startswith(PUBLIC_FILES)] == []
    assert all(file["hash"].startswith("sha256:") for file in files)
    assert itself["source"] == {"editable": "."}


def test_the_lock_knows_every_requirement(itself: dict[str, Any], pyproject: dict[str, Any]) -> None:
    metadata = itself["metadata"]
    wanted = {"": pyproject["project"]["dependencies"], **pyproject["dependency-groups"]}
    locked = {"": metadata["requires-dist"], **metadata["requires-dev"]}
    assert {group: {stated(entry) for entry in entries} for group, entries in locked.items()} == {
        group: {asked(requirement) for requirement in requirements} for group, requirements in wanted.items()
    }, "run `uv lock`"


def stated(entry: dict[str, Any]) -> tuple[str, str, tuple[str, ...]]:
    requirement = Requirement(f"{entry['name']}{entry.get('specifier', '')}")
    return entry["name"], str(requirement.specifier), tuple(sorted(entry.get("extras", [])))


def asked(text: str) -> tuple[str, str, tuple[str, ...]]:
    requirement = Requirement(text)
    return requirement.name.lower().replace("_", "-"), str(requirement.specifier), tuple(sorted(requirement.extras))


@pytest.mark.parametrize(
    ("package", "last"),
    [
        pytest.param("fastapi", "0.151", id="newer ones stop Prefect's server"),
        pytest.param("sqlalchemy", "2.1", id="newer ones stop Prefect's scheduler without a word"),
    ],
)
def test_what_breaks_prefect_is_kept_out(pyproject: dict[str, Any], package: str, last: str) -> None:
    requirements = [Requirement(text) for text in pyproject["project"]["dependencies"]]
    found = next(requirement for requirement in requirements if requirement.name == package)
    assert not found.specifier.contains(last)
