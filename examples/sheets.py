"""
Write the example's sheets of a call of micro-projects: ``python -m examples.sheets [FOLDER]``.

Ready to be filed in a call by ``example-micro-2026`` whose panel are the last five people of the example's registry:
申报表 (proposals), 调研表 (counts of the survey), 评分表 (points). Proposals are named by their titles, because numbers
are given when they are filed. A test carries a call with them.
"""

import sys
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from examples.generate import PANEL, rows
from policies.load import load_all
from policies.vocabulary import Role
from tasks.call_sheets import PROPOSAL_HEADS, SCORE_HEADS, SURVEY_HEADS
from tasks.registry_form import HOLDINGS, PEOPLE

EDITION = "example-micro-2026"
FOLDER = Path(__file__).parent
PROPOSALS, SURVEY, SCORES = "微项目申报表.xlsx", "微项目调研表.xlsx", "微项目评分表.xlsx"

# Title, kind, content, for whom, benefit, yuan; answers in favour, against, indifferent; points in hundredths.
IDEAS = (
    ("河边长廊修缮", "环境美化", "更换坐凳12条、扶手30米", "沿河老人", "老人歇脚有地方", 4800, (32, 2, 1), 92),
    ("夜归路灯", "环境美化", "村口小路装太阳能灯10盏", "夜归村民", "夜里看得见路", 6500, (40, 1, 0), 95),
    ("老人午餐结伴", "邻里关爱", "志愿者每周两次送餐,添置保温箱", "独居老人", "独居老人吃上热饭", 4500, (28, 3, 4), 88),
    ("周末棋牌角", "文体活动", "桌椅6套、棋牌若干", "棋友", "有地方下棋", 2600, (15, 9, 6), 81),
    ("村史墙绘", "文体活动", "画墙40平方米", "全体村民", "村里的故事留下来", 7800, (25, 8, 2), 84),
    ("共享工具间", "其他小事急事难事", "梯子、手推车等工具共用", "全体村民", "不用家家都买", 1900, (22, 6, 5), 76),
    ("阳台花会", "环境美化", "花苗和评比", "种花的住户", "阳台好看了", 1500, (12, 10, 2), 60),
    ("暑期读书屋", "文体活动", "书架2个、图书200册", "小学生", "暑假有地方看书", 3200, (30, 0, 2), 90),
)


def tables() -> dict[str, list[list[object]]]:
    """Return the rows of each sheet by its file name, its heads first."""
    registry = rows()
    proposers = [(str(line[0]), str(line[2])) for line in registry[HOLDINGS] if line[1] == Role.REPRESENTATIVE.label]
    # One proposal of each representative in turn, across the villages.
    chosen = [proposers[number * 6 % len(proposers) + number // 3] for number in range(len(IDEAS))]
    panel = [str(line[0]) for line in registry[PEOPLE][-PANEL:]]
    criteria = load_all()[EDITION].edition.for_projects.screening.scoring.criteria
    proposals: list[list[object]] = [list(PROPOSAL_HEADS)]
    survey: list[list[object]] = [list(SURVEY_HEADS)]
    scores: list[list[object]] = [[*SCORE_HEADS, *(each.name for each in criteria)]]
    for (proposer, village), (title, kind, content, whom, benefit, yuan, answers, share) in zip(
        chosen, IDEAS, strict=True
    ):
        proposals.append([proposer, village, title, kind, content, whom, benefit, yuan])
        survey.append([title, *answers])
        if answers[0] * 5 >= sum(answers) * 3:
            # Who lacks support is not scored.
            for place, member in enumerate(panel):
                points = [max(each.points_at_most * share // 100 - place % 2, 0) for each in criteria]
                scores.append([title, member, *points])
    return {PROPOSALS: proposals, SURVEY: survey, SCORES: scores}


def write(folder: Path) -> None:
    """Write all sheets into `folder`, over those that are there."""
    for name, lines in tables().items():
        book = Workbook()
        sheet = book.worksheets[0]
        sheet.title = name.removesuffix(".xlsx")
        for line in lines:
            sheet.append(line)
        for number, head in enumerate(lines[0], start=1):
            sheet.cell(1, number).font = Font(bold=True)
            widest = max(len(str(line[number - 1])) for line in lines)
            sheet.column_dimensions[get_column_letter(number)].width = 2 * max(widest, len(str(head))) + 2
        sheet.freeze_panes = "A2"
        book.save(folder / name)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
