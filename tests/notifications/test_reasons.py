"""Why letters can not leave, in Chinese, of a real network and real files: no word of the library or the system."""

import asyncio
import re
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from notifications.mime import Mailbox, Rendered, pack
from notifications.reasons import reason_of
from notifications.smtp import SmtpTransport
from notifications.transport import FolderTransport, Transport, Unreachable
from policies.errors import Temporary
from tests.notifications.mailserver import MailServer, Mumbling, running

AT = datetime(2026, 2, 3, 1, 0, tzinfo=UTC)
OFFICE = Mailbox(address="shequ@town.example", name="示例镇社区办")
ENGLISH = re.compile(r"[A-Za-z]{3,}")
OUR_WORDS = re.compile(r"KETANG_\w+|STARTTLS|SMTP|/\S+|nowhere\.invalid")


def fault_of(transport: Transport) -> str:
    """Return why a letter does not leave, at once or as it is sent."""
    parcel = pack(
        Rendered("主题", "正文", ""),
        message_id="1@a.example",
        sender=OFFICE,
        to_name="王",
        to_address="w@a.example",
        at=AT,
    )

    async def send() -> None:
        async with transport.open(lambda: None) as channel:
            await channel.send(parcel)

    with pytest.raises(Temporary) as raised:
        asyncio.run(send())
    return str(raised.value)


def smtp(port: int, *, host: str = "127.0.0.1", **more: object) -> SmtpTransport:
    usual: dict[str, object] = {"security": "none", "timeout_seconds": 10}
    return SmtpTransport(OFFICE, host=host, port=port, **(usual | more))  # type: ignore[arg-type]


@pytest.fixture
def mute() -> Iterator[socket.socket]:
    """Somebody who takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_nobody_listens(host: str) -> None:
    told = fault_of(smtp(port := closed_port(), host=host))
    assert told.startswith(f"邮件服务器 {host}:{port} 连接不上:拒绝连接(该端口没有邮件服务,或被防火墙挡住)")
    assert not ENGLISH.search(told.replace(host, ""))


def test_the_server_has_no_such_name() -> None:
    assert fault_of(smtp(25, host="nowhere.invalid")) == "邮件服务器 nowhere.invalid:25 连接不上:找不到这个服务器名称"


def test_the_server_says_nothing(mute: socket.socket) -> None:
    told = fault_of(smtp(mute.getsockname()[1], timeout_seconds=0.2))
    assert told.endswith("连接不上:逾时未答")


def test_the_certificate_is_not_trusted(server_tls: ssl.SSLContext) -> None:
    with running(MailServer(tls=server_tls)) as server:
        told = fault_of(smtp(server.port, security="starttls"))
    assert "无法加密:证书的签发机构不受信任,请检查" in told or "无法加密:证书链中有自签名的证书,请检查" in told
    assert not ENGLISH.search(OUR_WORDS.sub("", told))


def test_the_server_speaks_no_tls() -> None:
    with running(MailServer()) as server:
        tls, starttls = (fault_of(smtp(server.port, security=word)) for word in ("tls", "starttls"))
    assert "无法加密:加密无法建立(" in tls
    assert "与设置不符:服务器不支持 STARTTLS,请检查 KETANG_SMTP_" in starttls


def test_the_server_knows_no_login() -> None:
    with running(MailServer()) as server:
        told = fault_of(smtp(server.port, user="shequ", password="geheim"))
    assert "与设置不符:服务器不支持登录,请检查 KETANG_SMTP_" in told
    assert not ENGLISH.search(OUR_WORDS.sub("", told))


def test_what_is_no_reply_is_told_as_it_is() -> None:
    with running(MailServer(speaker=Mumbling)) as server:
        assert fault_of(smtp(server.port)) == "与邮件服务器的连接中断:服务器的答复无法识别:what?"


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "不存在"), ("no certificate", "其中没有 PEM 格式的证书")],
    ids=["missing", "of something else"],
)
def test_the_certificates_can_not_be_read(content: str | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    assert f"证书文件 {path} 无法读取:{said}" in fault_of(smtp(25, security="tls", ca_file=path))


def test_the_folder_of_letters_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "letters").write_text("a file")
    assert fault_of(FolderTransport(tmp_path / "letters", OFFICE)) == (
        f"信函文件夹 {tmp_path / 'letters'} 无法建立:已有同名的文件,请检查权限"
    )


def test_what_nobody_has_foreseen_is_called_by_its_name() -> None:
    assert reason_of(Unreachable("x")) == "Unreachable"
    assert reason_of(OSError(9999, "strange")) == "系统错误 9999"
    assert reason_of(OSError("Multiple exceptions: [Errno 111] a, [Errno 101] b")).endswith(";网络不通")
    assert reason_of(OSError("strange")) == "OSError"
