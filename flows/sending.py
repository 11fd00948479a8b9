"""What leaves the desk at the end of a run: letters, and the pages of notices."""

from datetime import datetime

from flows.step import Parts
from runtime.resources import Resources
from tasks.notice_pages import PageReport, pages_wait, write_pages
from tasks.outbox import DeliveryReport
from tasks.post import Waiting, letters_later, post_letters


def post(resources: Resources, parts: Parts, *, at: datetime) -> list[str]:
    """Deliver the letters that are due; return what was done, in Chinese. The sweep delivers what stays."""

    def posted() -> tuple[DeliveryReport, Waiting]:
        return post_letters(resources, at=at), letters_later(resources, at=max(at, resources.clock.now()))

    done: tuple[DeliveryReport, Waiting] | None = parts.do(posted, name="寄出信函", otherwise=None)
    if done is None:
        return []
    report, waiting = done
    parts.failures += report.failures
    trouble = f"寄信中断:{report.trouble}" if report.trouble else ""
    return [told for told in (report.told, waiting.told, trouble) if told]


def publish(resources: Resources, parts: Parts) -> list[str]:
    """Bring the pages of notices up to date, if one waits; return what was done, in Chinese."""
    if not parts.do(lambda: pages_wait(resources), name="查看公示页面", otherwise=True):
        return []
    report: PageReport | None = parts.do(lambda: write_pages(resources), name="更新公示页面", otherwise=None)
    if report is None:
        return []
    parts.failures += report.failures
    return [report.told]
