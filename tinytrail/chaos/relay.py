"""`python -m tinytrail.chaos.relay ADDRESS PORT SOCKET ...`: sockets in a folder, to be reached over a network.

The embedded PostgreSQL and Redis listen in their data folder only. Every connection to an address is one to the socket
that belongs to it; when either end closes, so does the other. Of a client that is cut off it lets go as PostgreSQL does
where its clients ask for it (tinytrail.settings), and Redis with its own settings.
"""

import asyncio
import socket
import sys
from collections.abc import Sequence
from functools import partial

CHUNK = 65_536
KEEPALIVE = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3}


async def serve(places: Sequence[tuple[str, int, str]]) -> None:
    async def relay(path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            theirs, ours = await asyncio.open_unix_connection(path)
        except OSError:
            writer.transport.abort()
            return
        line = writer.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEPALIVE.items():
            line.setsockopt(socket.IPPROTO_TCP, option, value)
        await asyncio.gather(pump(reader, ours), pump(theirs, writer))

    servers = [await asyncio.start_server(partial(relay, path), address, port) for address, port, path in places]
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


if __name__ == "__main__":
    words = sys.argv[1:]
    asyncio.run(serve([(words[n], int(words[n + 1]), words[n + 2]) for n in range(0, len(words), 3)]))
