"""Guards the context windows of clients that are language models: counts what lists are like."""

from collections import Counter as Tally

from prometheus_client import Counter

from hostaway_mcp.configuration import Configuration
from hostaway_mcp.cursor_cache import CursorCache

BYTES_PER_TOKEN = 4  # the usual rule of thumb for JSON
OVERSIZED = Counter("hostaway_oversized_answers_total", "List answers above the token threshold")
CURSOR_ERRORS = Counter("hostaway_cursor_errors_total", "Refused cursors", ["reason"])


class Protection:
    """Counts list requests since the start."""

    def __init__(self, configuration: Configuration, cache: CursorCache) -> None:
        self._configuration = configuration
        self._cache = cache
        self.lists = self.oversized = self.with_cursor = 0
        self.cursor_errors: Tally[str] = Tally()

    def note_list(self, body: bytes, with_cursor: bool) -> None:
        """Count one list answer; `with_cursor`: the client sent the cursor of an earlier page."""
        self.lists += 1
        self.with_cursor += with_cursor
        if len(body) > BYTES_PER_TOKEN * self._configuration.current.output_token_threshold:
            self.oversized += 1
            OVERSIZED.inc()

    def note_cursor_error(self, reason: str) -> None:
        """Count one refused cursor."""
        self.cursor_errors[reason] += 1
        CURSOR_ERRORS.labels(reason).inc()

    def state(self) -> dict[str, object]:
        """What /health says. `pagination_adoption` is the share of lists asked for by cursor."""
        now = self._configuration.current
        return {
            "pagination_enabled": now.pagination_enabled,
            "output_token_threshold": now.output_token_threshold,
            "list_requests": self.lists,
            "oversized_events": self.oversized,
            "pagination_adoption": round(self.with_cursor / self.lists, 4) if self.lists else 0.0,
            "cursor_errors": self.cursor_errors.total(),
            "cursor_cache_entries": len(self._cache),
        }
