"""The words for what boxes say is wrong with their cameras and disks, each with its remedy.

Owns the sentences for the codes of ``edge.rules.alerts``; their translation is in ``translations``.
"""

from __future__ import annotations

from edge.look.language import _


def said(code: str, camera: str, time: str) -> tuple[str, str]:
    """Return the tag and the sentence of an alert; *time*: since when."""
    known = {
        "offline": (
            _("Camera out"),
            _("camera %(camera)s since %(time)s; check its cable and power", **_of(camera, time)),
        ),
        "refused": (
            _("Camera refuses"),
            _(
                "camera %(camera)s since %(time)s: wrong password; correct it on the box",
                **_of(camera, time),
            ),
        ),
        "unusable": (
            _("Camera unusable"),
            _("camera %(camera)s since %(time)s: set it to H.264", **_of(camera, time)),
        ),
        "not_recording": (
            _("Not recorded"),
            _(
                "camera %(camera)s is connected and not recorded since %(time)s; restart it",
                **_of(camera, time),
            ),
        ),
        "picture_black": (
            _("Picture black"),
            _(
                "camera %(camera)s since %(time)s; is the light off, or the cap on?",
                **_of(camera, time),
            ),
        ),
        "picture_covered": (
            _("Picture covered"),
            _(
                "camera %(camera)s since %(time)s; take away what hangs before the lens",
                **_of(camera, time),
            ),
        ),
        "picture_frozen": (
            _("Picture frozen"),
            _(
                "camera %(camera)s repeats one picture since %(time)s; restart it",
                **_of(camera, time),
            ),
        ),
        "view_changed": (
            _("View changed"),
            _(
                "camera %(camera)s shows another view than in the last lesson since %(time)s; "
                "turn it back, or accept the view on the box",
                **_of(camera, time),
            ),
        ),
        "frame_rate": (
            _("Few pictures"),
            _(
                "camera %(camera)s since %(time)s; check its cable and the switch",
                **_of(camera, time),
            ),
        ),
        "clock": (
            _("Camera clock wrong"),
            _("camera %(camera)s cannot be set by the box; set it on its own page", camera=camera),
        ),
        "not_bound": (
            _("Camera not bound"),
            _("no camera films this room's lessons; bind one on the box"),
        ),
        "disk_full": (
            _("Storage full"),
            _(
                "recording stopped at %(time)s; attendance and snapshots go on; connect the box or "
                "give it a larger card",
                time=time,
            ),
        ),
        "disk_degraded": (
            _("Storage filling"),
            _(
                "video is recorded smaller since %(time)s, attendance and snapshots come first; "
                "connect the box or give it a larger card",
                time=time,
            ),
        ),
        "disk_filling": (
            _("Storage filling"),
            _("room for a few more days of lessons; connect the box or give it a larger card"),
        ),
    }
    return known.get(code, (code, camera))


def name(code: str) -> str:
    """Return the tag of an alert."""
    return said(code, "", "")[0]


def _of(camera: str, time: str) -> dict[str, str]:
    return {"camera": camera, "time": time}
