"""What residents propose in the demonstration of a call, what comes of it, and what is objected."""

from dataclasses import dataclass

from policies.vocabulary import ProjectStanding

EDITION = "example-micro-2026"
BUDGET_YUAN = "12000"


@dataclass(frozen=True)
class Idea:
    """One proposal of the demonstration, what residents say of it, and what the panel gives it."""

    title: str
    kind: str
    amount_yuan: str
    in_favour: int
    against: int
    share: int
    """Of the greatest number of points by each criterion, in percent."""
    standing: ProjectStanding
    """Where it stands in the end."""


IDEAS = (
    Idea("村口长椅", "环境美化", "5000", 28, 2, 96, ProjectStanding.CONFIRMED),
    Idea("戏台帷幕", "文体活动", "4000", 24, 6, 92, ProjectStanding.UPHELD_AGAINST),
    Idea("楼道扶手", "邻里关爱", "2800", 26, 1, 88, ProjectStanding.CONFIRMED),
    Idea("便民晾衣架", "其他小事急事难事", "3000", 21, 5, 86, ProjectStanding.CONFIRMED),
    Idea("河岸花带", "环境美化", "9000", 23, 4, 82, ProjectStanding.OVER_BUDGET),
    Idea("象棋擂台", "文体活动", "1500", 20, 4, 75, ProjectStanding.OVER_BUDGET),
    Idea("共享工具箱", "其他小事急事难事", "1200", 18, 6, 60, ProjectStanding.BELOW_PASS),
    Idea("夜间广场舞灯", "文体活动", "2600", 9, 16, 0, ProjectStanding.NOT_SUPPORTED),
    Idea("门前停车线", "环境美化", "3600", 11, 15, 0, ProjectStanding.NOT_SUPPORTED),
    Idea("老人送餐车", "邻里关爱", "4800", 0, 0, 0, ProjectStanding.WITHDRAWN),
)
OBJECTIONS = (
    ("戏台帷幕", "书面", "戏台属于文保建筑,加装帷幕未经许可", "异议成立", "经查确属文保建筑,未取得许可"),
    ("楼道扶手", "来电", "认为扶手会占用通道", "异议不成立", "现场测量后通道净宽仍有1.2米,符合规定"),
)
