"""The witness over HTTP: the protocol, the limits, and clients that mean harm."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from threading import Thread

import pytest

from ledger.known_logs import KEYS, NOON, ORIGIN, WITNESS, leaves, nodes, note
from tallybook.ledger.tree import consistency_proof
from tallybook.ledger.witness import LONGEST_REQUEST, MemoryState, Request, Witness, format_request
from tallybook.ledger.witness_exchange import LONGEST_ANSWER, cosigned_note
from tallybook.ledger.witness_http import WitnessServer, WitnessServerError, ask_witness
from tallybook.ledger.witness_state import FolderState


@contextmanager
def serving(
    state: MemoryState | FolderState | None = None, *, places: int = 8, life: float = 5, silence: float = 5
) -> Iterator[WitnessServer]:
    server = WitnessServer(
        Witness(WITNESS, {ORIGIN: KEYS}, state or MemoryState()), now=lambda: NOON, places=places, life=life, silence=silence
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()


def request(old: int, new: int) -> bytes:
    proof = consistency_proof(nodes(leaves(new)), old, new) if old else []
    return format_request(Request(old, tuple(proof), note(new)))


def send(server: WitnessServer, raw: bytes, *, wait: float = 5) -> bytes:
    """Raw bytes in, all that comes back out."""
    with closing(socket.create_connection(server.server_address[:2], timeout=wait)) as connection:  # type: ignore[arg-type]
        connection.sendall(raw)
        out = b""
        while part := connection.recv(65536):
            out += part
        return out


def test_a_log_asks_its_witness() -> None:
    with serving() as server:
        first = ask_witness(server.url, request(0, 5))
        second = ask_witness(server.url + "/", request(5, 9))
        behind = ask_witness(server.url, request(0, 9))
        assert (first.status, second.status, behind.status) == (200, 200, 409)
        assert (behind.body, behind.kind) == (b"9\n", "text/x.tlog.size")
        signed = cosigned_note(note(9), second, [WITNESS.verifier])
        connection = http.client.HTTPConnection(*server.server_address[:2], timeout=5)  # type: ignore[arg-type]
        with closing(connection):
            connection.request("GET", f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint")
            response = connection.getresponse()
            assert (response.status, response.read()) == (200, signed)
            connection.request("GET", f"/{sha256(b'other').hexdigest()}/checkpoint")
            assert connection.getresponse().read().startswith(b"no checkpoint")
            connection.request("POST", "/add-checkpoint", request(9, 9))
            assert connection.getresponse().status == 200


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"POST /add-checkpoint HTTP/1.1\r\n\r\n", b"411"),
        (b"POST /add-checkpoint HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (b"POST /add-checkpoint HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", b"411"),
        (b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"413"),
        (b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", b"413"),
        (b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (LONGEST_REQUEST + 1), b"413"),
        (b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", b"413"),
        (b"POST /add-checkpoint HTTP/1.1\r\nConnection: close\r\nContent-Length: 3\r\n\r\nold", b"400"),
        (b"POST /other HTTP/1.1\r\nConnection: close\r\nContent-Length: 3\r\n\r\nold", b"404"),
        (b"GET /../../etc/passwd HTTP/1.1\r\nConnection: close\r\n\r\n", b"404"),
        (b"DELETE /add-checkpoint HTTP/1.1\r\n\r\n", b"405"),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", b"431"),
        (b"GET / HTTP/9.9\r\n\r\n", b"505"),
        (b"<script>\x00\xff\r\n\r\n", b"400"),
    ],
)
def test_requests_that_are_none(raw: bytes, status: bytes) -> None:
    with serving() as server:
        answer = send(server, raw)
        assert b"<script>" not in answer
        assert b"Traceback" not in answer
        assert answer.split(b" ", 2)[1] == status
        assert ask_witness(server.url, request(0, 5)).status == 200


def test_a_slow_client_is_dropped_and_holds_nobody_up() -> None:
    with serving(life=0.6, silence=5) as server:
        start = time.monotonic()
        with closing(socket.create_connection(server.server_address[:2], timeout=5)) as slow:  # type: ignore[arg-type]
            slow.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 1000\r\n\r\nold")
            assert ask_witness(server.url, request(0, 5)).status == 200
            for _ in range(100):
                try:
                    slow.sendall(b" ")
                    time.sleep(0.05)
                except OSError:
                    break
            else:
                pytest.fail("never dropped")
        assert time.monotonic() - start < 5


def test_a_silent_client_is_dropped() -> None:
    with serving(life=5, silence=0.3) as server:
        assert send(server, b"POST /add-checkpoint HTTP/1.1\r\n") == b""
        assert send(server, b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 9\r\n\r\nold") == b""


def test_more_clients_than_places_are_told_so_and_places_come_free() -> None:
    with serving(places=2, silence=0.5) as server:
        held = [socket.create_connection(server.server_address[:2], timeout=5) for _ in range(2)]  # type: ignore[arg-type]
        try:
            for one in held:
                one.sendall(b"POST")
            time.sleep(0.2)
            assert b"503" in send(server, b"")
        finally:
            for one in held:
                one.close()
        time.sleep(0.7)
        assert ask_witness(server.url, request(0, 5)).status == 200


def test_a_witness_that_cannot_keep_its_state_signs_nothing(tmp_path: Path) -> None:
    state = FolderState.create(tmp_path / "w")
    with serving(state) as server:
        assert ask_witness(server.url, request(0, 5)).status == 200
        next((tmp_path / "w").glob("*.checkpoint")).write_bytes(b"damaged")
        answer = ask_witness(server.url, request(5, 9))
        assert (answer.status, b"example.org/witness" in answer.body) == (500, False)
        answer_get = send(server, f"GET /{sha256(ORIGIN.encode()).hexdigest()}/checkpoint HTTP/1.1\r\n\r\n".encode())
        assert answer_get.split(b" ", 2)[1] == b"500"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", "::1", ""])
def test_only_loopback_is_served(host: str) -> None:
    with pytest.raises(WitnessServerError, match="not a loopback address"):
        WitnessServer(Witness(WITNESS, {}, MemoryState()), host, now=lambda: NOON)


def test_a_port_that_is_taken_or_none() -> None:
    with serving() as server:
        for port in (int(server.server_address[1]), 70_000):
            with pytest.raises(WitnessServerError, match="cannot be served"):
                WitnessServer(server.witness, port=port, now=lambda: NOON)


@contextmanager
def pretending(answer: bytes, *, drip: float = 0) -> Iterator[str]:
    """A server that reads what comes and answers so, `drip` seconds between two bytes."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(5)

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(1 << 20)
            try:
                for at in range(0, len(answer), 1 if drip else len(answer)):
                    connection.sendall(answer[at : at + 1] if drip else answer)
                    time.sleep(drip)
            except OSError:
                return

    thread = Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        thread.join()
        listening.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nothing\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (LONGEST_ANSWER + 100),
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
    ],
)
def test_answers_that_are_none(answer: bytes) -> None:
    with pretending(answer or b"\n") as url, pytest.raises(WitnessServerError) as caught:
        ask_witness(url, request(0, 5), seconds=3)
    assert caught.value.do


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000, b"HTTP/1.1 200 " + b"x" * 5000]
)
def test_a_witness_that_drips_is_given_up(answer: bytes) -> None:
    start = time.monotonic()
    with pretending(answer, drip=0.02) as url, pytest.raises(WitnessServerError):
        ask_witness(url, request(0, 5), seconds=0.5)
    assert time.monotonic() - start < 4


def test_a_redirect_is_not_followed() -> None:
    with pretending(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n") as url:
        assert ask_witness(url, request(0, 5)).status == 302


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "127.0.0.1:80",
        "file:///etc/passwd",
        "http://",
        "http://a:b@127.0.0.1",
        "http://127.0.0.1/?q",
        "http://127.0.0.1:99999",
        "http://[::1",
    ],
)
def test_addresses_that_are_none(prefix: str) -> None:
    with pytest.raises(WitnessServerError):
        ask_witness(prefix, b"", seconds=1)


def test_a_witness_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(WitnessServerError, match="cannot be reached"):
        ask_witness(f"http://127.0.0.1:{port}", b"", seconds=2)
