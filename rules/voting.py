"""
A meeting's vote: who must be there, and what carries a project (D2-R1, D2-R5).

Used when the screening meeting's votes are recorded, and by the minutes that explain them. Whole numbers and exact
shares only; nobody's ballot is looked at here, only the counts.
"""

from fractions import Fraction
from math import ceil, floor

from policies.errors import Refused
from policies.micro_scheme import VoteRule
from policies.vocabulary import MajorityOf

_DIGITS = "零一二三四五六七八九"
_BASE = {MajorityOf.ENTITLED: "全体", MajorityOf.PRESENT: "到会"}


def quorum_needed(rule: VoteRule, entitled: int) -> int:
    """
    Return how many of `entitled` people must be present; the share itself is enough (三分之二以上).

    Source: D2-R1 (clause 二、(一)2 三分之二以上的代表参加).
    """
    return ceil(rule.quorum * _count(entitled, "entitled"))


def has_quorum(rule: VoteRule, *, present: int, entitled: int) -> bool:
    """Return whether enough are `present`; a meeting to which nobody is entitled never has a quorum (D2-R1)."""
    return entitled > 0 and present >= quorum_needed(rule, entitled)


def votes_needed(rule: VoteRule, *, present: int, entitled: int) -> int:
    """
    Return how many votes in favour carry a project.

    Source: D2-R1 (clause 二、(一)2 全体代表的过半数); 过半数 is more than half, 以上 includes the share.
    """
    share = rule.majority * _base(rule, present=present, entitled=entitled)
    return floor(share) + 1 if rule.more_than else ceil(share)


def check_votes(rule: VoteRule, *, entitled: int, present: int, in_favour: int, against: int, abstained: int) -> None:
    """
    Refuse counts that can not be and a meeting without a quorum; present people may leave their ballot out.

    Source: D2-R1.

    Args:
        rule: the meeting's rule.
        entitled: people on the meeting's roll, count.
        present: of them, signed in.
        in_favour: votes for the project.
        against: votes against it.
        abstained: votes for neither.

    Raises:
        Refused: a negative count, more present than entitled, more votes than present, or too few present.
    """
    counts = {"应到": entitled, "实到": present, "赞成": in_favour, "反对": against, "弃权": abstained}
    if negative := [f"{name}{count}" for name, count in counts.items() if count < 0]:
        raise Refused(rule.where, f"人数和票数不能为负:{'、'.join(negative)};请核对后重新填写")
    if present > entitled:
        raise Refused(rule.where, f"实到{present}人多于应到{entitled}人;请核对签到表与应到名单")
    if (cast := in_favour + against + abstained) > present:
        raise Refused(
            rule.where,
            f"赞成{in_favour}票、反对{against}票、弃权{abstained}票,合计{cast}票,多于实到{present}人;"
            "请核对签到表与表决签名表",
        )
    if not has_quorum(rule, present=present, entitled=entitled):
        raise Refused(
            rule.where,
            f"到会人数不足,不能表决:应到{entitled}人,实到{present}人,须到{quorum_needed(rule, entitled)}人"
            f"({_at_least(rule.quorum)});请改期再开",
        )


def carried(rule: VoteRule, *, entitled: int, present: int, in_favour: int) -> bool:
    """Return whether the votes in favour carry the project; without a quorum nothing is carried (D2-R1)."""
    if not has_quorum(rule, present=present, entitled=entitled):
        return False
    return in_favour >= votes_needed(rule, present=present, entitled=entitled)


def explained(rule: VoteRule, *, entitled: int, present: int, in_favour: int, against: int, abstained: int) -> str:
    """
    Return the worked count as one Chinese sentence, e.g. ``应到27人,实到19人,三分之二以上须18人,达到;…,通过``.

    Source: D2-R1. The counts are taken as they are; `check_votes` refuses those that can not be.
    """
    enough = has_quorum(rule, present=present, entitled=entitled)
    meeting = (
        f"应到{entitled}人,实到{present}人,{_at_least(rule.quorum)}须{quorum_needed(rule, entitled)}人,"
        f"{'达到' if enough else '未达到,不能表决'}"
    )
    if not enough:
        return meeting
    won = carried(rule, entitled=entitled, present=present, in_favour=in_favour)
    return (
        f"{meeting};赞成{in_favour}票、反对{against}票、弃权{abstained}票,"
        f"{_BASE[rule.majority_of]}{_majority(rule)}须{votes_needed(rule, present=present, entitled=entitled)}票,"
        f"{'通过' if won else '未通过'}"
    )


def spoken_share(share: Fraction) -> str:
    """Return a share in (0, 1] as people say it: ``三分之二``, ``半数``, ``全部``."""
    if share == 1:
        return "全部"
    if share == Fraction(1, 2):
        return "半数"
    return f"{_numeral(share.denominator)}分之{_numeral(share.numerator)}"


def _at_least(share: Fraction) -> str:
    return spoken_share(share) + ("" if share == 1 else "以上")


def _majority(rule: VoteRule) -> str:
    if not rule.more_than:
        return _at_least(rule.majority)
    return "过半数" if rule.majority == Fraction(1, 2) else f"超过{spoken_share(rule.majority)}"


def _base(rule: VoteRule, *, present: int, entitled: int) -> int:
    match rule.majority_of:
        case MajorityOf.ENTITLED:
            return _count(entitled, "entitled")
        case MajorityOf.PRESENT:
            return _count(present, "present")


def _count(number: int, what: str) -> int:
    if number < 0:
        raise ValueError(f"{what} can not be {number}")
    return number


def _numeral(number: int) -> str:
    if number >= 100:
        return "百" if number == 100 else str(number)
    tens, ones = divmod(number, 10)
    words = ("" if tens < 2 else _DIGITS[tens]) + ("十" if tens else "")
    return words + (_DIGITS[ones] if ones or not tens else "")
