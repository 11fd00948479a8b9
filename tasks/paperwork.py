"""
The Word documents that people print and sign: which there are, and making one of a case as it stands.

Called by the command line. Nothing is changed in the database; telephone and identity numbers are never printed whole.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from models.case import Case
from policies.errors import Refused
from policies.vocabulary import CaseKind, Word
from rules.masking import mask_text
from rules.periods import shanghai_day
from runtime.resources import Resources
from runtime.settings import Settings
from tasks import (
    paperwork_call,
    paperwork_evaluation,
    paperwork_fields,
    paperwork_meeting,
    paperwork_project,
    paperwork_site,
)
from tasks.archive_audit import archived
from tasks.cases import load_case
from tasks.paperwork_fields import Fields
from tasks.paperwork_template import SHIPPED, check_template, fill_in, template_file
from tasks.paperwork_words import Facts, Made


class DocumentKind(Word):
    """A document that people print and sign."""

    APPLICATION = "application", "申请表"
    CONSENT = "consent", "农户意见征询签名表"
    REVIEW = "review", "审核表"
    NOTICE = "notice", "公示"
    SIGN_IN = "sign_in", "签到表"
    VOTE = "vote", "表决签名表"
    SCORING = "scoring", "评分表"
    SELF_CHECK = "self_check", "自查报告"
    MINUTES = "minutes", "会议纪要"
    EVALUATION = "evaluation", "年度考核结果"


@dataclass(frozen=True)
class Form:
    """A document of one kind of case: its title, its template, the tags in it, and what fills them."""

    title: str
    template: str
    """File name of the template."""
    fields: Fields
    fill: Callable[[Session, Case, Made], Facts]


FORMS: Mapping[tuple[DocumentKind, CaseKind], Form] = {
    (DocumentKind.APPLICATION, CaseKind.SITE): Form(
        "创建申请表", "application.docx", paperwork_fields.APPLICATION, paperwork_site.of_application
    ),
    (DocumentKind.CONSENT, CaseKind.SITE): Form(
        "农户意见征询签名表", "consent.docx", paperwork_fields.CONSENT, paperwork_site.of_consent
    ),
    (DocumentKind.REVIEW, CaseKind.SITE): Form(
        "审核表", "review.docx", paperwork_fields.REVIEW, paperwork_site.of_review
    ),
    (DocumentKind.APPLICATION, CaseKind.PROJECT): Form(
        "微项目申报表", "proposal.docx", paperwork_fields.PROPOSAL, paperwork_project.of_proposal
    ),
    (DocumentKind.NOTICE, CaseKind.NOTICE): Form(
        "公示", "notice.docx", paperwork_fields.NOTICE, paperwork_project.of_notice
    ),
    (DocumentKind.NOTICE, CaseKind.CALL): Form(
        "公示", "notice.docx", paperwork_fields.NOTICE, paperwork_project.of_notice
    ),
    (DocumentKind.SIGN_IN, CaseKind.CALL): Form(
        "签到表", "sign_in.docx", paperwork_fields.SIGN_IN, paperwork_call.of_sign_in
    ),
    (DocumentKind.VOTE, CaseKind.CALL): Form("表决签名表", "vote.docx", paperwork_fields.VOTE, paperwork_call.of_vote),
    (DocumentKind.SCORING, CaseKind.CALL): Form(
        "评分表", "scoring.docx", paperwork_fields.SCORING, paperwork_call.of_scoring
    ),
    (DocumentKind.SELF_CHECK, CaseKind.CALL): Form(
        "自查报告", "self_check.docx", paperwork_fields.SELF_CHECK, paperwork_call.of_self_check
    ),
    (DocumentKind.SIGN_IN, CaseKind.JOINT_MEETING): Form(
        "会议议程和签到表", "meeting_sign_in.docx", paperwork_fields.JOINT_SIGN_IN, paperwork_meeting.of_sign_in
    ),
    (DocumentKind.MINUTES, CaseKind.JOINT_MEETING): Form(
        "会议纪要", "minutes.docx", paperwork_fields.MINUTES, paperwork_meeting.of_minutes
    ),
    (DocumentKind.EVALUATION, CaseKind.ANNUAL_EVALUATION): Form(
        "年度考核结果", "evaluation.docx", paperwork_fields.EVALUATION, paperwork_evaluation.of_evaluation
    ),
}
"""Every document, by its kind and the kind of case it is made of."""

_SHOWN_WHOLE = frozenset({"校验值", "案件编号", "办公电话"})
"""What is nobody's own number: a hash may look like a telephone number, and the office's telephone is public."""


def make_document(
    resources: Resources, kind: DocumentKind, number: str, *, at: datetime, out: Path | None = None, member: str = ""
) -> Path:
    """
    Write a document of a case as it stands, to be printed and signed.

    Args:
        kind: which document.
        number: the case's number.
        at: the moment; its day stands on the document.
        out: the file, never overwritten; None: a new file below the documents folder, in a folder of the case.
        member: of the scoring sheet, only this member's page; empty: everybody's.

    Returns:
        The file.

    Raises:
        Refused: no such document of this kind of case, the case has not come so far, the file is there already, or
            the office's template has a tag that is not known; or the details of the case are in an archive only.
    """
    if member and kind is not DocumentKind.SCORING:
        raise Refused("default", f"只有{DocumentKind.SCORING.label}可以按评审打印,{kind.label}不能;请去掉评审一项")
    if out is not None:
        if out.suffix.lower() != ".docx":
            raise Refused("default", f"文件名须以 .docx 结尾,现为“{out.name}”;请改写文件名")
        if out.exists():
            raise Refused("default", f"已有文件 {out};请换一个文件名,或先把它移走")
    on = shanghai_day(at)
    with resources.database.read() as session:
        case = load_case(session, number, lock=False)
        if (record := archived(session, case.id)) is not None:
            raise Refused(
                "default", f"案件 {case.number} 已归档到 {record.file},不再打印文书;请从归档文件中查看、打印它的案卷"
            )
        form = form_of(kind, case)
        made = Made(on=on, office_phone=resources.settings.office_phone, member=member)
        content = render(resources.settings, form, form.fill(session, case, made))
    path = out or _free(resources.settings.documents_folder / case.number, form.title, on=on)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError as error:
        raise Refused("default", f"已有文件 {path};请换一个文件名,或先把它移走") from error
    return path


def form_of(kind: DocumentKind, case: Case) -> Form:
    """
    Return the document of that kind for this case.

    Raises:
        Refused: there is none; names those that there are.
    """
    form = FORMS.get((kind, case.kind))
    if form is None:
        able = "、".join(f"{each.label}({each.value})" for each, of in FORMS if of is case.kind)
        raise Refused(
            "default",
            f"案件 {case.number} 是“{case.kind.label}”案件,没有{kind.label}可印;可以打印:{able}",
        )
    return form


def render(settings: Settings, form: Form, facts: Facts) -> bytes:
    """Return the document as bytes, by the office's template if it has one."""
    return fill_in(template_file(settings, form.template), fields=form.fields, facts=_masked(facts))


def check_templates(settings: Settings) -> list[tuple[Path, str]]:
    """Return every template in use and what is wrong with it in one Chinese sentence, empty when it is in order."""
    found: dict[Path, str] = {}
    for form in FORMS.values():
        path = template_file(settings, form.template)
        try:
            check_template(path, form.fields)
        except Refused as refusal:
            found[path] = refusal.reason
        else:
            found.setdefault(path, "")
    return list(found.items())


def copy_templates(folder: Path) -> list[Path]:
    """
    Write copies of the shipped templates into a folder, for an office to edit.

    Raises:
        Refused: one of them is there already; none is written.
    """
    shipped = sorted({form.template for form in FORMS.values()})
    if there := [name for name in shipped if (folder / name).exists()]:
        raise Refused("default", f"文件夹 {folder} 中已有{'、'.join(there)},不会覆盖;请换一个文件夹,或先把它们移走")
    folder.mkdir(parents=True, exist_ok=True)
    for name in shipped:
        (folder / name).write_bytes((SHIPPED / name).read_bytes())
    return [folder / name for name in shipped]


def _free(folder: Path, title: str, *, on: date) -> Path:
    """Return a file name nobody uses: an older copy may be filed as proof, and must not change."""
    name, number = f"{title}-{on.isoformat()}", 1
    path = folder / f"{name}.docx"
    while path.exists():
        number += 1
        path = folder / f"{name}-{number}.docx"
    return path


def _masked(value: Any, name: str = "") -> Any:
    """Return the facts with telephone and identity numbers masked, whoever typed them wherever."""
    match value:
        case str():
            return value if name in _SHOWN_WHOLE else mask_text(value)
        case Mapping():
            return {key: _masked(each, key) for key, each in value.items()}
        case list():
            return [_masked(each) for each in value]
        case _:
            return value
