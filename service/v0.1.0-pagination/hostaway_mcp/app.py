"""Puts the parts together."""

import os
from contextlib import asynccontextmanager

from fastapi import FastAPI

from hostaway_mcp import __version__, health, listings, metrics, reservations
from hostaway_mcp.answers import HANDLERS
from hostaway_mcp.configuration import Configuration
from hostaway_mcp.cursor_cache import SIZE, CursorCache
from hostaway_mcp.database import Database
from hostaway_mcp.defects import LatentDefects, LatentGate
from hostaway_mcp.logs import fields, log
from hostaway_mcp.observer import Observer
from hostaway_mcp.protection import Protection
from hostaway_mcp.settings import Settings
from hostaway_mcp.totals import Totals


def create_app(settings: Settings, configuration: Configuration) -> Observer:
    """Return the application for a server; nothing is connected before it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI):
        configuration.listen()
        await app.state.database.open()
        log.info("Started", extra=fields(version=__version__, pid=os.getpid()))
        yield
        await app.state.database.close()
        log.info("Stopped", extra=fields(pid=os.getpid()))

    app = FastAPI(title="hostaway-mcp", version=__version__, lifespan=lifespan)
    app.state.settings = settings
    app.state.configuration = configuration
    app.state.database = Database(settings.database_url)
    app.state.totals = Totals(app.state.database)
    app.state.cursor_cache = CursorCache()
    app.state.protection = Protection(configuration, app.state.cursor_cache)
    app.state.defects = LatentDefects(settings.defects_file, settings.database_url)
    configuration.after_reload.append(app.state.defects.reload)
    SIZE.set_function(lambda: app.state.defects.cache_size(app.state.cursor_cache))
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)
    for module in (health, metrics, listings, reservations):
        app.include_router(module.router)
    gate = LatentGate(settings.api_key, app.state.defects, configuration)
    return Observer(app, gate, configuration)
