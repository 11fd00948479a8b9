"""
The product on one machine: business database, Prefect server, deployments, worker.

Used by `ketang up`, the demonstrations and the live tests.

Nothing of Prefect is imported here; its own commands are run. Everything started is ended, by us or by the system.
"""

import contextlib
import shutil
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from migrations import run
from runtime.asking import SERVER_FAILED, ask
from runtime.children import Child, until
from runtime.environment import api_url, child_environment
from runtime.homelock import HomeLock, HomeTaken
from runtime.lost import (
    LOST_CASE_SECONDS,
    LOST_RUN_SECONDS,
    LOST_SWEEP_SECONDS,
    give_up_of_worker,
    give_up_overdue,
)
from runtime.privacy import make_home, tighten, tighten_database
from runtime.refusals import (
    StackFailed,
    already_running,
    failures_told,
    free_port,
    refuse_busy_port,
    refuse_shared_home,
    refuse_unusable_password,
)
from runtime.settings import PROJECT, Settings
from runtime.stopping import PATIENCE_SECONDS

SQLITE_SERVER = "cli.prefect_server"
"""Module that is Prefect's command line with SQLite writers that wait for each other."""
WARM_WORKER = "cli.prefect_worker"
"""Module that is Prefect's command line with a worker whose flow runs are forks of a warm process."""
WORKER_NAME = "ketang"
LOOK_FOR_LOST_SECONDS = 60
SERVER_START_SECONDS = 180
STEP_SECONDS = 180
END_SECONDS = 10
WATCH_SECONDS = 0.5
MOST_RESTARTS = 5
RESTARTS_WITHIN_SECONDS = 600
RESTART_PAUSE_SECONDS = 5
"""After a restart that failed; the disk may be full for a moment only."""
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def _silent(_line: str) -> None:
    """Take a line of narration and drop it."""


class Stack:
    """
    The processes of one home.

    As a context manager it starts on entry and stops on exit. Start it from the main thread: on Linux the
    processes end with the thread that started them.

    Args:
        settings: where and how; port 0 means any free one (see `settings` afterwards).
        project: the folder with ``prefect.yaml``.
        say: takes one Chinese line for each thing done.
    """

    def __init__(self, settings: Settings, *, project: Path = PROJECT, say: Callable[[str], None] = _silent) -> None:
        self.settings = settings
        self.project = project
        self.server: Child | None = None
        self.worker: Child | None = None
        self.worker_name = WORKER_NAME
        self._restarts: deque[float] = deque(maxlen=MOST_RESTARTS)
        self._not_before = 0.0
        self._told_dead: Child | None = None
        self._say = say
        self._lock = HomeLock(settings.home)
        self._temporary: Path | None = None

    @classmethod
    def temporary(cls, *, project: Path = PROJECT, say: Callable[[str], None] = _silent, **settings: Any) -> "Stack":
        """
        Return a stack in a new temporary folder, on a free port, untouched by the environment; `stop` removes it.

        Args:
            project: as for the class.
            say: as for the class.
            settings: fields of `Settings` that differ from their defaults.
        """
        home = Path(tempfile.mkdtemp(prefix="ketang-"))
        defaults = {name: field.get_default(call_default_factory=True) for name, field in Settings.model_fields.items()}
        chosen = {**defaults, "home": home, "port": 0, **settings}
        stack = cls(Settings(_env_file=None, **chosen), project=project, say=say)
        stack._temporary = home
        return stack

    @property
    def api_url(self) -> str:
        """Where the Prefect API answers."""
        return api_url(self.settings)

    @property
    def ui_url(self) -> str:
        """Home of the classic UI; a run's page is ``<ui_url>/runs/flow-run/<id>``."""
        return self.settings.ui_url

    @property
    def new_ui_url(self) -> str:
        """Home of Prefect's new UI, where Resume stands in a run's "…" menu."""
        return f"{self.settings.ui_url}/v2"

    @property
    def logs(self) -> Path:
        """Folder of the children's logs."""
        return self.settings.home / "logs"

    @property
    def _log_name(self) -> str:
        return "worker" if self.worker_name == WORKER_NAME else f"worker-{self.worker_name}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment that the children get; for further processes that shall belong to this stack."""
        return child_environment(self.settings, project=self.project)

    def start(self) -> None:
        """
        Bring everything up; return when the worker is ready for work.

        Raises:
            StackFailed: something does not start; all that did was stopped again.
        """
        try:
            with failures_told(self.settings):
                refuse_shared_home(self.settings.home)
                self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """
        End everything that was started, the worker first. Safe to repeat.

        Flow runs on their way are given `PATIENCE_SECONDS` to reach their end or their next gate.
        """
        if self.worker is not None or self.server is not None:
            self._say("正在停止,请稍候……")
        worker, self.worker = self.worker, None
        if worker is not None and self.settings.warm_worker:
            worker.end(PATIENCE_SECONDS + END_SECONDS)  # it waits for its runs itself
        elif worker is not None:
            worker.end_after_offspring(patience=PATIENCE_SECONDS, seconds=END_SECONDS)
        server, self.server = self.server, None
        if server is not None:
            server.end(END_SECONDS)
        self._lock.free()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def start_worker(self) -> None:
        """Start the worker and wait until it polls; StackFailed when it does not."""
        if self.worker is not None and self.worker.status is None:
            return
        self._give_up_own_runs()
        before = self._heartbeat()
        options = ["--pool", self.settings.work_pool, "--name", self.worker_name, "--type", "process"]
        # No --limit: a worker with one dies ("borrower is already holding") when a run is resumed before its process
        # has ended. The limit is the pool's, kept by the server.
        command = ["worker", "start", *options, "--install-policy", "never"]
        module = WARM_WORKER if self.settings.warm_worker else "prefect"
        self.worker = self._child("工作进程", command, log=f"{self._log_name}.log", module=module)
        self._await(self.worker, lambda: self._heartbeat() not in {None, before}, seconds=STEP_SECONDS)

    def kill_worker(self) -> None:
        """Kill the worker and the flow runs it started, as a power cut would."""
        worker, self.worker = self.worker, None
        if worker is not None:
            worker.kill()

    def check(self) -> None:
        """Raise StackFailed when a process has died."""
        for child in (self.server, self.worker):
            if child is not None and child.status is not None:
                raise StackFailed(_died(child))

    def watch(self) -> None:
        """Look after the processes until a signal's exception (`stop_signals`) gets through, or `look_after` fails."""
        looked = time.monotonic()
        while True:
            with contextlib.suppress(*SERVER_FAILED):  # it is busy: tried again, and what is lost is found later
                self.look_after()
                if time.monotonic() - looked > LOOK_FOR_LOST_SECONDS:
                    looked = time.monotonic()
                    self.give_up_lost_runs()
            time.sleep(WATCH_SECONDS)

    def look_after(self) -> None:
        """
        Start a worker that has died again; raise StackFailed when it dies again and again, or the server has died.

        One that does not come up has died once more. The database decides and the sweep makes up for what was lost, so
        nobody has to stand by for a dead worker.

        Raises:
            StackFailed: as told.
            SERVER_FAILED: a worker has died, and the server does not answer now; to be tried again.
        """
        worker = self.worker
        if self.server is not None and self.server.status is not None:
            raise StackFailed(_died(self.server))
        if worker is not None and worker.status is not None:
            now = time.monotonic()
            if now < self._not_before:
                return
            if self._restarted_too_often(now):
                raise StackFailed(_died(worker))
            if self._told_dead is not worker:
                self._say(f"工作进程意外退出(状态 {worker.status}),现重新启动。日志:{worker.log}")
                self._told_dead = worker
                worker.kill()
            try:
                self.start_worker()
            except StackFailed as failed:
                self._put_off(failed)
                return
            self._restarts.append(now)
        self.check()

    def _put_off(self, failed: StackFailed) -> None:
        """Have a worker that does not come up started again a little later."""
        if self.worker is not None and self.worker.status is None:
            self._say(str(failed))
            self.worker.kill()
        now = time.monotonic()
        self._not_before = now + RESTART_PAUSE_SECONDS
        # Without the server none comes up, and that says nothing of the worker.
        if self._healthy():
            self._restarts.append(now)
            if self._restarted_too_often(now):
                raise failed

    def _restarted_too_often(self, now: float) -> bool:
        return len(self._restarts) == MOST_RESTARTS and now - self._restarts[0] < RESTARTS_WITHIN_SECONDS

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self) -> None:
        settings = self.settings
        if not (self.project / "prefect.yaml").is_file():
            raise StackFailed(f"在 {self.project} 没有找到 prefect.yaml。请在客堂的项目文件夹里安装并启动。")
        refuse_unusable_password(settings)
        if settings.prefect_api_url:
            raise StackFailed(
                f"已设置 KETANG_PREFECT_API_URL={settings.prefect_api_url}:服务器在那里,本机只能运行 ketang worker。"
                "要在本机启动服务器,请去掉这项设置。"
            )
        try:
            self._lock.take()
        except HomeTaken as taken:
            raise StackFailed(already_running(settings.home, taken)) from None
        self._keep_private(tighten)
        self.settings = settings = settings.model_copy(
            update={"port": free_port(settings.host) if settings.port == 0 else settings.port}
        )
        refuse_busy_port(settings)
        self.logs.mkdir(parents=True, exist_ok=True)
        self._say(f"数据文件夹:{settings.home}")
        self._migrate()
        self._say("启动 Prefect 服务器……")
        module = "prefect" if settings.prefect_database_url else SQLITE_SERVER
        self.server = self._child("Prefect 服务器", ["server", "start"], log="server.log", module=module)
        self._await(self.server, self._healthy, seconds=SERVER_START_SECONDS)
        if settings.host not in LOOPBACK and not settings.prefect_auth.get_secret_value():
            self._say(f"注意:服务器监听 {settings.host},又没有密码,同一网络里人人都能操作;请设 KETANG_PREFECT_AUTH。")
        if self._ask("GET", f"/work_pools/{settings.work_pool}") is None:
            self._step("建立工作池", ["work-pool", "create", settings.work_pool, "--type", "process"])
        self._ask("PATCH", f"/work_pools/{settings.work_pool}", {"concurrency_limit": settings.worker_limit})
        self._say("部署流程……")
        self._step("部署流程", ["--no-prompt", "deploy", "--all"])
        if settings.own_worker:
            self._say("启动工作进程……")
            self.start_worker()
        else:
            self._say("本机不启动工作进程(KETANG_OWN_WORKER=false);请在别的机器上运行 ketang worker。")
        self._lock.tell(api_url=self.api_url, ui_url=self.ui_url)

    def _keep_private(self, close: Callable[[Settings], tuple[list[str], list[str]]]) -> None:
        tightened, failed = close(self.settings)
        if tightened:
            self._say(f"已收紧权限,只有运行客堂的账户可以读取:{'、'.join(tightened)}")
        if failed:
            self._say(f"注意:{'、'.join(failed)} 属于别的账户,别的账户可能读取;请由管理员执行 chmod go-rwx。")

    def _migrate(self) -> None:
        make_home(self.settings)
        try:
            applied = run.upgrade(self.settings.database)
        except run.SchemaUnknown as unknown:
            raise StackFailed(str(unknown)) from None
        done = "已建立" if len(applied) == run.known() else f"升级了 {len(applied)} 步"
        self._say(f"业务数据库:{done}。" if applied else "业务数据库:已是最新。")
        self._keep_private(tighten_database)

    def _child(self, name: str, command: list[str], *, log: str, module: str = "prefect") -> Child:
        try:
            return Child(
                name,
                [sys.executable, "-m", module, *command],
                environment=self.environment,
                folder=self.project,
                log=self.logs / log,
            )
        except OSError as error:
            raise StackFailed(
                f"{name}无法启动:{error.filename or self.logs / log}({error.strerror or error})。"
                f"请检查磁盘空间、内存,以及日志文件夹 {self.logs} 的权限。"
            ) from error

    def _step(self, name: str, command: list[str]) -> None:
        child = self._child(name, command, log="deploy.log")
        try:
            ended = child.wait(STEP_SECONDS)
        finally:
            child.kill()
        if not ended:
            raise StackFailed(f"{name}超过 {STEP_SECONDS} 秒没有结束。请查看日志 {child.log}:\n{child.tail()}")
        if child.status != 0:
            raise StackFailed(f"{name}失败。请查看日志 {child.log}:\n{child.tail()}")

    def _await(self, child: Child, ready: Callable[[], bool], *, seconds: float) -> None:
        until(lambda: child.status is not None or ready(), seconds=seconds)
        if child.status is not None:
            raise StackFailed(_died(child))
        if not ready():
            raise StackFailed(f"{child.name}在 {seconds:.0f} 秒内没有就绪。请查看日志 {child.log}:\n{child.tail()}")

    def _healthy(self) -> bool:
        with contextlib.suppress(OSError, ValueError):  # ValueError: not an address at all
            return self._ask("GET", "/health") is True
        return False

    def _give_up_own_runs(self) -> None:
        """Let the runs that died with our worker, which does not run now, have crashed; see `runtime.lost`."""
        alone = all(each["name"] == self.worker_name for each in self._workers())
        give_up_of_worker(self._ask, pool=self.settings.work_pool, name=self.worker_name, alone=alone)

    def give_up_lost_runs(self) -> int:
        """Let runs that have been under way for too long have crashed; as `give_up_overdue`."""
        return give_up_overdue(
            self._ask,
            pool=self.settings.work_pool,
            sweeps_after=LOST_SWEEP_SECONDS,
            cases_after=max(LOST_CASE_SECONDS, self.settings.stuck_after_seconds),
            others_after=LOST_RUN_SECONDS,
        )

    def _workers(self) -> list[dict[str, Any]]:
        """Return what the server knows of the pool's workers, living and dead."""
        return self._ask("POST", f"/work_pools/{self.settings.work_pool}/workers/filter", {}) or []

    def _heartbeat(self) -> str | None:
        """Return when our worker was last heard of, None when never."""
        worker = self._worker()
        return worker["last_heartbeat_time"] if worker else None

    def _worker(self) -> dict[str, Any] | None:
        """Return what the server knows of our worker, None when it never heard of it."""
        return next((each for each in self._workers() if each["name"] == self.worker_name), None)

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        """Return the API's answer, None for "not found"; SERVER_FAILED when there is none, or somebody else's."""
        return ask(self.api_url, self.settings.prefect_auth.get_secret_value(), method, path, body)


def _died(child: Child) -> str:
    return f"{child.name}意外退出(状态 {child.status})。请查看日志 {child.log}:\n{child.tail()}"
