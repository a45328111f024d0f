"""A wire between a PostgreSQL client and its server that breaks at a message of one's choice.

It passes everything on, message by message, and knows of the protocol only where a message ends. What is broken stays
broken for that connection; the next one is whole. When a break is over, the server has read all that it will ever get
on that connection, so that what it did can be looked at.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_CANCEL = 80877102
NONSENSE = b"P" + struct.pack("!I", 4 + 1 + 9 + 2) + b"\0NONSENSE\0" + b"\0\0"
"""A message that prepares a statement which no server understands: the rest of its round trip is skipped."""

KINDS = ("cut before", "cut after", "hang", "error of the server", "backend terminated")


class Wire:
    """Listens in *folder*, as a server does, for clients of the server at *address*.

    *terminate* ends the server process of a number, for the last of the kinds.
    """

    def __init__(self, folder: Path, address: tuple[str, int], terminate: Callable[[int], None]) -> None:
        self.folder, self._address, self._terminate = folder, address, terminate
        self._lock = threading.Lock()
        self._kind, self._at, self._count = "", 0, 0
        self._broken: Connection | None = None
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, kind: str, at: int) -> None:
        with self._lock:
            self._kind, self._at, self._count, self._broken = kind, at, 0, None

    def disarm(self) -> bool:
        with self._lock:
            self._kind = ""
            broken = self._broken
        if broken is not None:
            broken.end()
        return broken is not None

    def fault(self, connection: Connection) -> str:
        """What happens to the next message of a client, "" if it passes."""
        with self._lock:
            if not self._kind or self._broken is not None:
                return ""
            self._count += 1
            if self._count != self._at:
                return ""
            self._broken = connection
            return self._kind

    def terminate(self, pid: int) -> None:
        self._terminate(pid)

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            Connection(self, client, self._upstream())

    def _upstream(self) -> socket.socket:
        host, port = self._address
        if host.startswith("/"):
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{host}/.s.PGSQL.{port}")
            return server
        return socket.create_connection(self._address)


class Connection:
    """One client, and the server process that answers it."""

    def __init__(self, wire: Wire, client: socket.socket, server: socket.socket) -> None:
        self._wire, self._client, self._server = wire, client, server
        self._pid = 0
        self._deaf = False
        self._broke = threading.Event()
        self._back = threading.Thread(target=self._backward, daemon=True)
        self._back.start()
        threading.Thread(target=self._forward, daemon=True).start()

    def end(self) -> None:
        """Wait until the server has read everything and gone, or has answered."""
        self._broke.wait(10)

    def _forward(self) -> None:
        with suppress(OSError):
            head = self._read(4)
            rest = self._read(struct.unpack("!I", head)[0] - 4)
            self._server.sendall(head + rest)
            if struct.unpack("!I", rest[:4])[0] != _CANCEL:
                while True:
                    head = self._read(5)
                    message = head + self._read(struct.unpack("!I", head[1:])[0] - 4)
                    if not self._one(message):
                        return
        self._hang_up()

    def _one(self, message: bytes) -> bool:
        """Pass on a message, or break; whether the wire is still whole."""
        fault = self._wire.fault(self)
        try:
            if fault in {"cut before", "cut after", "hang"}:
                self._cut(fault, message)
                return False
            if fault == "backend terminated":
                self._wire.terminate(self._pid)
            if fault == "error of the server":
                self._server.sendall(NONSENSE)
            self._server.sendall(message)
            return True
        finally:
            if fault:
                self._broke.set()

    def _cut(self, fault: str, message: bytes) -> None:
        self._deaf = True  # nothing comes back any more
        with suppress(OSError):
            if fault != "cut before":
                self._server.sendall(message)
            if fault == "hang":
                while self._client.recv(1 << 16):
                    pass
        self._hang_up()

    def _hang_up(self) -> None:
        """Let the server read to the end of what it was sent, then let the client know."""
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_WR)
        self._back.join(10)
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)
        self._client.close()
        self._server.close()

    def _backward(self) -> None:
        started = b""
        with suppress(OSError):
            while data := self._server.recv(1 << 16):
                if not self._pid:
                    started += data
                    self._pid = _pid_in(started)
                if not self._deaf:
                    self._client.sendall(data)
        if not self._deaf:
            with suppress(OSError):
                self._client.shutdown(socket.SHUT_RDWR)

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._client.recv(size - len(data))
            if not part:
                raise ConnectionError("the client is gone")
            data += part
        return data


def _pid_in(data: bytes) -> int:
    """The number of the server process, from what it says first; 0 if that has not come yet."""
    at = 0
    while at + 5 <= len(data):
        size = struct.unpack("!I", data[at + 1 : at + 5])[0]
        if data[at : at + 1] == b"K" and at + 9 <= len(data):
            return int(struct.unpack("!I", data[at + 5 : at + 9])[0])
        at += 1 + size
    return 0
