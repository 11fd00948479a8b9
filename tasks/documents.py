"""Files that belong to cases: kept by where they are and what their bytes are, so that a change is noticed."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from models.case import Case, Document
from models.registry import Person
from policies.errors import Refused
from tasks.audit_rows import AuditFault, in_pages, number_of

_KNOWN = select(Document).where(
    Document.case_id == bindparam("in_case"),
    Document.reference == bindparam("reference"),
    Document.sha256 == bindparam("digest"),
)
_CASE_OF = select(Document.case_id).where(Document.id == bindparam("row"))


def attach(
    session: Session, case: Case, *, folder: Path, reference: str, kind: str, by: Person | None, at: datetime
) -> Document:
    """
    Keep a file of the documents folder as belonging to `case`, with the SHA-256 of its bytes.

    Raises:
        Refused: no such file below `folder`, or an empty one.
    """
    root = folder.resolve()
    path = (root / reference.replace("\\", "/")).resolve()
    if not path.is_relative_to(root) or path == root:
        raise Refused("default", f"材料“{reference}”不在资料文件夹之内,请填写资料文件夹内的文件名")
    if not path.is_file():
        raise Refused("default", f"资料文件夹中没有“{reference}”,请先把文件放入 {root.name} 文件夹再登记")
    content = path.read_bytes()
    if not content:
        raise Refused("default", f"材料“{reference}”是空文件,请重新放入")
    digest = hashlib.sha256(content).hexdigest()
    name = path.relative_to(root).as_posix()
    known = session.scalars(_KNOWN, {"in_case": case.id, "reference": name, "digest": digest}).one_or_none()
    if known is not None:
        return known
    document = Document(
        case_id=case.id,
        kind=kind,
        reference=name,
        sha256=digest,
        size=len(content),
        added_at=at,
        added_by_id=by.id if by else None,
    )
    session.add(document)
    session.flush()
    return document


def changed_documents(session: Session, *, folder: Path, number: str | None = None) -> Iterator[str]:
    """
    Find every document whose file is gone or is no longer what it was when it was filed.

    Args:
        folder: the documents folder.
        number: one case only; None for all.

    Returns:
        One Chinese sentence a document, naming case, table, row and file.
    """
    query = select(Document)
    if number is not None:
        query = query.join(Case, Case.id == Document.case_id).where(Case.number == number)
    for document in in_pages(session, Document, query):
        if isinstance(document, AuditFault):
            number_there = number_of(session, session.scalars(_CASE_OF, {"row": document.row}).one())
            yield str(replace(document, case_number=number_there))
            continue
        where = (
            f"案件 {number_of(session, document.case_id)}:表 documents 第 {document.id} 行:材料“{document.reference}”"
        )
        path = folder / document.reference
        if not path.is_file():
            yield f"{where}已不在资料文件夹中"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != document.sha256:
            yield f"{where}的内容与登记时不同,已被改动"
