"""What a Mosquitto must be told so that each client can say and hear its own things only.

Owns ``broker/`` under the centre's data folder: ``mosquitto.conf``, ``acl``, and the process id
that the running broker writes there. The name in a client's certificate is its name and its
client id, so that nobody can take over another's session; the topics that a box may use are those
with its own name in them (sync/messages.py).
"""

from __future__ import annotations

import logging
import os
import signal
import ssl
from dataclasses import dataclass
from pathlib import Path

from edge.clock import Clock
from edge.files import replace_file
from edge.model import Instant
from sync import tls
from sync.central.authority import SERVER, Authority, AuthorityProblem
from sync.central.config import CentreConfig
from sync.messages import FRAME, MEDIA_SUFFIX, PACKET_LIMIT, PREFIX, WATCH, shard_topic

log = logging.getLogger("classbox")

_PROGRAM = "mosquitto"
# The console's own connection, for live view. The dot keeps it apart from every box's id.
CONSOLE = "centre.console"


@dataclass(frozen=True, slots=True)
class Listener:
    """Where the broker listens: an empty ``address`` is every one. ``user``: whom it runs as."""

    port: int
    address: str = ""
    user: str = ""


def ingester(number: int) -> str:
    """Return the name of an ingester, from 1. The dot keeps it apart from every box's id."""
    return f"centre.ingest-{number}"


def write(folder: Path, authority: Authority, listener: Listener, ingesters: int) -> Path:
    """Write configuration and access list into *folder*; return the configuration's path."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace_file(folder / "acl", access_list(ingesters).encode("ascii"))
    path = folder / "mosquitto.conf"
    replace_file(path, settings(folder, authority, listener).encode("utf-8"))
    return path


def settings(folder: Path, authority: Authority, listener: Listener) -> str:
    """Return the content of ``mosquitto.conf`` (mosquitto.conf(5), Mosquitto 2)."""
    server = Authority.own_files(authority.folder, SERVER)
    user = f"user {listener.user}\n" if listener.user else ""
    return f"""\
# Written by `classbox-central broker config`; changes here are lost by the next one.
{user}pid_file {folder.absolute() / "mosquitto.pid"}
log_dest stderr
log_type error
log_type warning
log_type notice
log_type information

listener {listener.port} {listener.address}
cafile {server.ca.absolute()}
certfile {server.certificate.absolute()}
keyfile {server.key.absolute()}
crlfile {authority.crl.absolute()}
tls_version tlsv1.2
require_certificate true
use_identity_as_username true
# Without this a client that names another's id takes over its session.
use_username_as_clientid true
allow_anonymous false
acl_file {(folder / "acl").absolute()}

# Nothing relies on what a broker keeps: whoever missed something asks again.
persistence false
set_tcp_nodelay true
max_inflight_messages 1000
max_packet_size {PACKET_LIMIT}
"""


def access_list(ingesters: int) -> str:
    """Return the content of the access list for that many ingesters and any number of boxes."""
    parts = [
        "# Written by `classbox-central broker config`. %u is the name in the certificate.",
        f"pattern write {PREFIX}/+/%u/up/#",
        f"pattern read {PREFIX}/+/%u/down/#",
    ]
    for number in range(1, ingesters + 1):
        for name in (ingester(number), ingester(number) + MEDIA_SUFFIX):
            parts += [
                "",
                f"user {name}",
                f"topic read {PREFIX}/+/+/up/#",
                f"topic write {PREFIX}/+/+/down/#",
            ]
    # It sees pictures of this moment and says who looks: no facts, no documents.
    parts += [
        "",
        f"user {CONSOLE}",
        f"topic read {shard_topic('+', FRAME)}",
        f"topic write {shard_topic('+', WATCH)}",
    ]
    return "\n".join(parts) + "\n"


def reload(folder: Path) -> bool:
    """Let the broker on this machine read its revocation list again (SIGHUP).

    False when none runs from *folder*, or when it belongs to somebody else.
    """
    try:
        pid = int((folder / "mosquitto.pid").read_text("ascii"))
        # After a crash the number may be another program's.
        if Path(f"/proc/{pid}/comm").read_text("ascii").strip() != _PROGRAM:
            return False
        os.kill(pid, signal.SIGHUP)
    except (OSError, ValueError):
        return False
    return True


def context_of(config: CentreConfig, name: str, clock: Clock) -> tls.Context | None:
    """Return what makes the TLS of the centre's own connection of that *name*, if it has any."""
    if config.security == "none":
        return None
    credentials = Authority.own_files(config.data_dir / "authority", name)

    def made() -> ssl.SSLContext:
        return tls.context(credentials, tls.dates_trusted(clock.now()))

    return made


def missing(config: CentreConfig, name: str) -> Path | None:
    """Return the first file that the centre's own connection of that *name* lacks."""
    return Authority.own_files(config.data_dir / "authority", name).missing()


def check(config: CentreConfig, name: str) -> None:
    """Say loudly that the way is open; raise AuthorityProblem where certificates are missing."""
    if config.security == "none":
        log.warning(
            "ingest: development mode: nothing is encrypted and any box is trusted as it is "
            'first heard. For classrooms write security = "tls" under [broker].'
        )
        return
    lacking = missing(config, name)
    if lacking is not None:
        raise AuthorityProblem(
            f"{lacking} is missing, so the broker would not let this ingester in. "
            "Run: classbox-central broker init --host NAME --ingesters COUNT"
        )


def keep_current(data_dir: Path, now: Instant) -> None:
    """Sign the revocation list anew when that is due, and let the broker read it."""
    authority = Authority(data_dir / "authority")
    if not authority.renewal_due(now):
        return
    authority.renew(now)
    log.info("broker: the revocation list was renewed, until %s", authority.expires())
    if not reload(data_dir / "broker"):
        log.warning(
            "broker: no broker of this centre runs here: bring %s to it and let it reload, or it "
            "will let nobody in once its own copy has expired",
            authority.crl,
        )
