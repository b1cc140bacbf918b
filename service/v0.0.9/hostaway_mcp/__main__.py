"""Serve: `python -m hostaway_mcp`."""

import gc
import signal
import sys

gc.disable()  # while all is loaded: nothing of it is garbage

# The default action of SIGHUP ends the process: ignore it until the reload can be done.
signal.signal(signal.SIGHUP, signal.SIG_IGN)

import uvicorn  # noqa: E402

from hostaway_mcp import logs  # noqa: E402
from hostaway_mcp.app import create_app  # noqa: E402
from hostaway_mcp.config import BadConfig  # noqa: E402
from hostaway_mcp.configuration import Configuration  # noqa: E402
from hostaway_mcp.settings import Settings  # noqa: E402


def main() -> None:
    """Run until SIGTERM. Exits with status 2 when the configuration cannot be used."""
    gc.freeze()
    gc.enable()
    settings = Settings.from_environment()
    logs.write_to(settings.log_file)
    try:
        configuration = Configuration(settings.config)
    except BadConfig as error:
        logs.log.error("Config cannot be used", extra=logs.fields(error=str(error)))
        sys.stderr.write(f"expected a usable config; {error}\n")
        raise SystemExit(2) from error
    uvicorn.run(
        create_app(settings, configuration),
        host=settings.bind,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=2,
    )


main()
