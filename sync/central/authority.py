"""The centre's own certificate authority: who may speak to the broker, and who no longer may.

Owns ``authority/`` under the centre's data folder:

- ``ca.key`` (0600) and ``ca.pem``: the authority itself;
- ``issued/<serial>.pem``: every certificate that it signed, there before anybody gets it;
- ``revoked/<serial>``: a certificate that is void, with the time in microseconds;
- ``ca.crl``: the list of those, signed, which the broker reads;
- ``<name>.key`` (0600) and ``<name>.pem``: the centre's own certificates.

Each file appears whole or not at all, and the list is made from the folder, so a crash between
two steps is mended by doing it again. Keys are EC P-256. Certificates are valid from 2020 to
2060: a box without a battery clock wakes long ago, and nobody visits it to renew anything; what
ends one is the revocation list (X.509: RFC 5280).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edge import keys
from edge.files import replace_file, sync_folder
from edge.model import Instant
from sync.tls import Credentials

NOT_BEFORE = datetime(2020, 1, 1, tzinfo=UTC)
NOT_AFTER = datetime(2060, 1, 1, tzinfo=UTC)
SERVER = "server"

CRL_LASTS = timedelta(days=30)
# A third of its life is left when it is renewed: ten days for somebody to find the centre down.
CRL_RENEWED_BEFORE = timedelta(days=10)
# So far behind the centre's may the broker's clock be; it also leaves room for several lists
# within a second, see _next_update.
_CRL_BACKDATED = timedelta(hours=1)
# X.509 allows 64 letters in a name (RFC 5280, ub-common-name).
LONGEST_NAME = 64


class AuthorityProblem(Exception):
    """The authority cannot do what was asked; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that the authority signed. ``key``: its public key as DER."""

    serial: int
    name: str
    key: bytes
    pem: str


class Authority:
    """The authority in *folder*. Made by ``create``, used by everything else."""

    def __init__(self, folder: Path) -> None:
        """Open it. Raises AuthorityProblem when there is none."""
        self.folder = folder
        self.ca = folder / "ca.pem"
        self.crl = folder / "ca.crl"
        if not self.ca.exists():
            raise AuthorityProblem(
                f"{folder}: the centre has no certificate authority yet. "
                "Run: classbox-central broker init --host NAME"
            )
        try:
            key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
            self._certificate = x509.load_pem_x509_certificate(self.ca.read_bytes())
        except (OSError, ValueError) as error:
            raise AuthorityProblem(
                f"{folder}: the authority cannot be read ({error}). Restore it from its backup."
            ) from error
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key

    @classmethod
    def create(cls, folder: Path, centre: str) -> Authority:
        """Open the authority in *folder*, making it where there is none; *centre* names it."""
        for part in (folder, folder / "issued", folder / "revoked"):
            part.mkdir(parents=True, exist_ok=True, mode=0o700)
        sync_folder(folder.parent)
        sync_folder(folder)
        key = _own_key(folder / "ca.key")
        if not (folder / "ca.pem").exists():
            name = _named(f"classbox {centre}".strip()[:LONGEST_NAME])
            public = key.public_key()
            certificate = (
                _builder(name, name, public)
                .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                .add_extension(_usage(ca=True), critical=True)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
                .sign(key, hashes.SHA256())
            )
            replace_file(folder / "ca.pem", _pem(certificate).encode("ascii"))
        return cls(folder)

    @property
    def certificate(self) -> str:
        """The authority's own certificate, PEM: what boxes pin."""
        return _pem(self._certificate)

    def own(self, name: str, hosts: Sequence[str] = ()) -> Credentials:
        """Return the centre's own credentials of that *name*, made where they are missing.

        With *hosts* (names or IP addresses) it is the broker's; for other hosts than before
        there is a new certificate.
        """
        credentials = self.own_files(self.folder, name)
        key = _own_key(credentials.key)
        if credentials.certificate.exists() and not hosts:
            return credentials
        if credentials.certificate.exists() and set(hosts) == set(self.hosts()):
            return credentials
        pem = self._sign(name, key.public_key(), hosts)
        replace_file(credentials.certificate, pem.encode("ascii"))
        return credentials

    @staticmethod
    def own_files(folder: Path, name: str) -> Credentials:
        """Return where the centre's own credentials of that *name* lie, or would lie."""
        return Credentials(folder / "ca.pem", folder / f"{name}.pem", folder / f"{name}.key")

    def hosts(self) -> list[str]:
        """Return the names and addresses by which the broker may be called, the first first."""
        file = self.own_files(self.folder, SERVER).certificate
        if not file.exists():
            return []
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return [str(name.value) for name in names.value]

    def issue(self, name: str, request: str) -> str:
        """Return a certificate (PEM) of *name* for the key in *request* (a PEM PKCS #10).

        Of the request only the key is taken. Asked again for the same key, the valid certificate
        is returned again: an answer that was lost can be written anew. Raises AuthorityProblem.
        """
        public = requested_key(request, name)
        der = public.public_bytes(*_DER)
        for issued in self.valid(name):
            if issued.key == der:
                return issued.pem
        return self._sign(name, public, ())

    def valid(self, *names: str) -> Iterator[Issued]:
        """Yield the certificates of those names that were not revoked."""
        for file in sorted((self.folder / "issued").glob("*.pem")):
            if (self.folder / "revoked" / file.stem).exists():
                continue
            certificate = x509.load_pem_x509_certificate(file.read_bytes())
            name = str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
            if name in names:
                key = certificate.public_key().public_bytes(*_DER)
                yield Issued(certificate.serial_number, name, key, _pem(certificate))

    def revoke(self, serials: Sequence[int], now: Instant) -> None:
        """Make those certificates void and sign the list anew; the broker must read it again."""
        for serial in serials:
            file = self.folder / "revoked" / f"{serial:x}"
            if not file.exists():  # the first time counts
                replace_file(file, str(now).encode("ascii"))
        self.renew(now)

    def renew(self, now: Instant) -> None:
        """Sign the revocation list anew; the broker must read it again."""
        held = self._held()
        this = _next_update(held, _datetime(now))
        number = 1
        if held is not None:
            number += held.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._certificate.subject)
            .last_update(this)
            .next_update(_datetime(now) + CRL_LASTS)
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(_authority_key(self._key.public_key()), critical=False)
        )
        for file in sorted((self.folder / "revoked").iterdir()):
            if not file.name.startswith("."):
                builder = builder.add_revoked_certificate(
                    x509.RevokedCertificateBuilder()
                    .serial_number(int(file.name, 16))
                    .revocation_date(_datetime(int(file.read_text("ascii"))))
                    .build()
                )
        signed = builder.sign(self._key, hashes.SHA256())
        replace_file(self.crl, signed.public_bytes(serialization.Encoding.PEM))

    def renewal_due(self, now: Instant) -> bool:
        """Tell whether the list should be signed anew.

        With an expired one the broker lets nobody in, and neither with one from the future.
        """
        held = self._held()
        if held is None or held.next_update_utc is None:
            return True
        at = _datetime(now)
        return held.last_update_utc > at or held.next_update_utc - at < CRL_RENEWED_BEFORE

    def expires(self) -> datetime | None:
        """Return when the list that lies there expires."""
        held = self._held()
        return held.next_update_utc if held is not None else None

    def _held(self) -> x509.CertificateRevocationList | None:
        if not self.crl.exists():
            return None
        return x509.load_pem_x509_crl(self.crl.read_bytes())

    def _sign(self, name: str, public: ec.EllipticCurvePublicKey, hosts: Sequence[str]) -> str:
        if len(name) > LONGEST_NAME:
            raise AuthorityProblem(
                f"{name}: a certificate's name has at most {LONGEST_NAME} letters. "
                "Give the box a shorter id."
            )
        usage = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = (
            _builder(self._certificate.subject, _named(name), public)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(ca=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(_authority_key(self._key.public_key()), critical=False)
        )
        if hosts:
            named = x509.SubjectAlternativeName([_host(host) for host in hosts])
            builder = builder.add_extension(named, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        pem = _pem(certificate)
        replace_file(
            self.folder / "issued" / f"{certificate.serial_number:x}.pem", pem.encode("ascii")
        )
        return pem


def requested_key(request: str, name: str) -> ec.EllipticCurvePublicKey:
    """Return the key in *request*, a PKCS #10 in PEM; raises AuthorityProblem for a bad one."""
    try:
        csr = x509.load_pem_x509_csr(request.encode("ascii"))
    except ValueError as error:
        raise AuthorityProblem(f"{name}: not a certificate request: {error}") from error
    key = csr.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise AuthorityProblem(f"{name}: the request's key is not an EC P-256 key")
    if not csr.is_signature_valid:
        raise AuthorityProblem(f"{name}: the request is not signed by its own key")
    return key


_DER = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _own_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(keys.secret(path, keys.fresh_tls_key()), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _builder(
    issuer: x509.Name, subject: x509.Name, public: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_AFTER)
    )


def _usage(ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority_key(public: ec.EllipticCurvePublicKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(public)


def _next_update(held: x509.CertificateRevocationList | None, now: datetime) -> datetime:
    """Return the date of the next list, later than that of the one before.

    A broker that reads a list again keeps the one before too, and OpenSSL goes by the later of
    two (X509_STORE, crypto/x509/x509_vfy.c): with equal dates a revocation would pass unnoticed.
    A list from the future, made by a clock that was wrong, is not outbid: it is not valid yet.
    """
    this = now.replace(microsecond=0) - _CRL_BACKDATED
    if held is not None and held.last_update_utc <= now:
        this = max(this, held.last_update_utc + timedelta(seconds=1))
    return this


def _datetime(at: Instant) -> datetime:
    return datetime.fromtimestamp(at // 1_000_000, UTC)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
