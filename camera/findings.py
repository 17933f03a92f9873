"""What set-up found that a camera cannot do, or that a person should know: in plain words.

Promises that every code has its sentence in Chinese and in English, each with a remedy where there
is one. Pure.
"""

from __future__ import annotations

from enum import StrEnum


class Finding(StrEnum):
    """One limitation, or one thing that was put right."""

    CLOCK_SET = "clock_set"
    CLOCK_REFUSED = "clock_refused"
    BOX_TIME_UNKNOWN = "box_time_unknown"
    NO_H264 = "no_h264"
    ENCODER_FIXED = "encoder_fixed"
    SMALL_PICTURE = "small_picture"
    RARE_KEY_FRAMES = "rare_key_frames"
    HIGH_BITRATE = "high_bitrate"
    NO_OSD = "no_osd"
    NO_OSD_ROOM = "no_osd_room"
    NO_OSD_TIME = "no_osd_time"
    NO_SNAPSHOT_ADDRESS = "no_snapshot_address"
    NO_SERIAL = "no_serial"
    NO_ONVIF = "no_onvif"
    OTHER_SERIAL = "other_serial"


_WORDS: dict[Finding, tuple[str, str]] = {
    Finding.CLOCK_SET: (
        "摄像机时钟不准，已按终端时间校正。此前画面上的时间有误。",
        "The camera's clock was wrong and was set from the box's. Times in earlier pictures are "
        "off.",
    ),
    Finding.CLOCK_REFUSED: (
        "摄像机时钟不准，且无法由终端校正。请在摄像机自己的页面上校时，或关闭其错误的 NTP 服务器。",
        "The camera's clock is wrong and cannot be set from here. Set it on the camera's own page, "
        "or take away a time server that it cannot reach.",
    ),
    Finding.BOX_TIME_UNKNOWN: (
        "终端自身时间未同步，未校正摄像机时钟。终端校时后会自动补做。",
        "The box's own time is not synchronised, so the camera's clock was left alone. It is set "
        "once the box knows the time.",
    ),
    Finding.NO_H264: (
        "摄像机不提供 H.264 视频，无法录像。"
        "请在摄像机页面上把编码改为 H.264（不是 H.265 或 H.264+）。",
        "The camera offers no H.264 video, so it cannot be recorded. Set its encoding to H.264 on "
        "its own page (not H.265 or H.264+).",
    ),
    Finding.ENCODER_FIXED: (
        "摄像机的编码参数无法远程设置，按现有参数使用。",
        "The camera's encoder cannot be set from here; it is used as it is.",
    ),
    Finding.SMALL_PICTURE: (
        "画面高度不足 720 像素，抓拍中可能看不清后排学员。",
        "The picture is less than 720 lines high: people in the back rows may not be recognisable.",
    ),
    Finding.RARE_KEY_FRAMES: (
        "关键帧间隔超过 2 秒：断电时会多丢几秒录像，抓拍也会晚几秒。"
        "请在摄像机页面上改小 I 帧间隔。",
        "Key frames are more than 2 s apart: a power cut costs more video, and snapshots are "
        "older. Make the I-frame interval smaller on the camera's own page.",
    ),
    Finding.HIGH_BITRATE: (
        "码率高于 4 Mbit/s，磁盘会更快用完。请在摄像机页面上调低码率上限。",
        "The bit rate is above 4 Mbit/s: the disk fills sooner. Lower its limit on the "
        "camera's own page.",
    ),
    Finding.NO_OSD: (
        "摄像机不支持远程设置水印文字；录像另附时间字幕。",
        "The camera takes no text for its picture from here; recordings carry time and room in a "
        "text track instead.",
    ),
    Finding.NO_OSD_ROOM: (
        "摄像机没有接受教室名称水印（可能不支持中文）。",
        "The camera did not take the room's name as text in its picture (Chinese may be too much "
        "for it).",
    ),
    Finding.NO_OSD_TIME: (
        "摄像机没有接受时间水印。请在摄像机页面上打开时间显示。",
        "The camera did not take the time as text in its picture. Switch it on on its own page.",
    ),
    Finding.NO_SNAPSHOT_ADDRESS: (
        "摄像机没有抓拍地址；抓拍改从视频流中取。",
        "The camera has no address for snapshots; they are taken from its stream.",
    ),
    Finding.NO_SERIAL: (
        "摄像机没有报告序列号，换地址后无法自动找回。请在路由器上给它固定地址。",
        "The camera says no serial number, so it cannot be found again after its address changed. "
        "Give it a fixed address at the router.",
    ),
    Finding.NO_ONVIF: (
        "只有视频流地址，没有 ONVIF：时钟、编码和水印不能由终端设置，换地址后也无法自动找回。",
        "Only the stream is known, not ONVIF: clock, encoding and text are not set from here, and "
        "a change of address cannot be followed.",
    ),
    Finding.OTHER_SERIAL: (
        "登记的序列号与摄像机自报的不同。请核对标签，以免绑错摄像机。",
        "The serial number on record differs from the one the camera says. Compare with its label, "
        "lest the wrong camera be bound.",
    ),
}


def words(code: str) -> tuple[str, str]:
    """Return the sentence for *code* in Chinese and in English."""
    return _WORDS[Finding(code)]
