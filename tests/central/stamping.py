"""A time stamp authority to test with: ``openssl ts`` behind HTTP on a loopback port."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.processes import in_another_time

_SETTINGS = """\
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
certs = {folder}/root.pem
default_policy = 1.2.3.4.1
digests = sha256, sha512
signer_digest = sha256
ordering = yes
ess_cert_id_chain = no
"""


class StampAuthority:
    """``address`` takes requests; ``roots`` is what trusts it; ``asked`` are the requests (DER).

    With ``answer`` it says that instead of a stamp; with ``status`` it fails like that.
    """

    def __init__(self, folder: Path, when: str = "") -> None:
        """Make keys and certificates in *folder*, valid for 30 days.

        *when*: the day that this authority lives in, such as ``2025-01-01``; today without.
        """
        folder.mkdir(parents=True)
        wall = in_another_time(folder / "wall", f"@{when} 12:00:00") if when else {}
        self._environment = {**os.environ, **wall}
        self.folder = folder
        self.roots = folder / "root.pem"
        self.asked: list[bytes] = []
        self.answer: bytes | None = None
        self.status = 200
        self.address = ""
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(_SETTINGS.format(folder=folder))
        (folder / "ext").write_text("extendedKeyUsage=critical,timeStamping\n")
        key = ("-newkey", "rsa:2048", "-nodes")
        self._openssl("req", "-x509", *key, "-keyout", "root.key", "-out", "root.pem",
                      "-subj", "/CN=Root of time", "-days", "30")  # fmt: skip
        self._openssl("req", *key, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=Time")
        self._openssl("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key",
                      "-CAcreateserial", "-extfile", "ext", "-out", "tsa.pem",
                      "-days", "30")  # fmt: skip

    def reply(self, query: bytes) -> bytes:
        """Return what OpenSSL answers to a request (TimeStampReq, DER)."""
        (self.folder / "query").write_bytes(query)
        self._openssl("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply")
        return (self.folder / "reply").read_bytes()

    def verifies(self, content: Path, stamp: Path) -> bool:
        """Tell whether OpenSSL, which knows nothing of us, takes *stamp* for *content*."""
        words = ["ts", "-verify", "-data", str(content), "-in", str(stamp), "-CAfile", "root.pem"]
        return self._openssl(*words, must=False) == 0

    def _openssl(self, *words: str, must: bool = True) -> int:
        done = subprocess.run(
            ["openssl", *words],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert not must or done.returncode == 0, done.stderr.decode()
        return done.returncode


@contextmanager
def stamping(folder: Path, when: str = "") -> Iterator[StampAuthority]:
    """Run an authority whose files are in *folder*, *when* it lives."""
    authority = StampAuthority(folder, when)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            authority.asked.append(query)
            body = authority.answer if authority.answer is not None else authority.reply(query)
            self.send_response(authority.status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Be silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    authority.address = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield authority
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
