"""One JSON object a line, in the log file that the operators watch."""

import json
import logging
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path

log = logging.getLogger("hostaway_mcp")


class JsonLines(logging.Formatter):
    """Writes time, level, message and the fields given as `extra={"fields": {...}}`."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter.format."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def write_to(path: Path) -> None:
    """Send every record of level INFO or worse to `path`; a rotated file is opened anew."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = WatchedFileHandler(path)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    log.setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)


def fields(**values: object) -> dict[str, dict[str, object]]:
    """Return `extra` for a log call."""
    return {"fields": values}
