"""Who may ask: the API key, compared in constant time."""

import hmac

OPEN_PATHS = frozenset({"/health", "/ready", "/maintenance", "/metrics"})


class Gate:
    """Knows the API key."""

    def __init__(self, api_key: str) -> None:
        self._key = api_key.encode()

    def admits(self, path: str, headers: list[tuple[bytes, bytes]]) -> bool:
        """Whether a request for `path` may pass. Header names are in lower case."""
        if path in OPEN_PATHS:
            return True
        given = next((value for name, value in headers if name == b"x-api-key"), b"")
        return hmac.compare_digest(given, self._key)
