"""Why a connection or a file failed, in Chinese: the system and aiosmtplib say it in English."""

import errno
import re
import socket
import ssl

import aiosmtplib

TIMED_OUT = "逾时未答"
_OF_SYSTEM = {
    errno.ECONNREFUSED: "拒绝连接(该端口没有邮件服务,或被防火墙挡住)",
    errno.ENETUNREACH: "网络不通",
    errno.ENETDOWN: "网络不通",
    errno.EHOSTUNREACH: "找不到通往它的网络路径",
    errno.ETIMEDOUT: TIMED_OUT,
    errno.ECONNRESET: "连接被断开",
    errno.ECONNABORTED: "连接被断开",
    errno.EPIPE: "连接被断开",
    errno.EACCES: "没有权限",
    errno.EPERM: "没有权限",
    errno.ENOENT: "不存在",
    errno.EISDIR: "是一个文件夹",
    errno.ENOTDIR: "所在路径中有一处不是文件夹",
    errno.EEXIST: "已有同名的文件",
    errno.ENOSPC: "磁盘已满",
    errno.EDQUOT: "磁盘配额已用完",
    errno.EROFS: "磁盘只读",
}
_OF_CERTIFICATE = {
    9: "证书尚未生效",
    10: "证书已过期",
    18: "证书是自签名的",
    19: "证书链中有自签名的证书",
    20: "证书的签发机构不受信任",
    21: "证书的签发机构不受信任",
    62: "证书与服务器名称不符",
    64: "证书与服务器的 IP 地址不符",
}
"""By OpenSSL's codes of verification."""
_OF_CLIENT = (
    ("STARTTLS extension not supported", "服务器不支持 STARTTLS"),
    ("AUTH extension is not supported", "服务器不支持登录"),
    ("No suitable authentication method", "服务器没有可用的登录方式"),
)
"""What aiosmtplib says without a reply of the server."""


def reason_of(error: BaseException) -> str:
    """Return why it failed; what is known by its name only is called by it."""
    # aiosmtplib wraps what the system said, which says more.
    return _reason(error.__cause__) or _reason(error) or type(error).__name__


def _reason(error: BaseException | None) -> str:
    match error:
        case None:
            return ""
        case ssl.SSLCertVerificationError():
            return _OF_CERTIFICATE.get(error.verify_code, f"证书未通过核验(代码 {error.verify_code})")
        case ssl.SSLError():
            return f"加密无法建立({error.reason or '原因不明'})"
        case socket.gaierror():
            return "找不到这个服务器名称"
        case TimeoutError():
            return TIMED_OUT
        case aiosmtplib.SMTPServerDisconnected():
            return "连接被断开"
        case aiosmtplib.SMTPException():
            return next((told for said, told in _OF_CLIENT if said in str(error)), "")
        case OSError():
            # A name with several addresses fails with a text of several numbers.
            numbers = [error.errno] if error.errno else [int(each) for each in re.findall(r"Errno (\d+)", str(error))]
            return ";".join(dict.fromkeys(_OF_SYSTEM.get(each, f"系统错误 {each}") for each in numbers))
        case ValueError():
            return "内容不合规范"
        case _:
            return ""
