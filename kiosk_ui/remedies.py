"""What ``kiosk_ui.checkup`` found, in words: what it is, and what to do.

Must be called inside a request or ``doctor_command.speaking``, which has the language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from edge.look.language import _
from kiosk_ui import faults
from kiosk_ui.checkup import Found
from kiosk_ui.faults import Fault


def titles() -> dict[str, str]:
    """Return what each check is called, in the order in which they are shown."""
    return {
        "settings": _("Settings"),
        "services": _("Services"),
        "network": _("Network"),
        "clock": _("Clock"),
        "centre": _("Centre"),
        "camera": _("Classroom cameras"),
        "door": _("Door camera"),
        "disk": _("Storage"),
        "card": _("Card wear"),
        "database": _("Database"),
        "models": _("Face models"),
        "permissions": _("Permissions"),
    }


def words(found: Found) -> Fault:
    """Return what was found, and what to do about it; nothing where nothing is to be done."""
    if found.case is not None:
        labels = found.facts["labels"]
        assert isinstance(labels, Mapping)
        return faults.of_case(found.case, labels)
    return _WORDS[found.code](found.facts)


Facts = Mapping[str, Any]

_WORDS: dict[str, Callable[[Facts], Fault]] = {
    "settings_wrong": lambda facts: Fault(
        _("A setting is wrong: %(why)s", why=facts["why"]),
        _("Correct it, then restart the services: systemctl restart classbox.target"),
    ),
    "services_unknown": lambda facts: Fault(
        _("systemd does not tell whether the services run"),
        _("On a box, ask as root: sudo classbox doctor"),
    ),
    "service_left_out": lambda facts: Fault(
        _("%(service)s is left out by the settings", service=facts["service"]),
        _("If it is wanted, complete box.toml and restart: systemctl restart classbox.target"),
    ),
    "service_off": lambda facts: Fault(
        _("%(service)s does not run (%(why)s)", service=facts["service"], why=facts["why"]),
        _(
            "It is tried again by itself; the reason stands in: journalctl -u classbox-%(service)s",
            service=facts["service"],
        ),
    ),
    "services_run": lambda facts: Fault(
        _("All services that should run do (%(count)s)", count=facts["count"]), ""
    ),
    "no_network": lambda facts: Fault(
        _("No network"),
        _("Lessons go on without it. To reach the centre, check cable and switch"),
    ),
    "network": lambda facts: Fault(
        _("Connected through %(interface)s", interface=facts["interface"]), ""
    ),
    "no_date": lambda facts: Fault(
        _("The box does not know the date"),
        _("Connect it to the network or to the centre once; lessons can be held meanwhile"),
    ),
    "battery_clock": lambda facts: Fault(
        _("The time comes from the battery clock and is not confirmed"),
        _("Connect the box to the network or to the centre once"),
    ),
    "clock": lambda facts: Fault(_("The time is right (%(source)s)", source=facts["source"]), ""),
    "no_link": lambda facts: Fault(
        _("No centre is set: the box keeps everything to itself"),
        _("If it has a centre, name it under [link] in box.toml"),
    ),
    "link_silent": lambda facts: Fault(
        _("The link to the centre does not answer"),
        _("It starts again by itself; if this stays: journalctl -u classbox-link"),
    ),
    "not_connected": lambda facts: Fault(
        _("The centre %(host)s is not reached", host=facts["host"]),
        _(
            "%(waiting)s records and files wait here, safely. Check the network; "
            "classbox link status says why",
            waiting=facts["waiting"],
        ),
    ),
    "connected": lambda facts: Fault(
        _(
            "Connected to %(host)s, %(waiting)s records and files have yet to go",
            host=facts["host"],
            waiting=facts["waiting"],
        ),
        "",
    ),
    "no_door": lambda facts: Fault(
        _("No door camera is set: nobody is recognised"),
        _("Name it under [door] in box.toml, such as v4l2:/dev/video0"),
    ),
    "no_device": lambda facts: Fault(
        _("The door camera %(device)s is not there", device=facts["device"]),
        _("Plug it in again, into another socket if need be; classbox cameras discover lists all"),
    ),
    "no_picture": lambda facts: Fault(
        _("The door camera %(label)s gives no picture", label=facts["label"]),
        _("Check its cable; if this stays: journalctl -u classbox-greeter"),
    ),
    "door": lambda facts: Fault(
        _("The door camera %(label)s gives a picture", label=facts["label"]), ""
    ),
    "cameras": lambda facts: Fault(
        _("%(count)s bound, nothing stands against them", count=facts["count"]), ""
    ),
    "disk": lambda facts: Fault(
        _("%(free)s of %(total)s GB are free", free=facts["free"], total=facts["total"]), ""
    ),
    "card": lambda facts: Fault(
        _("%(device)s: at most %(percent)s %% of its life are used", **facts), ""
    ),
    "worn": lambda facts: Fault(
        _("%(device)s is worn: %(percent)s %% of its life are used", **facts),
        _("Replace it soon: let the centre have everything first, then copy the data folder"),
    ),
    "card_silent": lambda facts: Fault(
        _("The card does not tell how worn it is"), _("Replace an SD card every two years")
    ),
    "never_ran": lambda facts: Fault(
        _("No service has run here yet"),
        _("Start them: systemctl start classbox.target"),
    ),
    "database_broken": lambda facts: Fault(
        _("The database cannot be used: %(why)s", why=facts["why"]),
        _("Touch nothing in the data folder, and call for help: most of it can be saved"),
    ),
    "database": lambda facts: Fault(
        _("Whole, %(events)s events", events=facts["events"]),
        "",
    ),
    "model_wrong": lambda facts: Fault(
        _("%(name)s is missing or is not the right file", name=facts["name"]),
        _("Install again: ./box install box"),
    ),
    "models_unknown": lambda facts: Fault(
        _("There is no list to check the models by"), _("Install again: ./box install box")
    ),
    "models": lambda facts: Fault(_("All %(count)s are the right ones", count=facts["count"]), ""),
    "open_to_others": lambda facts: Fault(
        _("Others may read %(path)s", path=facts["path"]),
        _("As root: chmod %(mode)s %(path)s", **facts),
    ),
    "other_owner": lambda facts: Fault(
        _("%(path)s belongs to another account", path=facts["path"]),
        _("As root: chown --reference=%(folder)s %(path)s", **facts),
    ),
    "permissions": lambda facts: Fault(_("As they should be"), ""),
}
