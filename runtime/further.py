"""
A further worker: one more for the pool of a stack that runs already, on this machine or on another one.

Used by `ketang worker`. It starts no server and changes no schema; it is a `Stack` without either.
"""

import fcntl
import hashlib
import re
import secrets
import socket
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from migrations import run
from models.engine import address_of
from runtime.asking import SERVER_FAILED
from runtime.children import until
from runtime.homelock import HomeLock, HomeTaken
from runtime.privacy import tighten, tighten_database
from runtime.refusals import StackFailed
from runtime.settings import PROJECT, Settings
from runtime.stack import LOOPBACK, WORKER_NAME, Stack

LOOK_SECONDS = 5
LETTERS = r"\w.-"
"""Of which a worker's name may consist."""
LONGEST_NAME = 60
MARK_FILE = "worker-mark"
HEARTBEAT_SECONDS = 30
"""How often a worker is heard of, where the server does not say."""
HEARTBEAT_SPREAD = 1.3
"""By how much Prefect's worker may be late with it."""
SERVER_AWAY_SECONDS = 60
"""How long the server may be away, as when it is started again, before that is said."""


class FurtherWorker(Stack):
    """
    A worker alone.

    Args:
        settings: `prefect_api_url` names the server; empty: the one of this machine.
        name: tells the workers of the pool apart; empty: by the machine's name. The server knows the worker by it and
            by a mark of this home (`worker_name`, once started).
        project: as for `Stack`.
        say: as for `Stack`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        name: str = "",
        project: Path = PROJECT,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        super().__init__(settings, project=project, say=say)
        here = re.sub(f"[^{LETTERS}]", "-", socket.gethostname())
        self.worker_name = self._called = name or f"{WORKER_NAME}-{here}"[:LONGEST_NAME]
        self._lock = HomeLock(settings.home, file=f"{self._log_name}.lock")

    @property
    def _log_name(self) -> str:
        return f"worker-{self._called}"

    def watch(self) -> None:
        """As `Stack.watch`; a server that is away for a while is told once, and once when it is back."""
        seen, told = time.monotonic(), False
        while True:
            if self.tend():
                if told:
                    self._say("Prefect 服务器已恢复连接。")
                seen, told = time.monotonic(), False
            elif not told and time.monotonic() - seen > SERVER_AWAY_SECONDS:
                self._say(f"连不上 Prefect 服务器 {self.api_url};工作进程会一直重试,请在那台机器上查看 ketang up。")
                told = True
            time.sleep(LOOK_SECONDS)

    def tend(self) -> bool:
        """
        Look after the worker if the server answers; return whether it does.

        What other machines' workers have lost is given up by `ketang up`: by our clock all of it might look old.

        Raises:
            StackFailed: the worker dies again and again although the server answers.
        """
        try:
            if not self._healthy():
                return False
            self.look_after()
        except SERVER_FAILED:
            return False
        except StackFailed:
            if self._healthy():
                raise
            return False
        return True

    def _start(self) -> None:
        settings = self.settings
        refuse_unusable_name(self._called)
        refuse_unreachable_database(settings)
        self.logs.mkdir(parents=True, exist_ok=True)
        self._keep_private(tighten)
        self._say(f"连接 Prefect 服务器:{self.api_url}")
        self._refuse_missing_server()
        self._refuse_other_schema()
        self._keep_private(tighten_database)
        self._refuse_other_folder()
        self._refuse_same_name()
        self._say(f"启动工作进程 {self.worker_name}……")
        self.start_worker()

    def _refuse_missing_server(self) -> None:
        if not self._healthy():
            raise StackFailed(
                f"连不上 Prefect 服务器 {self.api_url}。请先在服务器上运行 ketang up(KETANG_HOST=0.0.0.0,并设密码),"
                "再核对本机的 KETANG_PREFECT_API_URL 与防火墙。"
            )
        try:
            pool = self._ask("GET", f"/work_pools/{self.settings.work_pool}")
        except OSError as error:
            raise StackFailed(
                f"Prefect 服务器 {self.api_url} 不接受本机({error})。请核对 KETANG_PREFECT_AUTH 与服务器上的一致。"
            ) from None
        if pool is None:
            raise StackFailed(
                f"服务器上没有工作池“{self.settings.work_pool}”。请核对 KETANG_WORK_POOL,并先在服务器上运行 ketang up。"
            )

    def _refuse_other_schema(self) -> None:
        try:
            missing = run.pending(self.settings.database)
        except run.SchemaUnknown as unknown:
            raise StackFailed(str(unknown)) from None
        if missing:
            raise StackFailed(
                f"业务数据库还差 {len(missing)} 步升级。请先在服务器上以相同版本运行 ketang up,再启动本机的工作进程。"
            )

    def _refuse_same_name(self) -> None:
        """
        Two workers of a name would each take the other's runs for lost, and be one to whoever looks.

        On one home the lock tells them apart. On two, each has a mark of its own in the name that the server knows: an
        outage lets a living worker look dead, so nothing else that the server tells would. The heartbeat is for a home
        that was copied together with the machine's name.
        """
        taken = StackFailed(
            f"名为 {self._called} 的工作进程正在运行,不能再启动一个同名的。"
            "请使用正在运行的那个,或另取一个名字:ketang worker --name 名字。"
        )
        try:
            self._lock.take()
        except HomeTaken:
            raise taken from None
        self.worker_name = f"{self._called}-{mark_of(self.settings.home)}"
        before = self._worker()
        if before is None or before["status"] != "ONLINE":
            return
        # It may be on another machine, or have stopped just now: only a living one is heard of again.
        seconds = (before["heartbeat_interval_seconds"] or HEARTBEAT_SECONDS) * HEARTBEAT_SPREAD + LOOK_SECONDS
        self._say(f"服务器上有名为 {self.worker_name} 的工作进程,正在核实它是否还在运行(最多 {seconds:.0f} 秒)……")
        if until(lambda: self._heartbeat() != before["last_heartbeat_time"], seconds=seconds):
            raise taken

    def _refuse_other_folder(self) -> None:
        """A run starts in the folder that the server's deployments name: it has to be the same path here."""
        deployments = self._ask("POST", "/deployments/filter", {"limit": 1}) or []
        for each in deployments:
            folder = Path(str((each.get("job_variables") or {}).get("working_dir") or self.project))
            if folder.resolve() != self.project.resolve():
                raise StackFailed(
                    f"服务器上的流程要求项目位于 {folder},本机位于 {self.project}。"
                    "请在本机把客堂安装到相同的路径(版本也须相同)。"
                )


def mark_of(home: Path) -> str:
    """
    Return eight signs that no other home has, the same at every start on this machine.

    A home that was copied to a machine of another name has other ones.
    """
    with (home / MARK_FILE).open("a+", encoding="ascii") as file:
        # Two workers of a home, of different names, may start at once: the first one's mark is both's.
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        kept = file.read()
        if not re.fullmatch("[0-9a-f]{32}", kept):
            kept = secrets.token_hex(16)
            file.truncate(0)
            file.write(kept)
    return hashlib.sha256(f"{kept}@{socket.gethostname()}".encode()).hexdigest()[:8]


def refuse_unusable_name(name: str) -> None:
    """Refuse a name that can not be part of a file's name, or that Prefect would not take."""
    if not re.fullmatch(f"[{LETTERS}]{{1,{LONGEST_NAME}}}", name):
        raise StackFailed(
            f"工作进程不能叫“{name}”:只用文字、数字、点、横线和下划线,最多{LONGEST_NAME}个字。"
            "请另取一个:ketang worker --name 名字。"
        )


def refuse_unreachable_database(settings: Settings) -> None:
    """Refuse to work from another machine on a file that is only on the server's disk."""
    if address_of(settings.database).get_backend_name() != "sqlite" or is_here(settings.prefect_api_url):
        return
    raise StackFailed(
        "另一台机器上的工作进程不能使用 SQLite 业务数据库:那是服务器上的一个文件。请先把业务数据库迁到 PostgreSQL,"
        "并在两台机器上设置相同的 KETANG_DATABASE_URL(见 docs/operations.md)。"
    )


def is_here(url: str) -> bool:
    """Return whether an address is one of this machine; empty: it is."""
    host = urlsplit(url).hostname or "127.0.0.1"
    if host in LOOPBACK:
        return True
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return any(_ours(family, str(address[0])) for family, _, _, _, address in found)


def _ours(family: int, address: str) -> bool:
    # Only an address of this machine can be listened on.
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
