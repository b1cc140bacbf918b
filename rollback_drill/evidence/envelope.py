"""Signs a statement: a DSSE envelope with one ed25519 signature.

DSSE: github.com/secure-systems-lab/dsse, version 1. The envelope is written in one form only, that
of `jq -c`, so that whoever reads it can tell a changed byte that no signature covers.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rollback_drill.ground.errors import UsageError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_MAKE = "make one: (umask 077; openssl genpkey -algorithm ed25519 -out signer.pem)"
_OTHERS = 0o077
_LONGEST = 65_536  # bytes of a key's file


def read_key(path: Path) -> Ed25519PrivateKey:
    """Return the private key at `path`. Raises UsageError, which never says what is in the file."""
    what = f"a private ed25519 key in PEM at {path}"
    try:
        with path.open("rb") as file:
            told = os.fstat(file.fileno())
            text = file.read(_LONGEST)
    except OSError as error:
        raise UsageError(what, str(error.strerror), _MAKE) from error
    if stat.S_IMODE(told.st_mode) & _OTHERS:
        found = f"one that others can read (mode {stat.S_IMODE(told.st_mode):04o})"
        raise UsageError(what, found, f"chmod 600 {path}, or make another one if they may have")
    if told.st_uid not in (os.geteuid(), 0):
        raise UsageError(what, "one that belongs to somebody else", "use a key of your own")
    # Whatever it is, the error must not quote it.
    found = "something else"
    try:
        key = serialization.load_pem_private_key(text, None)
    except TypeError:
        found, key = "one with a passphrase", None
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        decrypt = f"give it decrypted: KEY=<(openssl pkey -in {path}); else {_MAKE}"
        raise UsageError(what, found, decrypt if found != "something else" else _MAKE)
    return key


def key_id(key: Ed25519PrivateKey) -> str:
    """Return by what the public key is known: the SHA-256 of its DER form, in hexadecimal."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = key.public_key().public_bytes(serialization.Encoding.DER, form)
    return hashlib.sha256(public).hexdigest()


def pre_authentication(payload: bytes) -> bytes:
    """Return what is signed: DSSE's encoding of type and payload with their lengths."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def envelope(statement: object, key: Ed25519PrivateKey) -> bytes:
    """Return `statement` in its envelope, signed with `key`."""
    payload = json.dumps(statement, ensure_ascii=False, separators=(",", ":")).encode()
    signature = key.sign(pre_authentication(payload))
    told = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key_id(key), "sig": base64.b64encode(signature).decode()}],
    }
    return json.dumps(told, separators=(",", ":")).encode() + b"\n"
