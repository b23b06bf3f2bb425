"""A witness over HTTP on the loopback interface (C2SP tlog-witness), and how the log asks one.

Standard library only. A request has a longest length, a connection a longest life, and no more connections are served at a time
than there are places; whoever comes beyond gets 503 at once.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import BoundedSemaphore, Thread, Timer
from typing import Any
from urllib.parse import urlsplit

from tallybook.errors import TallybookError
from tallybook.ledger.strict import read_decimal
from tallybook.ledger.witness import LONGEST_REQUEST, NOT_FOUND, OK, SIZE_TYPE, TEXT_TYPE, Answer, Witness
from tallybook.ledger.witness_exchange import LONGEST_ANSWER

ADD_CHECKPOINT = "/add-checkpoint"
CHECKPOINT_SUFFIX = "/checkpoint"
MOST_CONNECTIONS = 16
LONGEST_LIFE = 30.0
"""No connection is served for more seconds, however slowly its bytes come."""
LONGEST_SILENCE = 10.0
LENGTH_REQUIRED, TOO_LARGE, METHOD_NOT_ALLOWED, INTERNAL = 411, 413, 405, 500


class WitnessServerError(TallybookError):
    """A witness that cannot be served, or cannot be reached."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "tallybook-witness"
    sys_version = ""
    server: WitnessServer

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(self.server.silence)
        self._life = Timer(self.server.life, self._end)
        self._life.daemon = True
        self._life.start()

    def finish(self) -> None:
        self._life.cancel()
        try:
            super().finish()
        except OSError:
            self.close_connection = True

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def _end(self) -> None:
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            self.close_connection = True

    def do_POST(self) -> None:
        if "Transfer-Encoding" in self.headers or "Content-Length" not in self.headers:
            self._refuse(LENGTH_REQUIRED, "give the length of the body")
            return
        lengths = self.headers.get_all("Content-Length", [])
        length = read_decimal(lengths[0]) if len(lengths) == 1 else None
        if length is None or length > LONGEST_REQUEST:
            self._refuse(TOO_LARGE, f"a length of at most {LONGEST_REQUEST} bytes")
            return
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
        elif self.path != ADD_CHECKPOINT:
            self._answer(Answer(NOT_FOUND, b"post to /add-checkpoint\n"))
        else:
            self._answer(self._ask(body))

    def do_GET(self) -> None:
        note = None
        try:
            for origin in self.server.witness.origins:
                if self.path == f"/{sha256(origin.encode()).hexdigest()}{CHECKPOINT_SUFFIX}":
                    note = self.server.witness.checkpoint_of(origin)
        except TallybookError:
            self._refuse(INTERNAL, "the witness cannot read its state")
            return
        self._answer(Answer(NOT_FOUND, b"no checkpoint of that log was cosigned here\n") if note is None else Answer(OK, note))

    def _ask(self, body: bytes) -> Answer:
        try:
            return self.server.witness.add_checkpoint(body, self.server.now())
        except TallybookError:
            return Answer(INTERNAL, b"the witness cannot keep its state, so it signs nothing\n")

    def _refuse(self, status: int, why: str) -> None:
        """Answer, and close: what else the client sends is not read."""
        self.close_connection = True
        self._answer(Answer(status, f"{why}\n".encode()))

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Plain text in place of the base class's page: nothing of the request comes back."""
        self.request_version = self.protocol_version
        self._refuse(METHOD_NOT_ALLOWED if code == 501 else int(code), "not a request that a witness answers")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, the base class's name
        """Nothing is written: what strangers send is no text for a terminal."""


class WitnessServer(ThreadingHTTPServer):
    """Serves one witness on a loopback address until `stop`. `now` gives seconds since 1970."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self,
        witness: Witness,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        now: Callable[[], int],
        places: int = MOST_CONNECTIONS,
        life: float = LONGEST_LIFE,
        silence: float = LONGEST_SILENCE,
    ) -> None:
        """Port 0 takes a free one: see `url`. Raises WitnessServerError for an address that is not loopback or is taken."""
        self.witness, self.now, self.life, self.silence = witness, now, life, silence
        self._places = BoundedSemaphore(places)
        self._thread: Thread | None = None
        try:
            if not ipaddress.IPv4Address(host).is_loopback:
                raise ValueError
            super().__init__((host, port), _Handler)
        except ValueError:
            raise WitnessServerError(
                "not a loopback address", where=host, do="serve on 127.0.0.1 and put a proxy of your own before it"
            ) from None
        except (OSError, OverflowError) as error:
            raise WitnessServerError(f"cannot be served: {error}", where=f"{host}:{port}", do="choose another port") from None

    @property
    def url(self) -> str:
        """The prefix that clients ask."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests and free the port."""
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
        self.server_close()

    def server_bind(self) -> None:
        """As the base class does, but without asking a name server who this is."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve in a thread where there is a place; else answer 503 and close."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        try:
            request.settimeout(1)
            request.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        except OSError:
            pass
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is the client's affair."""


def ask_witness(prefix: str, request: bytes, *, seconds: float = 10.0) -> Answer:
    """Post a request to a witness, and give its answer whatever the status; no redirect is followed and no proxy used.

    `prefix` is its URL before `/add-checkpoint`. Raises WitnessServerError where it cannot be reached in that time or answers at
    too great length.
    """
    kind, host, port, path = _address(prefix)
    where = f"{prefix}{ADD_CHECKPOINT}"
    end = time.monotonic() + seconds
    try:
        connection = kind(host, port, timeout=seconds)
        watch = Timer(seconds, lambda: _break(connection))
        watch.daemon = True
        watch.start()
        try:
            connection.request("POST", path + ADD_CHECKPOINT, request, {"Content-Type": TEXT_TYPE})
            with connection.getresponse() as response:
                body = _read(response, end)
        finally:
            watch.cancel()
            connection.close()
    except (OSError, HTTPException, ValueError) as error:
        raise WitnessServerError(
            f"cannot be reached: {error or type(error).__name__}", where=where, do="see that the witness runs, and ask again"
        ) from None
    if len(body) > LONGEST_ANSWER or time.monotonic() > end:
        raise WitnessServerError(
            f"more than {LONGEST_ANSWER} bytes, or more than {seconds:g} s", where=where, do="see what answers at that address"
        )
    content_type = response.getheader("Content-Type", TEXT_TYPE)
    return Answer(response.status, body, SIZE_TYPE if content_type == SIZE_TYPE else TEXT_TYPE)


def _address(prefix: str) -> tuple[type[HTTPConnection], str, int | None, str]:
    """The kind of connection, host, port and path of a witness."""
    try:
        parts = urlsplit(prefix)
        is_good = parts.scheme in ("http", "https") and prefix.isascii() and prefix.isprintable() and " " not in prefix
        if is_good and parts.hostname and not (parts.username or parts.query or parts.fragment):
            kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
            return kind, parts.hostname, parts.port, parts.path.rstrip("/")
    except ValueError:
        is_good = False
    raise WitnessServerError("not the address of a witness", where=ascii(prefix), do="give http://HOST:PORT or https://HOST")


def _break(connection: HTTPConnection) -> None:
    if connection.sock is not None:
        try:
            connection.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


def _read(response: HTTPResponse, end: float) -> bytes:
    body = b""
    while len(body) <= LONGEST_ANSWER and time.monotonic() <= end:
        part = response.read1(1 << 16)
        if not part:
            if response.length:
                raise IncompleteRead(body, response.length)
            return body
        body += part
    return body
