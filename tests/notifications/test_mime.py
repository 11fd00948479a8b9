"""The hand-made message: whatever a strict parser finds in it is what was put in."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notifications.mime import Mailbox, Rendered, checked_address, masked_address, pack
from policies.errors import Permanent

AT = datetime(2026, 3, 4, 1, 2, 3, tzinfo=UTC)
OFFICE = Mailbox(address="shequ@town.example", name="示例镇社区办", reply_to="wen@town.example")
TEXT = st.text(st.characters(codec="utf-8"), max_size=150)


def parsed(subject: str, *, name: str = "王小明", text: str = "您好\n", html: str = "<p>您好</p>\n") -> EmailMessage:
    parcel = pack(
        Rendered(subject, text, html),
        message_id="0b3e-11@town.example",
        sender=OFFICE,
        to_name=name,
        to_address="wang@example.com",
        at=AT,
    )
    message = message_from_bytes(parcel.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert all(len(line) <= 998 for line in parcel.content.split(b"\r\n"))
    assert b"\n" not in parcel.content.replace(b"\r\n", b"")
    return message


def idna(domain: str) -> str:
    return domain.encode("idna").decode("ascii")


def one_line(text: str) -> str:
    """What may stay of a text in a header: control signs and line ends are blanks."""
    kept = "".join(" " if ord(sign) < 32 or 127 <= ord(sign) < 160 or sign in "\u2028\u2029" else sign for sign in text)
    return " ".join(part for part in kept.split(" ") if part)


def test_the_message_is_complete() -> None:
    message = parsed("请审核")
    assert message["Message-ID"] == "<0b3e-11@town.example>"
    assert message["Date"].datetime == AT
    assert message["Date"].datetime.utcoffset().total_seconds() == 8 * 3600
    assert message["From"].addresses[0].addr_spec == "shequ@town.example"
    assert message["From"].addresses[0].display_name == "示例镇社区办"
    assert message["To"].addresses[0].addr_spec == "wang@example.com"
    assert message["Reply-To"].addresses[0].addr_spec == "wen@town.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["MIME-Version"] == "1.0"
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert not [defect for part in message.walk() for defect in part.defects]


@given(subject=TEXT)
@example(subject="征" * 150)
@example(subject="a\r\nBcc: everybody@example.com")
@example(subject="")
@example(subject="=?utf-8?B?xx?=")
def test_any_subject_comes_back_on_one_line(subject: str) -> None:
    message = parsed(subject)
    assert " ".join(part for part in str(message["Subject"]).split(" ") if part) == one_line(subject)
    assert message["Bcc"] is None
    assert message.get_content_type() == "multipart/alternative"


@given(name=TEXT)
@example(name="王" * 100)
@example(name='"王", <x@example.com>')
@example(name="王\r\nBcc: everybody@example.com")
def test_any_name_comes_back_and_the_address_stays_the_only_one(name: str) -> None:
    message = parsed("主题", name=name)
    assert [address.addr_spec for address in message["To"].addresses] == ["wang@example.com"]
    assert message["Bcc"] is None
    # In names, unlike subjects, Python's new parser keeps the blank between two encoded words, against RFC 2047, 6.2.
    raw = next(value for field, value in message.raw_items() if field == "To")
    decoded = str(make_header(decode_header(str(raw).rpartition("<")[0])))
    assert " ".join(part for part in decoded.split(" ") if part) == one_line(name)


@pytest.mark.parametrize("name", ["王小明", "O'Brien, Jr.", '"王"', "王 小明", "社区办(客堂系统)", "a@b.example"])
def test_a_name_of_usual_length_is_shown_as_it_is(name: str) -> None:
    assert parsed("主题", name=name)["To"].addresses[0].display_name == name


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\r")))
@example(text=".\n.\nFrom me\n--=_0b3e-11--\n")
def test_any_body_comes_back(text: str) -> None:
    message = parsed("主题", text=text, html=text)
    for part in message.iter_parts():
        assert part.get_payload(decode=True).decode().replace("\r\n", "\n") == text


@pytest.mark.parametrize(
    "address",
    [
        "",
        "王小明",
        "wang@",
        "@example.com",
        "wang@example.com, li@example.com",
        "wang@example.com\r\nBcc: li@example.com",
        "<wang@example.com>",
        "wang..x@example.com",
        "wang@exam ple.com",
        "王@example.com",
        "wang@示例..中国",
        "wang@示 例.中国",
        "wang@示例\r\nBcc:.中国",
        f"{'w' * 250}@example.com",
    ],
)
def test_what_is_no_address_is_refused_for_good_and_not_repeated_whole(address: str) -> None:
    with pytest.raises(Permanent, match="不合规范") as refused:
        checked_address(address)
    assert address == "" or address not in str(refused.value)


def test_a_chinese_domain_is_written_as_mail_servers_read_it() -> None:
    office = Mailbox(" shequ@示例镇.中国", "社区办", reply_to="fuwu@示例镇。中国")
    assert office.domain == "xn--fsq092htur.xn--fiqs8s"
    parcel = pack(
        Rendered("主题", "", ""),
        message_id="0b3e-11@town.example",
        sender=office,
        to_name="王",
        to_address="wang@周荡.中国",
        at=AT,
    )
    message = message_from_bytes(parcel.content, policy=policy.default)
    assert message["From"].addresses[0].addr_spec == "shequ@xn--fsq092htur.xn--fiqs8s"
    assert message["Reply-To"] == "fuwu@xn--fsq092htur.xn--fiqs8s"
    assert parcel.to_address == message["To"].addresses[0].addr_spec == f"wang@{idna('周荡.中国')}"


@pytest.mark.parametrize(
    "address", ["", "社区办", "社区办@示例镇.中国", "shequ@示例 镇.中国", "shequ@a b", "@a.example"]
)
def test_an_office_without_a_usable_address_has_no_domain(address: str) -> None:
    assert Mailbox(address, "社区办").domain == ""


def test_the_longest_domain_leaves_a_message_id_room_in_its_column() -> None:
    assert 0 < len(Mailbox(f"shequ@{'abc.' * 60}cn", "社区办").domain) <= 160


def test_logs_show_of_an_address_only_its_first_sign_and_the_domain() -> None:
    assert masked_address("wang.xiaoming@example.com") == "w***@example.com"
    assert masked_address("nonsense") == "***"
