"""``ketang archive`` from the command line: asked, written, verified, read, taken out; and what lists say then."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli import archive, case, context, ledger, letters
from runtime.resources import Resources
from tests.archives import Ended, forge
from tests.township import HEAD_OF_OFFICE, LEADER, REVIEWER, township


@pytest.fixture
def ended(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ended]:
    """Cases of 2018 in 2024; the commands work on its own resources, opened once."""
    with township(sqlite_url, tmp_path / "home", edition="zhujiajiao-2018", now="2018-10-08 10:00") as town:
        ended = Ended(town)

        @contextmanager
        def opened() -> Iterator[Resources]:
            yield town.resources

        monkeypatch.setattr(context, "open_resources", opened)
        yield ended


def said(app: typer.Typer, *words: str) -> str:
    told = CliRunner().invoke(app, list(words))
    return told.stdout if told.exit_code == 0 else f"{told.exit_code}:{told.output}"


def test_cases_are_archived_and_taken_out(ended: Ended, tmp_path: Path) -> None:
    words = ("make", "--to", str(tmp_path / "a"), "--before", "2024-01-01")
    asked = said(archive.app, *words, "--by", REVIEWER, "--dry-run")
    assert f"可以归档:{ended.rejected}\n" in asked
    assert f"不归档:{ended.listed}  客堂间 {ended.listed}-S 的名册、主题、活动以此案的办理记录为据;有专款台账" in asked
    assert "可以归档的案件3件,不归档的事项1项。" in asked
    assert not (tmp_path / "a").exists()
    assert said(archive.app, *words, "--by", LEADER).startswith("1:未办理:陆负责(P030)无权归档")
    assert said(archive.app, *words, "--by", REVIEWER, "--kind", "会").startswith(
        "1:未办理:没有“会”这种案件,可以写:site"
    )
    assert "可以归档的案件0件,不归档的事项0项。没有写文件。" in said(
        archive.app, *words, "--by", REVIEWER, "--kind", "joint_meeting"
    )

    made = said(archive.app, *words, "--by", REVIEWER)
    (path,) = (tmp_path / "a").glob("*.zip")
    assert f"已归档3件案件:{path}" in made
    assert "核对无误:3件案件。SHA-256 " in said(archive.app, "verify", str(path))
    listed = said(archive.app, "list", str(path))
    assert f"{ended.withdrawn}  客堂间创建" in listed
    assert "已撤回  2018-10-08办结" in listed
    page = tmp_path / "案卷.html"
    assert f"已写出:{page}" in said(archive.app, "show", str(path), ended.rejected, "--out", str(page))
    assert "选址不当" in page.read_text(encoding="utf-8")
    assert "不会覆盖" in said(archive.app, "show", str(path), ended.rejected, "--out", str(page))
    assert "没有案件“X”" in said(archive.app, "show", str(path), "X")

    assert "已移出3件案件的记录" in said(archive.app, "remove", str(path), "--by", HEAD_OF_OFFICE)
    assert "(以前移出的3件,未移出的0件)" in said(archive.app, "remove", str(path), "--by", HEAD_OF_OFFICE)
    audit = typer.Typer()
    audit.add_typer(ledger.audit, name="audit")
    whole = said(audit, "audit", "verify")
    assert "已归档3件,只核对了留存部分;请用归档文件核对:ketang archive verify\n核对无误" in whole
    assert "已归档1件,只核对了留存部分" in said(audit, "audit", "verify", ended.rejected)
    assert said(audit, "audit", "verify", ended.listed).startswith("核对无误")
    assert "没有编号为“X”的案件" in said(audit, "audit", "verify", "X")
    assert "核对无误" in said(ledger.app, "verify")
    assert f"已归档({path.name})" in said(case.app, "show", ended.rejected)
    assert "(已归档)" in said(case.app, "list", "--all")
    told = said(letters.app, "list", "--case", ended.rejected)
    assert f"归档以前的信函在归档文件 {path.name} 中" in told


def test_a_forged_file_is_told_and_takes_nothing_out(ended: Ended, tmp_path: Path) -> None:
    path = ended.written(tmp_path)
    forge(path, {f"cases/{ended.rejected}.html": lambda content: content.replace("选址".encode(), "地址".encode())})
    told = said(archive.app, "verify", str(path))
    assert told.startswith(f"1:案件 {ended.rejected}:案卷 cases/{ended.rejected}.html 与记录不符,已被改动")
    assert "核对有误:1处" in told
    assert "什么也没有移出" in said(archive.app, "remove", str(path), "--by", REVIEWER)
    assert said(archive.app, "list", str(tmp_path / "x.zip")).startswith("1:未办理:没有文件")
