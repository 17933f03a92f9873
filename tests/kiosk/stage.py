"""A box with a kiosk to test with: a simulated clock, a real ledger, real pages."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from edge import config as configuration
from edge.clock import SimulatedClock
from edge.config import Config
from edge.documents import Roster
from edge.events import ScanMade
from edge.files import replace_file
from edge.ledger import Ledger
from edge.media import MediaStore
from edge.model import Instant, Lesson, Way
from edge.service import Service
from kiosk_ui.app import create_app
from kiosk_ui.parts import Parts, parts_of
from kiosk_ui.server import Server
from tests.boxes import send_documents

PIN = "246810"
# Cheap on purpose: tests log in often.
PIN_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PIN)

SETTINGS = """
[box]
id = "room-203"
room = "203"
data_dir = "data"
runtime_dir = "run"
language = "{language}"
[door]
source = "v4l2:/dev/video0"
[[camera]]
id = "front"
label = "3"
address = "rtsp://127.0.0.1:8554/front"
[link]
host = "127.0.0.1"
security = "none"
"""
# Where a test invites a phone: on loopback, at a free port.
PHONES = """
[kiosk]
phone_host = "127.0.0.1"
phone_port = 0
"""
JPEG = b"\xff\xd8\xff\xe0 a picture of the door \xff\xd9"


class Stage:
    """One box: set its time, send it documents, let people scan, look at its pages."""

    def __init__(self, folder: Path, now: Instant, language: str = "en") -> None:
        self.config: Config = configuration.parse(
            SETTINGS.format(language=language) + PHONES, "box.toml", folder
        )
        self.config.runtime_dir.mkdir(parents=True)
        self.clock = SimulatedClock(now)
        self.ledger = Ledger.open(self.config.data_dir, self.config.box_id, self.clock)
        self.media = MediaStore(self.config.data_dir / "media")
        self.app: Flask = create_app(self.config, self.ledger)
        self.app.testing = True

    @property
    def parts(self) -> Parts:
        """What the pages work with."""
        return parts_of(self.app)

    def send(self, lessons: Sequence[Lesson], roster: Roster, version: int = 1) -> None:
        """Put a timetable and a roster in force."""
        send_documents(self.ledger, tuple(lessons), roster, version=version)

    def scan(self, person_id: str, at: Instant | None = None, way: Way = Way.FACE) -> str:
        """Store a scan at *at*, now by default; return its event id."""
        made = ScanMade(person_id, self.clock.at if at is None else at, way, photo="", score=8000)
        return self.ledger.append(made).id

    def show(self, name: str, state: dict[str, Any]) -> None:
        """Write a file of the runtime folder as another service would."""
        content = json.dumps(state).encode()
        replace_file(self.config.runtime_dir / name, content, durable=False)

    def picture(self, content: bytes = JPEG) -> None:
        """Let the door camera give a picture."""
        replace_file(self.config.runtime_dir / "door.jpg", content, durable=False)

    def door(self, guide: str = "none", greet: str = "", person: str = "") -> None:
        """Let the greeter say something."""
        greeting = {"event_id": greet, "person_id": person, "at": self.clock.at} if greet else None
        self.picture()
        self.show("door.json", {"at": self.clock.at, "guide": guide, "greeting": greeting})

    def recorder(self, state: str, cause: str = "") -> None:
        """Let the recorder say how its camera is."""
        camera = {"state": state, "since": self.clock.at, "cause": cause, "lesson_id": ""}
        self.show("recorder.json", {"at": self.clock.at, "cameras": {"front": camera}})

    def link(self, connected: bool, waiting: int = 0) -> None:
        """Let the link say how the way to the centre is."""
        self.show(
            "link.json",
            {
                "at": self.clock.at,
                "connected": connected,
                "acked": 10,
                "head": 10 + waiting,
                "media_waiting": 0,
                "cause": "",
            },
        )

    def client(self) -> Browser:
        """Return a browser without a window."""
        return Browser(self.app)

    @contextmanager
    def served(self, port: int = 0) -> Iterator[str]:
        """Serve the pages on a loopback port, a free one, with live updates; yield the address."""
        service = Service("kiosk")
        live = self.parts.live
        server = Server(self.app, "127.0.0.1", port, threads=12)
        watcher = threading.Thread(target=service.loop, args=(live.look, 0), name="look")
        server.start()
        watcher.start()
        try:
            yield f"http://127.0.0.1:{server.port}"
        finally:
            service.stop.set()
            watcher.join()
            live.close()
            server.close()

    def reopen(self) -> None:
        """Make the pages anew, as a restarted kiosk would."""
        self.app = create_app(self.config, self.ledger)

    def close(self) -> None:
        """Close the ledger."""
        self.ledger.close()


class Browser:
    """Flask's test client, with the token that forms must carry."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()

    def get(self, path: str, follow: bool = True) -> str:
        """Return the page at *path*, after redirects."""
        return self.client.get(path, follow_redirects=follow).get_data(as_text=True)

    def token(self) -> str:
        """Return this session's token, taken as a page would give it."""
        self.get("/lessons")
        with self.client.session_transaction() as session:
            return str(session["token"])

    def post(self, path: str, **fields: Any) -> tuple[int, str]:
        """Send a form with the token; return status and page after redirects."""
        fields.setdefault("token", self.token())
        answer = self.client.post(path, data=fields, follow_redirects=True)
        return answer.status_code, answer.get_data(as_text=True)

    def log_in(self, instructor_id: str, pin: str = PIN) -> tuple[int, str]:
        """Log in at the PIN pad."""
        return self.post("/instructor/login", instructor=instructor_id, pin=pin)
