"""What the pages of a bundle say, in Chinese: its readers are inspectors of a county. Pure.

The pages are part of what is verified, so their language does not depend on who looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge.model import Instant, LessonState
from sync.central.bundle.figures import Irregularity

EXCEPTIONS: Mapping[str, str] = {
    "not_held": "课表有课而无上课记录",
    "filed_late": "备案收到时间晚于上课",
    "manual": "手动签到、签退（有照片）",
    "manual_without_photo": "手动签到、签退（无照片）",
    "no_check_out": "签到后未签退",
    "time_in_doubt": "打卡时间存疑（误差跨过时段边界）",
    "clock_stepped": "上课期间终端时钟跳变",
    "snapshot_missed": "缺抓拍",
    "snapshot_unheard": "抓拍尚无消息",
    "snapshot_recovered": "抓拍由录像补取",
    "fewer_heads": "抓拍人数少于签到人数",
    "no_recording": "无录像记录",
    "recording_gap": "录像中断",
    "spot_check_missing": "被抽查而未提交督查照片",
    "spot_check_pending": "督查照片待审核",
    "spot_check_rejected": "督查未通过",
    "media_away": "照片未上传到中心",
    "media_erased": "照片已依法删除",
    "body_erased": "记录内容已依法删除",
    "chain_branched": "终端恢复过备份或更换过存储",
}
_CAUSES = {
    "camera_unreachable": "摄像头无应答",
    "camera_silent": "摄像头画面停住或网线断开",
    "camera_hung_up": "摄像头断开连接",
    "login_refused": "摄像头拒绝密码",
    "video_unusable": "摄像头视频无法录制",
    "disk_full": "存储已满",
    "writing_failed": "终端未能写入录像",
    "recorder_off": "终端或录像服务未运行",
    "picture_unusable": "照片损坏",
    "answered_late": "摄像头应答过迟",
    "no_camera": "未配置摄像头",
    "known_late": "课表到达过迟",
    "no_picture_yet": "摄像头未及时出画面",
    "restored": "恢复过备份",
    "forked": "存储被复制后又继续使用",
}
_REASONS = {
    "face_not_recognised": "人脸未认出",
    "face_not_enrolled": "未登记人脸",
    "camera_out": "摄像头故障",
    "declined_face": "不同意刷脸",
}
_STATES = {
    LessonState.CANCELLED: "课次标为：已取消",
    LessonState.POSTPONED: "课次标为：已改期",
    LessonState.MADE_UP: "课次标为：已补课",
}
CREDITS = {"valid": "有效", "pending": "待审核", "invalid": "无效"}
_SORTS = {"photo": "打卡照片", "snapshot": "抓拍", "spot check": "督查照片"}


def cause(code: str) -> str:
    """Return a cause; what is no code of this version as it stands."""
    return _CAUSES.get(code, code)


def reason(code: str) -> str:
    """Return the reason of a manual entry."""
    return _REASONS.get(code, code) or "未写原因"


def exception(
    one: Irregularity, when: Callable[[Instant], str], clock: Callable[[Instant], str]
) -> str:
    """Return one exception in words; *when* writes a date and time, *clock* a time of day.

    The day of the lesson stands before it.
    """
    at = clock(one.at) if one.at else ""
    match one.code:
        case "not_held":
            text = f"{at} {_STATES.get(LessonState(one.what), '')}"
        case "filed_late":
            text = f"备案收到于 {when(one.at)}"
        case "manual" | "manual_without_photo":
            text = f"{one.who} · {at} · {reason(one.what)}"
        case "no_check_out":
            text = f"{one.who} · 第 {one.what} 考勤段 · 签到 {at}"
        case "time_in_doubt":
            text = f"{one.who} · {at} · 误差约 {one.what} 秒"
        case "clock_stepped":
            text = f"{one.what} 次"
        case "snapshot_missed":
            text = f"第 {one.who} 张 · 应于 {at} · {cause(one.what)}"
        case "snapshot_unheard" | "snapshot_recovered":
            text = f"第 {one.who} 张 · {at}"
        case "fewer_heads":
            text = f"第 {one.who} 张 · {at} · 画面约 / 已签到：{one.what}"
        case "recording_gap":
            text = f"{at} 起约 {one.who} 分钟 · {cause(one.what)}"
        case "no_recording":
            text = f"{at} 的课"
        case "spot_check_missing" | "spot_check_pending" | "spot_check_rejected":
            text = f"抽查单位：{one.who}"
        case "media_away" | "media_erased":
            text = f"{_SORTS.get(one.who, one.who)} {one.what}…"
        case "body_erased":
            text = f"终端 {one.who} · 第 {one.what}"
        case _:
            text = f"终端 {one.who} · {cause(one.what)}"
    return text.strip()


def masked(identity: str, whole: bool) -> str:
    """Return an ID number with its first 6 characters shown (R22), or *whole*.

    What is too short for an ID number is a number of the school's own and stays.
    """
    if whole or len(identity) < 8:
        return identity
    return identity[:6] + "*" * (len(identity) - 6)
