"""Why a stack does not start: a taken home, a busy port, a password that can not be, a disk or a server that fails."""

import errno
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from models.engine import BadAddress, NoDatabase, NoFolder
from runtime.asking import SERVER_FAILED
from runtime.homelock import HomeTaken
from runtime.settings import Settings

DATABASE_FAILED = (NoDatabase, BadAddress, DBAPIError)
"""What the use of a database may come to; `why_unusable` tells whether the database is to blame."""
UNKNOWN_TO_SQLITE = ("no such table", "no such column", "table ")  # the last: "… has no column named …"
UNKNOWN_TO_POSTGRESQL = {"42P01", "42703"}
MEANINGS = {
    "file is not a database": "这个文件不是数据库",
    "unable to open database file": "打不开这个文件",
    "readonly database": "只能读,不能写",
    "disk is full": "磁盘已满",
    "disk I/O error": "磁盘读写出错",
    "malformed": "文件已损坏",
    "is locked": "被别的程序占用",
    "password authentication failed": "用户或密码不对",
    "no password supplied": "没有写密码",
    "Connection refused": "数据库服务器没有运行,或地址、端口不对",
    "No such file or directory": "数据库服务器没有运行,或地址不对",
    "failed to resolve host": "找不到这台主机",
    "does not exist": "没有这个数据库或用户",
    "timeout": "数据库服务器没有应答",
}
"""What databases say, and what it means to an office."""


class StackFailed(Exception):
    """
    The stack could not start, or one of its processes died, or a command has no database. Shown to the person as it is.

    Args:
        reason: Chinese sentences that say what to do next.
    """


@contextmanager
def failures_told(settings: Settings) -> Iterator[None]:
    """Within the block, what the system, the database or the server fails with becomes a StackFailed."""
    home = settings.home
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
    except DATABASE_FAILED as error:
        if (reason := why_unusable(error, settings)) is None:
            raise
        raise StackFailed(reason) from error


def why_unusable(error: Exception, settings: Settings) -> str | None:
    """
    Return why the business database can not be used, in Chinese, without its password.

    Args:
        error: one of DATABASE_FAILED.
        settings: name the database.

    Returns:
        One or two sentences that say what to do; None: the database is not to blame, it is a mistake of ours.
    """
    match error:
        case BadAddress():
            return (
                "KETANG_DATABASE_URL 不是能用的数据库地址。PostgreSQL 写作 postgresql+psycopg://用户:密码@主机/数据库"
                "(密码里的 @、:、/ 写作 %40、%3A、%2F);用 SQLite 不必设置。"
            )
        case NoDatabase() if isinstance(error, NoFolder) or (settings.database_url and not error.path.parent.exists()):
            return f"文件夹不存在:{error.path.parent}。请检查 KETANG_DATABASE_URL;地址无误的,请先建立这个文件夹。"
        case NoDatabase():
            return _not_built(settings)
        case DBAPIError() if _is_unknown(error):
            return _behind(settings)
        case IntegrityError() | DataError():
            return None
        case ProgrammingError() if error.statement is not None:
            return None
        case _:
            return _told_by(error)


def _told_by(error: Exception) -> str:
    said = next(iter(str(getattr(error, "orig", error)).splitlines()), "")
    meaning = next((chinese for english, chinese in MEANINGS.items() if english in said), said)
    return f"业务数据库不能使用({meaning})。请检查数据库是否在运行、磁盘空间和权限,以及 KETANG_DATABASE_URL。"


def _is_unknown(error: DBAPIError) -> bool:
    """Whether a table or a column is asked for that is not there."""
    state = getattr(error.orig, "sqlstate", None)
    return state in UNKNOWN_TO_POSTGRESQL if state else str(error.orig).startswith(UNKNOWN_TO_SQLITE)


def _not_built(settings: Settings) -> str:
    where = "KETANG_DATABASE_URL 所指的" if settings.database_url else f"数据文件夹 {settings.home} 中的"
    return (
        f"{where}数据库还没有建立,请先运行 ketang up(或 ketang db upgrade)。"
        "已在别处建立的,请到安装客堂的文件夹里运行,或用 KETANG_HOME 指明数据文件夹。"
    )


def _behind(settings: Settings) -> str:
    from migrations import run  # not above: it takes as long to import as a command to run

    try:
        missing, known = run.pending(settings.database), run.known()
    except run.SchemaUnknown as unknown:
        return str(unknown)
    except DATABASE_FAILED as error:
        return _told_by(error)
    if len(missing) == known:
        return _not_built(settings)
    if missing:
        return f"业务数据库还差 {len(missing)} 步升级,请先备份,再运行 ketang up(或 ketang db upgrade)。"
    return "业务数据库缺少数据表或列,被程序以外的人改动过。请用 ketang db check 查明,并从备份恢复。"


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


def refuse_shared_home(home: Path) -> None:
    """Raise StackFailed when the home is a folder of others too: it is closed to them, and they could not work on."""
    home = home.resolve()
    if home in (Path.home(), Path(home.anchor)) or (home.is_dir() and home.stat().st_mode & stat.S_ISVTX):
        raise StackFailed(
            f"数据文件夹 {home} 不是客堂专用的:启动时会收紧它的权限,别的程序就不能用了。"
            "请把 KETANG_HOME 设为单独的文件夹,例如在里面新建的 ketang。"
        )


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
