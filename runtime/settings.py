"""Settings, read from the environment (``KETANG_…``) and ``.env`` by entry points; nothing is read at import."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from notifications.mime import Mailbox

PROJECT = Path(__file__).resolve().parent.parent


def in_url(host: str) -> str:
    """Return a host as it stands in an address: an IPv6 one in brackets."""
    return f"[{host}]" if ":" in host else host


class Settings(BaseSettings):
    """Where the product keeps things and how it reaches others. Every field has a working default."""

    model_config = SettingsConfigDict(
        env_prefix="KETANG_", env_file=".env", env_file_encoding="utf-8", extra="ignore", use_attribute_docstrings=True
    )

    home: Path = Path("var")
    """Folder of everything the product writes: databases, letters, documents, Prefect's home."""
    database_url: str = ""
    """Business database; empty: ``sqlite:///<home>/ketang.db``."""
    prefect_database_url: str = ""
    """Prefect's own database, ``postgresql+asyncpg://…``; empty: SQLite below `home`."""
    host: str = "127.0.0.1"
    """Address the Prefect server listens on."""
    port: int = Field(default=4200, ge=0, le=65535)
    """Port of the Prefect server; 0: any free one."""
    prefect_retention_days: int = Field(default=90, ge=1)
    """How long Prefect keeps a run that has ended, with its logs; one that waits is kept for ever."""
    prefect_auth: SecretStr = SecretStr("")
    """``user:password`` for the Prefect server's API; empty: no password."""
    prefect_api_url: str = ""
    """Where a further worker reaches the server's API, ``http://…:4200/api``; empty: the server of this machine."""
    public_url: str = ""
    """How people reach the Prefect UI, for links in letters; empty: where the server is."""
    worker_limit: int = Field(default=2, ge=1)
    """Runs at once. Prefect's SQLite serves one writer: keep at 2 there, more on PostgreSQL."""
    own_worker: bool = True
    """``ketang up`` starts a worker too; false: a machine with the server alone."""
    work_pool: str = "ketang"
    """Prefect work pool of the deployments."""
    warm_worker: bool = True
    """Flow runs are forks of a warm process, not new interpreters; false: Prefect's own worker."""

    smtp_host: str = ""
    """SMTP server; empty: letters are written as ``.eml`` files into ``<home>/letters``."""
    smtp_port: int = Field(default=0, ge=0, le=65535)
    """Port; 0: the usual one for `smtp_security`."""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """STARTTLS (587), TLS from the start (465), or none (25; only for a relay on this machine)."""
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_ca_file: Path | None = None
    """Certificates to trust beside the system's; for an office's own mail server."""
    smtp_connections: int = Field(default=4, ge=1, le=32)
    """Connections kept open during one delivery run."""
    smtp_timeout_seconds: int = Field(default=30, ge=1)
    mail_from: str = "ketang@localhost"
    """Sender's address of every letter."""
    mail_from_name: str = "社区办(客堂系统)"
    """Sender's name."""
    mail_reply_to: str = ""
    """Where answers go; empty: to the sender."""

    notices_folder: Path = Path("notices")
    """Folder of the pages of public notices, for any web server to serve; relative to `home`."""
    notices_url: str = ""
    """Address at which a web server serves that folder, for links in letters; empty: no links."""
    office_phone: str = Field(default="", max_length=60)
    """The office's public telephone, as notices print it; empty: none is printed."""

    templates: Path | None = None
    """Folder of the office's own Word templates; a file there replaces the shipped one of the same name."""

    training: bool = False
    """A system to learn on: ``ketang clock move`` makes time pass in it. Never in an office."""
    clock_offset_seconds: int = 0
    """Shifts the product's clock; only for training and rehearsal, never in an office."""
    stuck_after_seconds: int = Field(default=180, ge=5)
    """How long a Prefect run may be Running without a heartbeat, or Resuming, before the sweep replaces it."""

    @model_validator(mode="after")
    def _absolute(self) -> "Settings":
        self.home = self.home.resolve()
        self.notices_folder = (self.home / self.notices_folder).resolve()
        self.templates = self.templates.resolve() if self.templates else None
        return self

    @property
    def database(self) -> str:
        """Address of the business database."""
        return self.database_url or f"sqlite:///{self.home / 'ketang.db'}"

    @property
    def mailbox(self) -> Mailbox:
        """The sender of every letter."""
        return Mailbox(address=self.mail_from, name=self.mail_from_name, reply_to=self.mail_reply_to)

    @property
    def letters_folder(self) -> Path:
        """Where letters go without an SMTP server."""
        return self.home / "letters"

    @property
    def documents_folder(self) -> Path:
        """Where the office puts files that belong to cases."""
        return self.home / "documents"

    @property
    def clock_file(self) -> Path:
        """Where a training system keeps by how much its clock was moved."""
        return self.home / "clock"

    @property
    def ui_url(self) -> str:
        """Base of links to the Prefect UI."""
        server = self.prefect_api_url.rstrip("/").removesuffix("/api") or f"http://{in_url(self.host)}:{self.port}"
        return (self.public_url or server).rstrip("/")

    @property
    def clock_offset(self) -> timedelta:
        """The shift of the clock."""
        return timedelta(seconds=self.clock_offset_seconds)
