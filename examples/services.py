"""
Write the example township's catalogue of services: ``python -m examples.services [FILE]``.

Two providers and five items, so that a listed parlour can order at once. Their contacts are people of the example's
registry who hold no role. A test compares what is written with the file that is shipped.
"""

import sys
from pathlib import Path

from tasks.service_sheets import write_sheet
from tasks.services import HEADS, SUPPLIED

CATALOGUE = Path(__file__).parent / "示例镇服务目录.xlsx"
TITLE = "服务目录"

CLINIC = ("YL", "示例镇社区卫生服务中心", "SL", "P065")
CULTURE = ("WT", "示例镇文化体育服务中心", "SL", "P066")
# Provider, code, name, category of example-2026, deliveries a year, description.
ITEMS = (
    (CLINIC, "YL01", "老年人健康讲座", "助医服务", "24", "全科医生上门讲一小时,内容为慢性病防治,听众不少于10人"),
    (CLINIC, "YL02", "血压血糖检测", "助医服务", "48", "护士上门检测,每次不超过40人,请安排桌椅和热水"),
    (CLINIC, "YL03", "居家护理指导", "助老服务", "12", "教家属翻身、擦浴、喂食,每次两小时"),
    (CULTURE, "WT01", "戏曲小分队演出", "文体服务", "12", "演员6人,自带音响,需要20平方米以上的场地"),
    (CULTURE, "WT02", "便民维修日", "便民服务", "不限", "磨刀、修伞、小家电维修,半天"),
)


def rows() -> list[list[str]]:
    """Return the rows of the sheet, heads first."""
    return [list(HEADS)] + [
        [*provider, code, name, category, per_year, description, SUPPLIED]
        for provider, code, name, category, per_year, description in ITEMS
    ]


if __name__ == "__main__":
    write_sheet(Path(sys.argv[1]) if len(sys.argv) > 1 else CATALOGUE, rows(), title=TITLE)
