"""A slow network, as a program of its own: what it hands on towards the hosts arrives later.

`python3 slow_relay.py LISTEN_PORT DELAY_S HOST:PORT`. It needs nothing but Python, since it is also
copied into a container.
"""

import asyncio
import contextlib
import sys

_CHUNK = 65_536


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter, delay_s: float) -> None:
    """Hand on what `source` says, each piece `delay_s` seconds after it came, in order."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def read() -> None:
        while True:
            try:
                piece = await source.read(_CHUNK)
            except OSError:
                piece = b""
            await pieces.put((loop.time() + delay_s, piece))
            if not piece:
                return

    reading = asyncio.ensure_future(read())
    try:
        while True:
            due, piece = await pieces.get()
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            if not piece:
                break
            sink.write(piece)
            await sink.drain()
    except OSError:
        pass  # the other side went away: so does this one
    finally:
        reading.cancel()
        with contextlib.suppress(OSError):
            sink.close()


async def relay(listen: int, delay_s: float, host: str, port: int) -> None:
    """Take connections on every interface until the process is ended."""

    async def connected(near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        try:
            far, far_out = await asyncio.open_connection(host, port)
        except OSError:
            near_out.close()
            return
        await asyncio.gather(_carry(near, far_out, delay_s), _carry(far, near_out, 0.0))

    bind = "127.0.0.1" if host == "127.0.0.1" else None  # in a container: its own network
    server = await asyncio.start_server(connected, bind, listen, backlog=1_024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    target, _, target_port = sys.argv[3].rpartition(":")
    asyncio.run(relay(int(sys.argv[1]), float(sys.argv[2]), target, int(target_port)))
