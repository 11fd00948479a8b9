"""What a page says of a public notice, as labelled rows; its objections with their contacts masked."""

from datetime import date

from sqlalchemy.orm import Session

from models.case import Case
from policies.vocabulary import ObjectionChannel
from tasks.cases import notice_of
from tasks.mail import chinese_date
from tasks.notice_mail import line_of, masked_contact, objections_of

Rows = tuple[tuple[str, str], ...]


def of_notice(session: Session, case: Case) -> Rows:
    """Return the facts of a notice: what it says, where, until when, what was objected."""
    notice = notice_of(session, case)
    rows = [
        ("公示类别", f"{notice.kind.label}(第{notice.edition}次公示)"),
        ("公示内容", notice.text),
        ("公示事项", ";".join(f"{n}. {item['label']}" for n, item in enumerate(notice.items, start=1)) or "—"),
        ("公示期", notice.period),
        ("公示至", f"{chinese_date(notice.ends_on)}24时"),
    ]
    rows += [
        (
            f"第{n}次延期",
            f"由{chinese_date(date.fromisoformat(each['from']))}至{chinese_date(date.fromisoformat(each['to']))},"
            f"{each['by']}:{each['reason']}",
        )
        for n, each in enumerate(notice.prolonged, start=1)
    ]
    rows += [
        ("公示地点", notice.place),
        ("联系方式", notice.contact),
        ("异议方式", "、".join(ObjectionChannel(code).label for code in notice.channels)),
        ("公示网页", notice.page),
        ("内容摘要", notice.sha256),
    ]
    for each in objections_of(session, notice):
        contact = f";联系方式:{masked_contact(each.contact)}" if each.contact else ""
        rows.append((f"异议{each.seq}", f"{line_of(notice, each)}。内容:{each.content}{contact}"))
        if each.finding is not None:
            rows.append((f"异议{each.seq}认定", f"{each.finding.label}:{each.reasons}"))
    return tuple(rows)
