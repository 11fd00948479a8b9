"""The letter that every contestant without letters of its own writes at each gate: to two people, text and HTML."""

from datetime import date

from jinja2 import DictLoader, Environment

GATES = ("household_consent", "village_forward", "office_review", "plaque", "subsidy")
TO = ("shen@office.example", "zhou@village.example")
_TEXT = """{{ to }}:

“客堂间”建设申请 {{ number }} 已到“{{ gate }}”环节,请于{{ due }}前办理。

办理方式:打开办理页面,核对申请材料,作出决定并填写理由;逾期未办理的,系统将向上一级报告。

社区办
"""
_HTML = """<p>{{ to }}:</p>
<p>“客堂间”建设申请 <b>{{ number }}</b> 已到“{{ gate }}”环节,请于<b>{{ due }}</b>前办理。</p>
<p>办理方式:打开办理页面,核对申请材料,作出决定并填写理由;逾期未办理的,系统将向上一级报告。</p>
<p>社区办</p>
"""
_environment = Environment(
    loader=DictLoader({"text": _TEXT, "html": _HTML, "subject": "{{ number }} {{ gate }}:请于{{ due }}前办理"}),
    autoescape=lambda name: name == "html",
)
_PARTS = tuple(_environment.get_template(name) for name in ("subject", "text", "html"))


def letters(number: str, gate: str, due: date) -> list[tuple[str, str, str, str]]:
    """Render the letters that ask for a decision: address, subject, text, HTML."""
    return [(to, *(part.render(number=number, gate=gate, due=due, to=to) for part in _PARTS)) for to in TO]  # type: ignore[misc]
