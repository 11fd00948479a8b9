"""Why a stack does not start: a taken home, a busy port, a password that can not be, a disk or a server that fails."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import ArgumentError, DBAPIError

from runtime.asking import SERVER_FAILED
from runtime.homelock import HomeTaken
from runtime.settings import Settings


class StackFailed(Exception):
    """
    The stack could not start, or one of its processes died. Shown to the person as it is.

    Args:
        reason: Chinese sentences that say what to do next.
    """


@contextmanager
def failures_told(home: Path) -> Iterator[None]:
    """Within the block, what the system, the database or the server fails with becomes a StackFailed."""
    try:
        yield
    except SERVER_FAILED as error:
        raise StackFailed(
            f"Prefect 服务器没有正常应答({error})。请稍候再启动;仍然如此,请查看服务器那台机器上的日志 server.log。"
        ) from error
    except OSError as error:
        raise StackFailed(
            f"无法读写 {error.filename or home}({error.strerror or error})。"
            f"请检查磁盘空间,以及运行客堂的账户对数据文件夹 {home} 的权限。"
        ) from error
    except DBAPIError as error:
        reason = next(iter(str(error.orig).splitlines()), "")
        raise StackFailed(
            f"业务数据库不能使用({reason})。请检查数据库是否在运行、磁盘空间,以及 KETANG_DATABASE_URL。"
        ) from error
    except (ArgumentError, ImportError) as error:
        # The address may hold a password: it is not repeated.
        raise StackFailed(
            "KETANG_DATABASE_URL 不是能用的数据库地址。PostgreSQL 写作 postgresql+psycopg://用户:密码@主机/数据库;"
            "用 SQLite 不必设置。"
        ) from error


def already_running(home: Path, taken: HomeTaken) -> str:
    """Return why a home that somebody has can not be started again."""
    where = f"(进程 {taken.running.pid},{taken.running.ui_url})" if taken.running else ""
    return (
        f"数据文件夹 {home} 已有一个客堂在运行{where},同一文件夹不能启动两个。"
        "请使用正在运行的那个,或先在它的窗口按 Ctrl-C 停止;要另开一套,请设置 KETANG_HOME 与 KETANG_PORT。"
    )


def free_port(host: str) -> int:
    """Return a port of `host` on which nobody listens; StackFailed when nobody can listen there."""
    try:
        with socket.create_server((host, 0), family=_family(host)) as probe:
            return int(probe.getsockname()[1])
    except (OSError, UnicodeError) as error:
        raise StackFailed(_no_address(host, error)) from None


def _no_address(place: str, error: OSError | UnicodeError) -> str:
    return f"无法监听 {place}({getattr(error, 'strerror', None) or error})。请检查 KETANG_HOST。"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def refuse_unusable_password(settings: Settings) -> None:
    """Raise StackFailed when the password is one that Prefect's server can not compare."""
    secret = settings.prefect_auth.get_secret_value()
    user, colon, password = secret.partition(":")
    # Prefect's server compares it as ASCII, and answers 500 to everything otherwise.
    if secret and not (user and colon and password and secret.isascii() and secret.isprintable()):
        raise StackFailed("KETANG_PREFECT_AUTH 须写作 用户名:密码,只用英文字母、数字和英文符号。请改正后再启动。")


def refuse_busy_port(settings: Settings) -> None:
    """Raise StackFailed when nobody can listen on the port."""
    try:
        socket.create_server((settings.host, settings.port), family=_family(settings.host)).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = (
                f"端口 {settings.port} 已被别的程序占用。请停止那个程序,或换一个端口再启动,"
                f"例如:KETANG_PORT={settings.port + 1} ketang up(KETANG_PORT=0 表示任选一个空闲端口)。"
            )
        elif error.errno == errno.EACCES:
            reason = f"没有权限使用端口 {settings.port}。请用 KETANG_PORT 换一个 1024 以上的端口。"
        else:
            reason = _no_address(f"{settings.host}:{settings.port}", error)
        raise StackFailed(reason) from None
    except UnicodeError as error:
        raise StackFailed(_no_address(settings.host, error)) from None
