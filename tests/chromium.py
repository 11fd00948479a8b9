"""
Find a Chromium for the browser tests, or bring one.

``python -m tests.chromium`` does it ahead of the tests (`make test` calls it) and never fails: without a browser the
browser tests fail and say why, unless KETANG_WITHOUT_BROWSER=1 says that this is meant.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WITHOUT = "KETANG_WITHOUT_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CJK_FONT = "fonts-noto-cjk"


def unwanted() -> bool:
    """Return whether the tests are told to go without a browser."""
    return os.environ.get(WITHOUT, "") not in {"", "0"}


def find() -> str | None:
    """Return the path of a Chromium that starts, on PATH or kept by Playwright; None when there is none."""
    candidates = [path for name in NAMES if (path := shutil.which(name))]
    return next((path for path in [*candidates, *_playwrights_own()] if _starts(path)), None)


def install() -> str | None:
    """Bring a Chromium by Playwright's download, else by apt as root; return its path, None when neither works."""
    sys.stdout.write("No Chromium found. Asking Playwright for one …\n")
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True, timeout=600)
        if path := find():
            return path
    if shutil.which("apt-get") and os.geteuid() == 0:
        sys.stdout.write("That did not work. Asking apt …\n")
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(["apt-get", "update", "-q"], check=True, timeout=600, env=quiet)
            for packages in (["chromium", CJK_FONT], ["chromium-browser", CJK_FONT], ["chromium"]):
                command = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages]
                if subprocess.run(command, check=False, timeout=1200, env=quiet).returncode == 0 and (path := find()):
                    return path
    return None


@contextlib.contextmanager
def running() -> Iterator["Browser"]:
    """Run a headless Chromium that speaks Chinese; RuntimeError with what to do when there is none."""
    from playwright.sync_api import sync_playwright

    path = find()
    if path is None:
        raise RuntimeError(
            "no Chromium: put chromium or google-chrome on PATH, or run `python -m tests.chromium`, "
            f"or set {WITHOUT}=1 to go without the browser tests"
        )
    # Chromium refuses to run its sandbox as root.
    arguments = ["--lang=zh-CN", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, headless=True, args=arguments)
        try:
            yield chromium
        finally:
            chromium.close()


def _playwrights_own() -> list[str]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return [path] if Path(path).exists() else []


def _starts(path: str) -> bool:
    # Playwright's download lies there also where the system lacks the libraries it needs.
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run([path, "--version"], check=False, capture_output=True, timeout=60).returncode == 0
    return False


if __name__ == "__main__":
    if unwanted():
        sys.stdout.write(f"{WITHOUT} is set: the browser tests are left out.\n")
    else:
        sys.stdout.write(
            f"Chromium: {find() or install() or 'none could be found or installed; browser tests will fail'}\n"
        )
