"""Guards the context windows of clients that are language models: how large are the lists?"""

from prometheus_client import Counter

from hostaway_mcp.configuration import Configuration

BYTES_PER_TOKEN = 4  # the usual rule of thumb for JSON
OVERSIZED = Counter("hostaway_oversized_answers_total", "List answers above the token threshold")


class Protection:
    """Counts list answers since the start."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self.lists = 0
        self.oversized = 0

    def note_list(self, body: bytes) -> None:
        """Count one list answer."""
        self.lists += 1
        if len(body) > BYTES_PER_TOKEN * self._configuration.current.output_token_threshold:
            self.oversized += 1
            OVERSIZED.inc()

    def state(self) -> dict[str, object]:
        """What /health says."""
        return {
            "output_token_threshold": self._configuration.current.output_token_threshold,
            "list_requests": self.lists,
            "oversized_events": self.oversized,
        }
