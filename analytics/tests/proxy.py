"""A proxy before PostgreSQL, on a Unix socket, that makes it silent or gone."""

import asyncio
import contextlib
from pathlib import Path
from typing import Self

# How PostgreSQL says that it is ready and in no transaction.
IDLE = b"Z\0\0\0\5I"


class Proxy:
    """Used as an async context; `path` is the socket to connect to instead of `host`, a folder of sockets or a name.

    `hang()` lets nothing through any more, `cut()` ends every connection and takes no new one, `restore()` ends both.
    `cut_after(word)` cuts the line once the caller has sent the word and the server's transaction has ended.
    """

    def __init__(self, host: str, port: int, path: Path) -> None:
        self.host, self.port, self.path = host, port, path
        self._writers: set[asyncio.StreamWriter] = set()
        self._open = asyncio.Event()
        self._open.set()
        self._is_cut = False
        self._last_word: bytes | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, self.path)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        self._server.close()

    def hang(self) -> None:
        self._open.clear()

    def cut(self) -> None:
        self._is_cut = True
        for writer in list(self._writers):
            writer.transport.abort()

    def cut_after(self, word: bytes) -> None:
        self._last_word = word

    def restore(self) -> None:
        self._is_cut, self._last_word = False, None
        self._open.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        if self.host.startswith("/"):
            their_reader, their_writer = await asyncio.open_unix_connection(f"{self.host}/.s.PGSQL.{self.port}")
        else:
            their_reader, their_writer = await asyncio.open_connection(self.host, self.port)
        self._writers |= {writer, their_writer}
        try:
            await asyncio.gather(self._pump(reader, their_writer, True), self._pump(their_reader, writer, False))
        finally:
            for end in (writer, their_writer):
                self._writers.discard(end)
                end.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_asking: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await self._open.wait()
                if not is_asking and self._last_word == b"" and IDLE in data:
                    # The server has answered what was asked last, and nobody will hear it.
                    self.cut()
                    return
                writer.write(data)
                await writer.drain()
                if is_asking and self._last_word and self._last_word in data:
                    self._last_word = b""
        writer.close()
