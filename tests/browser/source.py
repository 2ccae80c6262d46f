"""An endpoint whose answers are controlled by the test."""

from __future__ import annotations

import socket
import threading

from tests.streaming.endpoint import DONE, chunk, document, head

USAGE = {"prompt_tokens": 9, "completion_tokens": 214, "total_tokens": 223}
MODELS = ("m", "other")
PACE_S = 0.05


class Source:
    """Lists two models. Every answer consists of the pieces released by the test, and ends when the test ends it.

    An answer that grows by itself gets a word every 50 ms until its end.
    """

    def __init__(self) -> None:
        self._more = threading.Condition()
        self._turn = 0
        self.begin()

    def begin(self, *pieces: str, growing: bool = False) -> None:
        """Send these pieces from now on; current answers break off."""
        with self._more:
            self.pieces = list(pieces)
            self._growing = growing
            self._over = False
            self._turn += 1
            self._more.notify_all()

    def send(self, *pieces: str) -> None:
        with self._more:
            self.pieces.extend(pieces)
            self._more.notify_all()

    def finish(self) -> None:
        with self._more:
            self._over = True
            self._more.notify_all()

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def play(self, connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"GET"):
            connection.sendall(document({"data": [{"id": model} for model in MODELS]}))
            return
        connection.sendall(head())
        turn, sent = self._turn, 0
        while ready := self._wait_for_more(turn, sent):
            sent += len(ready)
            for piece in ready:
                connection.sendall(chunk(piece))
        if turn == self._turn:
            connection.sendall(chunk("", "length", usage=USAGE) + DONE)

    def _wait_for_more(self, turn: int, sent: int) -> list[str]:
        """The unsent pieces; none when the answer has ended, or a later one has begun."""
        with self._more:
            while turn == self._turn and not self._over and sent == len(self.pieces):
                if not self._more.wait(PACE_S if self._growing else None) and self._growing:
                    self.pieces.append(f"word{len(self.pieces)} ")
            return self.pieces[sent:] if turn == self._turn else []
