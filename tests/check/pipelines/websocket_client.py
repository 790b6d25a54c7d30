# SPDX-License-Identifier: LGPL-2.1-or-later
"""A short WebSocket client, which can also send invalid frames."""

import base64
import hashlib
import os
import struct

from http_client import get
from pipeline import check

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(opcode, payload=b"", final=True, masked=True, size=None):
    """A client's frame. `size`: the declared size of its payload."""
    size = len(payload) if size is None else size
    mark = 0x80 if masked else 0
    head = bytes([(0x80 if final else 0) | opcode])
    if size < 126:
        head += bytes([mark | size])
    elif size < 1 << 16:
        head += bytes([mark | 126]) + struct.pack(">H", size)
    else:
        head += bytes([mark | 127]) + struct.pack(">Q", size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


class WebSocket:
    """RFC 6455, without extensions and subprotocols."""

    def __init__(self, port, path="/live.flv", fields=(), tls=None):
        key = base64.b64encode(os.urandom(16)).decode()
        self.response = get(port, path, ["Upgrade: websocket", "Connection: Upgrade",
                                         f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13",
                                         *fields], tls)
        self.connection = self.response.connection
        self._buffer = self.response.body
        if self.response.status == 101:
            accept = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
            check(self.response.headers["sec-websocket-accept"] ==
                  base64.b64encode(accept).decode(), "another Sec-WebSocket-Accept")
            check(self.response.headers["upgrade"].lower() == "websocket", "no upgrade")

    def _take(self, size):
        while len(self._buffer) < size:
            check(self.response.more(), f"the connection ends in a frame: {bytes(self._buffer)!r}")
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def receive(self):
        """Returns the opcode and the payload of the next frame."""
        first, size = self._take(2)
        check(first & 0x80, "a message in parts")
        check(not first & 0x70, f"reserved bits in {first:#x}")
        check(not size & 0x80, "a masked frame")
        if size >= 126:
            size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
        return first & 0x0F, self._take(size)

    def receive_until(self, opcode):
        """Returns the payload of the first frame with `opcode`, and the payloads of the messages
        before it."""
        messages = []
        while True:
            kind, payload = self.receive()
            if kind == opcode:
                return payload, messages
            check(kind == BINARY, f"a frame of kind {kind} before one of kind {opcode}")
            messages.append(payload)

    def close_code(self):
        """Returns the code of the close frame. Checks that the connection is closed after it."""
        payload, _ = self.receive_until(CLOSE)
        check(not self._buffer and not self.response.more(), "bytes after the close frame")
        self.connection.close()
        return int.from_bytes(payload[:2], "big") if payload else None

    def send(self, *arguments, **options):
        self.connection.sendall(frame(*arguments, **options))

    def close(self):
        self.connection.close()
