"""Cursors: where a walk through a collection stands, signed, and valid for a limited time.

A cursor is base64url(HMAC-SHA256(secret, payload) + payload) without padding. The payload binds
the collection, its filters and the limit, so that a cursor cannot be used for another walk.
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from dataclasses import dataclass

_MAC_BYTES = hashlib.sha256().digest_size
_LONGEST = 2_000  # characters; ours are far shorter


class BadCursor(Exception):
    """The cursor is refused. `reason` is a short word for metrics, the message is for clients."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class Walk:
    """What a cursor is bound to."""

    collection: str
    limit: int
    filters: dict[str, str]


def issue(secret: bytes, walk: Walk, after_id: int, ttl_s: float) -> str:
    """Return the cursor of the page that starts after the row `after_id`."""
    payload = json.dumps(
        {
            "c": walk.collection,
            "l": walk.limit,
            "f": walk.filters,
            "a": after_id,
            "x": round(time.time() + ttl_s, 3),
        },
        separators=(",", ":"),
        sort_keys=True,
    ).encode()
    return _encode(_mac(secret, payload) + payload)


def read(secret: bytes, cursor: str, collection: str, filters: dict[str, str]) -> tuple[Walk, int]:
    """Return the walk and the id that the next page starts after. Raises BadCursor."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError):
        raw = b""
    # The decoder skips foreign characters and spare bits: only our own spelling is a cursor.
    if len(cursor) > _LONGEST or len(raw) <= _MAC_BYTES or _encode(raw) != cursor:
        raise BadCursor("malformed", "the cursor is malformed; start again without a cursor")
    mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(secret, payload)):
        raise BadCursor(
            "signature", "the cursor's signature is not valid; start again without a cursor"
        )
    content = json.loads(payload)
    if time.time() > content["x"]:
        raise BadCursor("expired", "the cursor has expired; start again without a cursor")
    walk = Walk(content["c"], content["l"], content["f"])
    if (walk.collection, walk.filters) != (collection, filters):
        raise BadCursor("foreign", "the cursor belongs to another collection or filter")
    return walk, content["a"]


def _mac(secret: bytes, payload: bytes) -> bytes:
    return hmac.digest(secret, payload, "sha256")


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
