"""Wrong configuration names the key, the line and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.config import ConfigError, load, parse
from edge.model import MINUTE

GOOD = """\
[box]
id = "room-203"
room = "203"
data_dir = "data"

[[camera]]
id = "classroom"
label = "A1"
address = "rtsp://192.0.2.7:554/main"
user = "viewer"
password = "very secret"

[door]
source = "folder:pictures"

[link]
host = "127.0.0.1"
port = 1883
security = "none"
"""


def test_a_good_file_becomes_a_config(tmp_path: Path) -> None:
    """Relative folders lie beside the file; what is not said has its default."""
    file = tmp_path / "box.toml"
    file.write_text(GOOD)
    config = load(file)
    assert config.data_dir == tmp_path / "data"
    assert config.segment_length == 3 * MINUTE
    assert config.cameras[0].kind == "rtsp"
    assert config.door is not None
    assert config.door.source == f"folder:{tmp_path}/pictures"
    assert (config.kiosk.host, config.language) == ("127.0.0.1", "zh")


def test_no_password_is_printed(tmp_path: Path) -> None:
    """A config may be logged: its secrets are not part of its text."""
    assert "very secret" not in repr(parse(GOOD, "box.toml", tmp_path))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (('id = "room-203"\n', ""), "box.toml line 1: box.id: is missing. Write id = …"),
        (('"room-203"', '"room 203"'), "line 2: box.id: 'room 203': use letters, digits"),
        (("port = 1883", "port = 0"), "line 18: link.port: 0 is out of range. Write 1 to 65535."),
        (("port = 1883", 'port = "x"'), "line 18: link.port: must be a whole number, not 'x'"),
        (("port = 1883", "prot = 1883"), "line 18: link.prot: is not a setting. Known here: host"),
        (("[link]", "[lnk]"), "line 16: lnk: is not a setting. Known here: box,"),
        (("rtsp://192", "ftp://192"), r"line 9: camera\[0\].address: write rtsp://HOST"),
        (("folder:pictures", "webcam"), "line 14: door.source: write \"v4l2:/dev/video0\""),
        (('"203"', '"203"\nlanguage = "fr"'), "line 4: box.language: 'fr' is not known. Write one"),
        (('room = "203"', "room = 203"), "line 3: box.room: must be text in quotes, not 203"),
        (('room = "203"', "room = "), "box.toml: not valid TOML: .*line 3"),
        (('password = "very secret"', 'password_file = "no"'), "password_file: cannot be read"),
        (("rtsp://192", "rtsp://u:p@192"), "put the password under `password_file`"),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_remedy(
    tmp_path: Path, change: tuple[str, str], complaint: str
) -> None:
    """Each mistake says where it stands and what to write instead."""
    assert change[0] in GOOD
    with pytest.raises(ConfigError, match=complaint):
        parse(GOOD.replace(*change), "box.toml", tmp_path)


def test_the_second_of_two_cameras_is_found(tmp_path: Path) -> None:
    """A mistake in an array of tables is named with its own line."""
    text = GOOD + '\n[[camera]]\nid = "classroom"\naddress = "rtsp://192.0.2.8/main"\n'
    with pytest.raises(ConfigError, match=r"line 22: camera\[1\]\.id: 'classroom' stands there"):
        parse(text, "box.toml", tmp_path)


def test_a_missing_file_says_how_to_name_one(tmp_path: Path) -> None:
    """The command line's remedy is part of the message."""
    with pytest.raises(ConfigError, match=r"no such file\. Name one: classbox --config PATH"):
        load(tmp_path / "nothing.toml")
