"""Why a lesson hour counts or does not: closed codes with values, and their sentences. Pure.

A decision about somebody's hours must read alike on the kiosk, at the centre, on a certificate and
in court. So the sentences are no part of a screen's catalogue: each code stands here with its
Chinese and its English sentence, and both are rendered from the same values, wherever it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

from edge.model import SECOND

Value = int | str


class Code(StrEnum):
    """What can be said of a lesson hour. Values stand in the sentence of each code."""

    # It counts.
    COMPLETE = "complete"
    COVERED = "covered"
    # It does not: the scans do not give a pair.
    NO_SCAN = "no_scan"
    CHECK_IN_DUE = "check_in_due"
    CHECK_IN_EARLY = "check_in_early"
    CHECK_IN_LATE = "check_in_late"
    SERVED_BEFORE = "served_before"
    CHECK_OUT_DUE = "check_out_due"
    NO_CHECK_OUT = "no_check_out"
    CHECK_OUT_EARLY = "check_out_early"
    CHECK_OUT_LATE = "check_out_late"
    TOO_SOON = "too_soon"
    BEYOND_LIMIT = "beyond_limit"
    TOO_LONG = "too_long"
    NOT_COVERED = "not_covered"
    WALK_IN_ARREARS = "walk_in_arrears"
    # It does not: the lesson does not.
    CANCELLED = "cancelled"
    POSTPONED = "postponed"
    MADE_UP = "made_up"
    SPOT_CHECK_REJECTED = "spot_check_rejected"
    # It waits for a person.
    TIME_DOUBTFUL = "time_doubtful"
    PARTLY_COVERED = "partly_covered"
    WAY_PENDING = "way_pending"
    MANUAL_NOT_ALLOWED = "manual_not_allowed"
    MANUAL_WITHOUT_PHOTO = "manual_without_photo"
    MANUAL_WITHOUT_REASON = "manual_without_reason"
    MANUAL_SHARE = "manual_share"
    MANUAL_TIMES = "manual_times"
    NOT_OPENED = "not_opened"
    FILING_LATE = "filing_late"
    INSTRUCTOR_NOT_FILED = "instructor_not_filed"
    SPOT_CHECK_PENDING = "spot_check_pending"
    SNAPSHOT_MISSED = "snapshot_missed"
    APPLIED = "applied"
    # A person decided.
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    # Said beside, and changes nothing.
    WAIVED = "waived"
    EXTENDED = "extended"
    SUBSTITUTE = "substitute"
    SPOT_CHECK_IMPOSSIBLE = "spot_check_impossible"
    APPLIED_LATE = "applied_late"


# The doubts that a reviewer can settle, one by one.
WAIVABLE = frozenset(
    {
        Code.TIME_DOUBTFUL,
        Code.PARTLY_COVERED,
        Code.WAY_PENDING,
        Code.MANUAL_NOT_ALLOWED,
        Code.MANUAL_WITHOUT_PHOTO,
        Code.MANUAL_WITHOUT_REASON,
        Code.MANUAL_SHARE,
        Code.MANUAL_TIMES,
        Code.NOT_OPENED,
        Code.FILING_LATE,
        Code.INSTRUCTOR_NOT_FILED,
        Code.SNAPSHOT_MISSED,
    }
)


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason. Times are instants, numbers are numbers: the sentence says how to show them."""

    code: Code
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence in both languages, with the same values in either.

    ``{at:time}`` is a time of day, ``{at:date}`` a date and time, ``{length:minutes}`` whole
    minutes, ``{way:way}`` a way of being present.
    """

    zh: str
    en: str


_IN_OUT_ZH = "{check_in:time} 签到（{way_in:way}，应在 {in_opens:time}–{in_closes:time}），"
_IN_OUT_EN = "check-in at {check_in:time} ({way_in:way}) is within {in_opens:time}–{in_closes:time}"

SENTENCES: Mapping[Code, Sentence] = {
    Code.COMPLETE: Sentence(
        "计入：" + _IN_OUT_ZH + "{check_out:time} 签退（{way_out:way}，应在 {out_opens:time}–"
        "{out_closes:time}），间隔 {length:minutes} 分钟。",
        "Counted because " + _IN_OUT_EN + " and check-out at {check_out:time} ({way_out:way}) is "
        "within {out_opens:time}–{out_closes:time}; {length:minutes} minutes apart.",
    ),
    Code.COVERED: Sentence(
        "计入：当日首次打卡 {check_in:time}、末次打卡 {check_out:time}，覆盖本课时。",
        "Counted because the day's first scan at {check_in:time} and last scan at "
        "{check_out:time} cover this lesson hour.",
    ),
    Code.NO_SCAN: Sentence(
        "不计入：{opens:time}–{closes:time} 没有签到。",
        "Not counted because there is no check-in between {opens:time} and {closes:time}.",
    ),
    Code.CHECK_IN_DUE: Sentence(
        "尚未计入：签到时间为 {opens:time}–{closes:time}，还没有签到。",
        "Not counted yet: check-in is {opens:time}–{closes:time}, and nothing has been seen.",
    ),
    Code.CHECK_IN_EARLY: Sentence(
        "不计入：{at:time} 打卡早于签到开始时间 {opens:time}，之后没有再签到。",
        "Not counted because the scan at {at:time} was before check-in opened at {opens:time}, "
        "and none followed in time.",
    ),
    Code.CHECK_IN_LATE: Sentence(
        "不计入：{at:time} 打卡晚于签到截止时间 {closes:time}。",
        "Not counted because check-in at {at:time} was after {closes:time}.",
    ),
    Code.SERVED_BEFORE: Sentence(
        "不计入：{at:time} 打卡时上一考勤段尚未签退，先归上一段；{closes:time} 前没有再打卡签到。",
        "Not counted because the scan at {at:time} belonged to the segment before, which was "
        "still open; no other check-in came until {closes:time}.",
    ),
    Code.CHECK_OUT_DUE: Sentence(
        "尚未计入：{check_in:time} 已签到，签退时间为 {opens:time}–{closes:time}。",
        "Not counted yet: checked in at {check_in:time}; check-out is {opens:time}–{closes:time}.",
    ),
    Code.NO_CHECK_OUT: Sentence(
        "不计入：{check_in:time} 已签到，但 {opens:time}–{closes:time} 没有签退。",
        "Not counted because after check-in at {check_in:time} there is no check-out between "
        "{opens:time} and {closes:time}.",
    ),
    Code.CHECK_OUT_EARLY: Sentence(
        "不计入：{at:time} 签退早于签退开始时间 {opens:time}。",
        "Not counted because check-out at {at:time} was before {opens:time}.",
    ),
    Code.CHECK_OUT_LATE: Sentence(
        "不计入：{at:time} 签退晚于签退截止时间 {closes:time}。",
        "Not counted because check-out at {at:time} was after {closes:time}.",
    ),
    Code.TOO_SOON: Sentence(
        "不计入：{check_in:time} 签到后，{at:time} 再次打卡间隔不足 {least:minutes} 分钟，"
        "不算签退。",
        "Not counted because the scan at {at:time} came less than {least:minutes} minutes after "
        "check-in at {check_in:time}: a second glance is no check-out.",
    ),
    Code.BEYOND_LIMIT: Sentence(
        "{at:time} 的打卡超过每日 {limit} 次上限，只留存、不使用。",
        "The scan at {at:time} is beyond the limit of {limit} scans a day: "
        "it is kept and not used.",
    ),
    Code.TOO_LONG: Sentence(
        "不计入：{check_in:time} 签到至 {check_out:time} 签退相隔 {length:minutes} 分钟，"
        "超过上限 {most:minutes} 分钟。",
        "Not counted because check-in at {check_in:time} and check-out at {check_out:time} are "
        "{length:minutes} minutes apart, more than {most:minutes}.",
    ),
    Code.NOT_COVERED: Sentence(
        "不计入：首次打卡 {check_in:time}、末次打卡 {check_out:time}，本课时 {starts:time}–"
        "{ends:time} 不在其间。",
        "Not counted because this lesson hour, {starts:time}–{ends:time}, lies outside of the "
        "first scan at {check_in:time} and the last scan at {check_out:time}.",
    ),
    Code.WALK_IN_ARREARS: Sentence(
        "不计入：{at:time} 临时到场登记，名单于 {received:date} 才获批，晚于上课时间，不补计课时。",
        "Not counted because the walk-in at {at:time} was noted before the roster was approved "
        "({received:date}): no hours in arrears.",
    ),
    Code.CANCELLED: Sentence(
        "不计入：本次课已取消。", "Not counted because this lesson was cancelled."
    ),
    Code.POSTPONED: Sentence(
        "不计入：本次课已延期。", "Not counted because this lesson was postponed."
    ),
    Code.MADE_UP: Sentence(
        "不计入：本次课已另行补课，课时计入补课。",
        "Not counted because this lesson was made up at another time: the hours count there.",
    ),
    Code.SPOT_CHECK_REJECTED: Sentence(
        "不计入：{by} 未通过本次课的现场督查（{why}）。",
        "Not counted because {by} rejected this lesson's spot check ({why}).",
    ),
    Code.TIME_DOUBTFUL: Sentence(
        "待审核：{at:time} 打卡的时间只知道在 {earliest:date} 与 {latest:date} 之间，"
        "跨过了规定时间的界限。",
        "To be reviewed because the time of the scan at {at:time} is only known to lie between "
        "{earliest:date} and {latest:date}, across the edge of a window.",
    ),
    Code.PARTLY_COVERED: Sentence(
        "待审核：首次打卡 {check_in:time}、末次打卡 {check_out:time}，只覆盖本课时 {starts:time}–"
        "{ends:time} 的一部分。",
        "To be reviewed because the first scan at {check_in:time} and the last scan at "
        "{check_out:time} cover only a part of {starts:time}–{ends:time}.",
    ),
    Code.WAY_PENDING: Sentence(
        "待审核：{at:time} 以“{way:way}”方式打卡，按本地规则须审核。",
        "To be reviewed because the scan at {at:time} was made by {way:way}, which these rules "
        "have reviewed.",
    ),
    Code.MANUAL_NOT_ALLOWED: Sentence(
        "待审核：{at:time} 为手动签到，本地规则不接受手动签到。",
        "To be reviewed because the scan at {at:time} is a manual entry, which these rules do "
        "not allow.",
    ),
    Code.MANUAL_WITHOUT_PHOTO: Sentence(
        "待审核：{at:time} 的手动签到没有终端拍摄的照片。",
        "To be reviewed because the manual entry at {at:time} has no photo taken by the box.",
    ),
    Code.MANUAL_WITHOUT_REASON: Sentence(
        "待审核：{at:time} 的手动签到没有规定的原因。",
        "To be reviewed because the manual entry at {at:time} states none of the reasons "
        "that these rules allow.",
    ),
    Code.MANUAL_SHARE: Sentence(
        "待审核：本次课 {total} 人中 {count} 人为手动签到，超过 {percent}%。",
        "To be reviewed because {count} of {total} trainees of this lesson have manual entries, "
        "more than {percent} %.",
    ),
    Code.MANUAL_TIMES: Sentence(
        "待审核：该学员第 {count} 次课使用手动签到，达到 {limit} 次须审核。",
        "To be reviewed because this is lesson {count} in which the trainee needed a manual "
        "entry; from {limit} on they are reviewed.",
    ),
    Code.NOT_OPENED: Sentence(
        "待审核：本次课没有教师在终端开课。",
        "To be reviewed because no instructor started this lesson on a box.",
    ),
    Code.FILING_LATE: Sentence(
        "待审核：班级备案于 {received:date} 收到，晚于上课时间 {starts:date}。",
        "To be reviewed because the filing was received on {received:date}, after the lesson "
        "began on {starts:date}.",
    ),
    Code.INSTRUCTOR_NOT_FILED: Sentence(
        "待审核：开课教师 {instructor} 未备案。",
        "To be reviewed because {instructor}, who started the lesson, is not a filed instructor.",
    ),
    Code.SPOT_CHECK_PENDING: Sentence(
        "待审核：本次课被抽查（{by}），督查结论未出。",
        "To be reviewed because {by} drew this lesson for a spot check and has not decided.",
    ),
    Code.SNAPSHOT_MISSED: Sentence(
        "待审核：本课时缺 {count} 张抓拍，替代材料未获认可。",
        "To be reviewed because snapshots of this lesson hour are missing ({count}) and no "
        "substitute has been accepted.",
    ),
    Code.APPLIED: Sentence(
        "待审核：{by} 于 {at:date} 申请更正（{why}），主管部门未决定。",
        "To be reviewed because {by} applied for a correction on {at:date} ({why}); the "
        "authority has not decided.",
    ),
    Code.ACCEPTED: Sentence(
        "计入：{by} 于 {at:date} 审核认定有效（{why}）。",
        "Counted because {by} decided so on {at:date} ({why}).",
    ),
    Code.REJECTED: Sentence(
        "不计入：{by} 于 {at:date} 审核认定无效（{why}）。",
        "Not counted because {by} decided so on {at:date} ({why}).",
    ),
    Code.WAIVED: Sentence(
        "已审核：{by} 于 {at:date} 认可（{why}）。",
        "Reviewed: {by} settled a doubt on {at:date} ({why}).",
    ),
    Code.EXTENDED: Sentence(
        "拖堂：{by} 批准签退延至 {until:time}（{why}）。",
        "Overrun: {by} approved check-out until {until:time} ({why}).",
    ),
    Code.SUBSTITUTE: Sentence(
        "代课：由已备案教师 {instructor} 开课。",
        "Substitute: started by {instructor}, a filed instructor.",
    ),
    Code.SPOT_CHECK_IMPOSSIBLE: Sentence(
        "无法抽查：本次课太短，没有督查时间。",
        "No spot check possible: the lesson is too short for its window.",
    ),
    Code.APPLIED_LATE: Sentence(
        "更正申请逾期：{by} 于 {at:date} 申请，晚于 {limit:date}，不予受理。",
        "Application too late: {by} applied on {at:date}, after {limit:date}.",
    ),
}

WAYS: Mapping[str, Sentence] = {
    "face": Sentence("人脸", "face"),
    "card": Sentence("学员卡", "card"),
    "pin": Sentence("PIN 码", "PIN"),
    "manual": Sentence("手动", "manual entry"),
    "walk_in": Sentence("临时到场", "walk-in"),
    "unknown": Sentence("未知方式", "an unknown way"),
}
_UNBOUNDED = Sentence("未知时刻", "an unknown time")


def explain(reason: Reason, language: str, zone: ZoneInfo) -> str:
    """Return the sentence of *reason* in *language* (``zh``, else English), times in *zone*."""
    return _Words(language, zone).vformat(_in(SENTENCES[reason.code], language), (), reason.values)


def _in(sentence: Sentence, language: str) -> str:
    return sentence.zh if language == "zh" else sentence.en


class _Words(Formatter):
    """Fills a sentence's values in, each as its format asks."""

    def __init__(self, language: str, zone: ZoneInfo) -> None:
        self._language = language
        self._zone = zone

    def format_field(self, value: Any, format_spec: str) -> str:
        match format_spec:
            case "time":
                return self._at(value).strftime("%H:%M:%S" if value // SECOND % 60 else "%H:%M")
            case "date":
                if value == "":
                    return _in(_UNBOUNDED, self._language)
                return self._at(value).strftime("%Y-%m-%d %H:%M:%S")
            case "minutes":
                return str(value // (60 * SECOND))
            case "way":
                return _in(WAYS[value], self._language)
            case _:
                return str(super().format_field(value, format_spec))

    def _at(self, instant: int) -> datetime:
        return datetime.fromtimestamp(instant // SECOND, self._zone)
