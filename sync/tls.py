"""TLS to the broker, for box and centre alike: whom to trust, and who one is.

Owns the checks: the pinned authority and no other, TLS 1.2 or newer, the broker's host name, and
the dates only where this machine can know what day it is.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.clock import RELEASED
from edge.model import ClockQuality, Instant, Reading

Context = Callable[[], ssl.SSLContext]

# X509_V_FLAG_NO_CHECK_TIME (OpenSSL, x509_vfy.h); Python's ssl has no name for it.
_NO_CHECK_TIME = ssl.VerifyFlags(0x200000)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where certificates lie: the authority's, one's own, and the key to it; all PEM."""

    ca: Path
    certificate: Path
    key: Path

    def missing(self) -> Path | None:
        """Return the first of the files that is not there."""
        return next((f for f in (self.ca, self.certificate, self.key) if not f.exists()), None)


def of_box(data_dir: Path, connection: str) -> Credentials:
    """Return where a box keeps what it was enrolled with; *connection*: facts | media."""
    keys = data_dir / "keys"
    own = keys / f"broker-{connection}"
    return Credentials(keys / "broker-ca.pem", own.with_suffix(".pem"), own.with_suffix(".key"))


def context(credentials: Credentials, dates_trusted: bool) -> ssl.SSLContext:
    """Return what a connection to the broker is checked by; raises OSError.

    Without *dates_trusted* the broker's certificate is checked but for its dates: a box that
    wakes in 1970 would find that none is valid yet, and could never learn the time. What then
    remains is the signature of the one authority that the box was enrolled with.
    """
    made = ssl.create_default_context(cafile=str(credentials.ca))
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(credentials.certificate, credentials.key)
    if not dates_trusted:
        made.verify_flags |= _NO_CHECK_TIME
    return made


def dates_trusted(machine: Reading, floor: Instant = RELEASED) -> bool:
    """Tell whether dates may be judged by *machine*, a reading of the machine's own clock.

    By no other does OpenSSL judge them, even when the box has learned the time elsewhere. It must
    be synchronised, and past *floor*, the time of something that has happened.
    """
    return machine.clock is ClockQuality.SYNCHRONISED and machine.at >= max(floor, RELEASED)
