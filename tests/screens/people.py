"""A fictional class for pictures: nobody of these names is meant."""

from __future__ import annotations

from edge.documents import Roster
from edge.model import (
    Instructor,
    Lesson,
    LessonHour,
    LessonState,
    Notice,
    Trainee,
    TrainingClass,
)
from tests.boxes import CLASS_ID, at

CLASS = "中式面点师（初级）2026-3 班"
OTHER_CLASS = "养老护理员（中级）2026-1 班"
_NAMES = """
周海燕 孙立平 赵敏 钱文博 郑秀兰 冯志强 韩雪梅 杨帆 朱丽华 秦明月 许国栋 何小草 吕晓东 施惠
张桂芳 孔令辉 李小华 曹阳 严冬梅 华建军 陈学明 金凤 魏来 陶春生 姜楠 戚薇 谢天恩 欧阳小雪
邹静 喻红 柏松 水清 窦文涛 章程 云飞扬 苏醒 潘月 葛亮 奚望 吴桐 彭程 郎平安
"""
NAMES = tuple(_NAMES.split())
LI = "p-17"
ABSENT = ("p-3", "p-21", "p-28", "p-40")


def roster(pin_hash: str) -> Roster:
    """Return the class of 42 and its two instructors."""
    received = at("08:00", "2026-11-01")
    trainees = tuple(
        Trainee(f"p-{number}", f"{number:02d}", name) for number, name in enumerate(NAMES, 1)
    )
    return Roster(
        classes=(
            TrainingClass(CLASS_ID, CLASS, "2026-JN-0031", "县人社局", received, trainees),
            TrainingClass("class-2", OTHER_CLASS, "2026-JN-0027", "县人社局", received, ()),
        ),
        instructors=(
            Instructor("t-wang", "王建国", pin_hash),
            Instructor("t-liu", "刘芸", pin_hash),
        ),
    )


def lessons() -> tuple[Lesson, ...]:
    """Return the lessons of some days around 2026-11-23."""
    return (
        _lesson("l-20", "2026-11-20", CLASS_ID, "t-wang", ("09:00", "09:45"), ("09:45", "10:30")),
        _lesson(
            "lesson-1", "2026-11-23", CLASS_ID, "t-wang", ("09:00", "09:45"), ("09:45", "10:30")
        ),
        _lesson("l-23b", "2026-11-23", "class-2", "t-liu", ("14:00", "14:45"), ("14:45", "15:30")),
        _lesson("l-24", "2026-11-24", CLASS_ID, "t-wang", ("09:00", "09:45"), ("09:45", "10:30")),
        _lesson(
            "l-25",
            "2026-11-25",
            "class-2",
            "t-liu",
            ("14:00", "14:45"),
            ("14:45", "15:30"),
            state=LessonState.CANCELLED,
            reason="停电检修",
        ),
    )


def _lesson(
    lesson_id: str,
    day: str,
    class_id: str,
    instructor: str,
    *hours: tuple[str, str],
    state: LessonState = LessonState.PLANNED,
    reason: str = "",
) -> Lesson:
    return Lesson(
        id=lesson_id,
        class_id=class_id,
        class_name=CLASS if class_id == CLASS_ID else OTHER_CLASS,
        room="203",
        instructors=(instructor,),
        hours=tuple(LessonHour(at(start, day), at(end, day)) for start, end in hours),
        profile="default",
        state=state,
        reason=reason,
    )


NOTICES = (
    Notice(
        "fire-drill",
        at("08:00"),
        at("18:00"),
        "消防演练",
        "Fire drill",
        "今天上午十点整进行消防演练，请各班学员听从教员安排，"
        "从东侧楼梯有序下楼，不要推挤，不要使用电梯，在操场按班级集合，点名后返回教室。因故不能参加的学员请"
        "提前向教员说明。演练期间请勿在走廊停留，教室门保持打开，贵重物品随身携带，谢谢配合。",
        "At ten this morning. Please follow the instructor down the east stairs and wait in the "
        "yard until the roll call is over, then return.",
    ),
    Notice(
        "id-cards",
        at("07:00"),
        at("18:00"),
        "请带身份证",
        "Bring your ID card",
        "周五考核，请携带身份证原件。",
        "The assessment is on Friday.",
    ),
)
