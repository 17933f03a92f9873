"""A machine's own keys: files of mode 0600 beside its database, made there, never sent."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_LOCKER_KEY_BYTES = 32
_NONCE_BYTES = 12


class KeyProblem(Exception):
    """A key file cannot be used; the message says what to do."""


def secret(path: Path, make: bytes) -> bytes:
    """Return the content of the key file *path*; when there is none, it is made from *make*.

    The file appears whole or not at all, and when two processes make it at once both get the
    same one. Raises KeyProblem when others may read it.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, make)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(draft, path)  # unlike a rename this does not replace another's key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    mode = path.stat().st_mode & 0o077
    if mode:
        raise KeyProblem(f"{path}: others may read this key. Run: chmod 600 {path}")
    return path.read_bytes()


class Signer:
    """An Ed25519 key: a box's signs its ledger, the centre's its letters and receipts."""

    def __init__(self, path: Path) -> None:
        """Load the key at *path*, or make it."""
        fresh = Ed25519PrivateKey.generate().private_bytes_raw()
        content = secret(path, fresh)
        if len(content) != len(fresh):
            raise KeyProblem(f"{path}: not a signing key. Restore it from a backup.")
        self._key = Ed25519PrivateKey.from_private_bytes(content)
        self.public_key = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of *message*."""
        return self._key.sign(message)


def sealing_key(path: Path) -> X25519PrivateKey:
    """Load the key at *path* that what is written to this box is sealed to, or make it."""
    fresh = X25519PrivateKey.generate().private_bytes_raw()
    content = secret(path, fresh)
    if len(content) != len(fresh):
        raise KeyProblem(f"{path}: not a sealing key. Restore it from the box's backup.")
    return X25519PrivateKey.from_private_bytes(content)


class Locker:
    """Seals what must not lie open in the database, with a key outside it (AES-256-GCM)."""

    def __init__(self, path: Path, what: str) -> None:
        """Use the key at *path*; the first call makes it. *what* it is called in a KeyProblem."""
        key = secret(path, os.urandom(_LOCKER_KEY_BYTES))
        if len(key) != _LOCKER_KEY_BYTES:
            raise KeyProblem(f"{path}: not {what}. Restore it from the box's backup.")
        self._cipher = AESGCM(key)

    def seal(self, content: bytes, context: bytes) -> tuple[bytes, bytes]:
        """Return a fresh nonce, and *content* sealed with it and bound to *context*."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce, self._cipher.encrypt(nonce, content, context)

    def open(self, nonce: bytes, sealed: bytes, context: bytes, problem: str) -> bytes:
        """Return the content. Raises KeyProblem, as *problem*, when key or context are others."""
        try:
            return self._cipher.decrypt(nonce, sealed, context)
        except InvalidTag as error:
            raise KeyProblem(problem) from error


def fresh_tls_key() -> bytes:
    """Return a new EC P-256 key as PEM, for ``secret``: what proves a machine to the broker."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
