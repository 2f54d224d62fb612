"""The front's guards, over raw sockets: each test is one promise of server.h or request.h."""

import contextlib
import os
import pathlib
import socket
import stat
import subprocess
import threading
import time

import pytest

PROBE = pathlib.Path(os.environ["LULL_BUILD"]) / "tests/http/front_probe"
PATIENCE = 30  # seconds: ends a test that waits for what does not come


class Front:
    """A running probe; settings are those of http_settings."""

    def __init__(self, **settings):
        self.process = subprocess.Popen([PROBE, *(f"{name}={value}" for name, value in settings.items())],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.path = str(settings["socket_path"]) if "socket_path" in settings else None
        word, _, rest = self.process.stdout.readline().strip().partition(" ")
        self.refusal = None if word == "ready" else rest
        self.port = int(rest) if word == "ready" else None

    def connect(self):
        connection = socket.socket(socket.AF_UNIX if self.path else socket.AF_INET)
        connection.settimeout(PATIENCE)
        connection.connect(self.path or ("127.0.0.1", self.port))
        return connection

    def say(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def hear(self):
        return self.process.stdout.readline().strip()

    def end(self):
        with contextlib.suppress(BrokenPipeError):
            self.say("close")
            self.process.stdin.close()
        self.process.stdout.read()
        return self.process.wait(PATIENCE)


@pytest.fixture
def front():
    """Makes fronts and ends them; a sanitizer's complaint shows in the exit code."""
    made = []

    def make(**settings):
        made.append(Front(**settings))
        return made[-1]

    yield make
    for each in made:
        if each.refusal:
            assert each.process.wait(PATIENCE) == 1
        elif each.process.poll() is None:
            assert each.end() == 0


def request(path="/echo", *headers, method="GET", host="localhost", body=b""):
    lines = [f"{method} {path} HTTP/1.1", *([f"Host: {host}"] if host else []), *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def post(path, body, *headers):
    return request(path, f"Content-Length: {len(body)}", *headers, method="POST", body=body)


def receive(connection):
    """One response: (status, headers with lower-case names, body); None if the connection was closed instead."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(1)
        if not part:
            assert received == b""
            return None
        received += part
    first, *lines = received[:-4].decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = b""
    while len(body) < int(headers.get("content-length", 0)):
        part = connection.recv(int(headers["content-length"]) - len(body))
        assert part
        body += part
    return int(first.split()[1]), headers, body


def ask(front, raw):
    with front.connect() as connection:
        connection.sendall(raw)
        return receive(connection)


def is_closed(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


# ---- what a handler sees

def test_a_request_arrives_decoded(front):
    status, headers, body = ask(front(), post("/echo/a%20%C3%A9?name=x+y%26&empty&%3D=%3D", b"bytes\0"))
    assert status == 200
    assert body.decode() == "POST /echo/a é\nname=x y&\nempty=\n===\npeer 127.0.0.1\nbytes\0"
    assert headers["x-seen"] == "yes??X-Injected: no" and "x-injected" not in headers


def test_head_answers_as_get_without_the_body(front):
    with front().connect() as connection:
        connection.sendall(request(method="HEAD"))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += connection.recv(1)
        connection.sendall(request("/echo"))
        status, headers, body = receive(connection)
    assert head.startswith(b"HTTP/1.1 200") and f"Content-Length: {len(body)}".encode() in head


def test_an_answer_may_come_from_another_thread(front):
    assert ask(front(), post("/later", b"x" * 100000))[2].endswith(b"x" * 100000)


def test_a_problem_says_who_holds_and_until_when(front):
    status, headers, body = ask(front(), request("/refused"))
    assert status == 503 and headers["content-type"] == "application/problem+json"
    assert headers["retry-after"] == "3600"
    assert body.decode() == (
        r'{"type":"urn:lull:error:held","title":"refused by a hold","status":503,"detail":"say \"please\"\n",'
        r'"hold":12,"reason":"kernel \\ upgrade","until":"2100-01-01T00:00:00.000Z"}')


def test_a_unix_socket_is_private_names_its_caller_and_asks_no_host(front, tmp_path):
    path = tmp_path / "s"
    made = front(socket_path=path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    status, _, body = ask(made, request(host="agent"))
    assert status == 200 and f"uid {os.getuid()}\n".encode() in body
    assert "ERR_CONFLICT" in front(socket_path=path).refusal
    assert made.end() == 0 and not path.exists()


def test_a_stale_socket_is_replaced_and_another_file_is_not(front, tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    assert ask(front(socket_path=path), request())[0] == 200
    other = tmp_path / "file"
    other.write_text("precious")
    assert "ERR_CONFLICT" in front(socket_path=other).refusal
    assert other.read_text() == "precious"


def test_an_address_in_use_is_a_conflict(front):
    assert "ERR_CONFLICT" in front(port=front().port).refusal
    assert "ERR_INVALID" in front(address="localhost").refusal


# ---- what is refused before a handler sees it

CHUNKS = b"3\r\nabc\r\n0\r\n\r\n"
REFUSED = {
    "content_length_and_transfer_encoding":
        (400, request("/echo", "Content-Length: 3", "Transfer-Encoding: chunked", method="POST", body=CHUNKS)),
    "two_content_lengths":
        (400, request("/echo", "Content-Length: 3", "Content-Length: 3", method="POST", body=b"abc")),
    "a_signed_content_length": (400, request("/echo", "Content-Length: -3", method="POST", body=b"abc")),
    "no_host": (400, request(host=None)),
    "two_hosts": (400, request("/echo", "Host: localhost")),
    "a_control_character_in_a_header": (400, request("/echo", "X-A: b\x01c")),
    "a_nul_in_a_header": (400, request("/echo", "X-A: b\0c")),
    "a_nul_in_the_last_header_before_others": (400, request("/echo", "X-A: b\0c", "X-B: d")),
    "a_nul_at_the_end_of_a_header": (400, request("/echo", "X-A: b\0", "X-B: d")),
    "a_folded_header": (400, request("/echo", "X-A: b\r\n c", "X-B: d")),
    "a_delete_character_in_a_header": (400, request("/echo", "X-A: b\x7fc")),
    "an_unknown_transfer_encoding": (400, request("/echo", "Transfer-Encoding: gzip", method="POST", body=b"abc")),
    "an_unknown_transfer_encoding_of_get": (400, request("/echo", "Transfer-Encoding: gzip")),
    "chunked_twice": (400, request("/echo", "Transfer-Encoding: chunked, chunked", method="POST", body=CHUNKS)),
    "a_header_without_colon": (400, request("/echo", "nothing")),
    "a_foreign_host": (400, request(host="evil.example")),
    "a_foreign_host_with_port": (400, request(host="evil.example:7460")),
    "a_host_that_is_none": (400, request(host="localhost:80:80")),
    "a_nul_in_the_path": (400, request("/echo%00")),
    "a_control_character_in_the_path": (400, request("/echo%0a")),
    "a_broken_percent_code": (400, request("/echo%2")),
    "a_path_that_is_not_utf8": (400, request("/echo%ff")),
    "an_encoded_slash": (400, request("/echo%2Fx")),
    "a_dot_segment": (400, request("/v1/../echo")),
    "an_encoded_dot_segment": (400, request("/v1/%2e%2E/echo")),
    "a_dot_segment_at_the_end": (400, request("/v1/.")),
    "a_space_in_the_path": (400, request("/echo x")),
    "a_bare_nul_in_the_path": (400, request("/echo\0x")),
    "a_bare_nul_in_the_path_before_a_query": (400, request("/echo\0x?a=b")),
    "a_bare_control_character_in_the_path": (400, request("/echo\tx")),
    "an_absolute_url": (400, request("http://localhost/echo")),
    "a_nul_in_the_query": (400, request("/echo?a=%00")),
    "a_query_that_is_not_utf8": (400, request("/echo?%ff=1")),
    "too_many_parameters": (400, request("/echo?" + "&".join(f"a{i}=1" for i in range(33)))),
    "a_foreign_origin": (403, post("/echo", b"", "Origin: http://evil.example")),
    "an_origin_of_another_port": (403, post("/echo", b"", "Origin: http://localhost:8080")),
    "an_opaque_origin": (403, post("/echo", b"", "Origin: null")),
    "a_cross_site_post": (403, post("/echo", b"", "Sec-Fetch-Site: cross-site")),
    "an_unknown_method": (405, request(method="BREW")),
    "a_body_too_long_by_its_length": (413, request("/echo", "Content-Length: 1073741824", method="POST")),
    "a_body_too_long_of_patch": (413, request("/echo", "Content-Length: 1073741824", method="PATCH")),
    "a_length_beyond_numbers": (413, request("/echo", "Content-Length: 99999999999999999999999", method="POST")),
    "headers_too_long": (431, request("/echo", *(f"X-{i}: {'x' * 1000}" for i in range(17)))),
    "headers_far_too_long": (431, request("/echo", *(f"X-{i}: {'x' * 1000}" for i in range(99)))),
    "a_url_too_long": (431, request("/" + "x" * 8192)),
}
BY_THE_LIBRARY = ("a_header_without_colon", "a_signed_content_length", "a_length_beyond_numbers",
                  "headers_far_too_long")


@pytest.fixture(scope="module")
def strict():
    made = Front()
    yield made
    assert made.end() == 0


@pytest.mark.parametrize("name", REFUSED)
def test_refused_and_closed(strict, name):
    status, raw = REFUSED[name]
    with strict.connect() as connection:
        # The rest of the body never comes: the refusal does not wait for it.
        connection.sendall(raw)
        got, headers, body = receive(connection)
        assert got == status, body
        assert headers["connection"] == "close"
        if name not in BY_THE_LIBRARY:
            assert headers["content-type"] == "application/problem+json" and b'"detail":"' in body
            assert ("allow" in headers) == (status == 405)
        else:
            # The library may send its own refusal's head twice; what counts is that nothing follows it.
            while connection.recv(65536):
                pass
        assert is_closed(connection)


@pytest.mark.parametrize("raw", [
    request(host="LOCALHOST:7460"), request(host="127.0.0.1"), request(host="[::1]:80"), request(host="192.0.2.1"),
    request("/echo", "Origin: http://evil.example"),
    post("/echo", b"", "Origin: http://localhost", "Sec-Fetch-Site: same-origin"),
    request("/echo", "Transfer-Encoding: chunked", method="POST", body=CHUNKS),
    request("/echo", "Transfer-Encoding: chunked", method="POST", body=b"3;a=b\r\nabc\r\n0\r\nX-Trailer: d\r\n\r\n"),
    request("/echo", "X-A: tab\tinside"), request("/echo..x/.../%25"), request("/echo?"),
    request("/echo?" + "&".join(32 * "a")),
])
def test_served(strict, raw):
    assert ask(strict, raw)[0] == 200


def test_a_configured_host_is_ours(front):
    made = front(host="lull.example")
    assert ask(made, request(host="Lull.example:443"))[0] == 200
    assert ask(made, request(host="lull.example.evil"))[0] == 400


def test_a_listener_for_agents_takes_any_host_but_still_one(front):
    made = front(takes_any_host=1)
    assert ask(made, request(host="lull.internal"))[0] == 200
    assert ask(made, request(host=None))[0] == 400


def test_a_body_in_chunks_is_refused_by_its_bytes(front):
    with front(body_bytes=100000).connect() as connection:
        connection.sendall(request("/echo", "Transfer-Encoding: chunked", method="POST"))
        sender = threading.Thread(target=send_until_refused, args=(connection,))
        sender.start()
        status, headers, _ = receive(connection)
        assert status == 413 and headers["content-type"] == "application/problem+json"
        sender.join()


def send_until_refused(connection):
    with contextlib.suppress(ConnectionError):
        for _ in range(16384):
            connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")


def test_who_sends_a_body_too_long_can_read_why(front):
    """Four megabytes are on their way before the refusal is read: it must not be lost with them."""
    with front(body_bytes=1000).connect() as connection:
        connection.sendall(post("/echo", b"x" * (4 << 20)))
        assert receive(connection)[0] == 413


def test_a_body_of_exactly_the_limit_passes(front):
    made = front(body_bytes=70000)
    assert ask(made, post("/echo", b"x" * 70000))[0] == 200
    assert ask(made, post("/echo", b"x" * 70001))[0] == 413
    for length, status in ((70000, 200), (70001, 413)):
        chunk = f"{length:x}\r\n".encode() + b"x" * length + b"\r\n0\r\n\r\n"
        assert ask(made, request("/echo", "Transfer-Encoding: chunked", method="POST", body=chunk))[0] == status


def test_continue_is_said_to_who_waits_for_it_and_may_send(front):
    with front(body_bytes=10).connect() as connection:
        connection.sendall(request("/echo", "Content-Length: 3", "Expect: 100-continue", method="POST"))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"abc")
        assert receive(connection)[0] == 200
        connection.sendall(request("/echo", "Content-Length: 11", "Expect: 100-continue", method="POST"))
        assert receive(connection)[0] == 413


# ---- deadlines and counts

def drip(connection, stop):
    with contextlib.suppress(OSError):
        while not stop.wait(0.01):
            connection.sendall(b"x")


@pytest.mark.parametrize("start", [b"", b"GET /echo HTTP/1.1\r\nHost: localhost\r\nX-A: ",
                                   request("/echo", "Content-Length: 100000", method="POST"),
                                   request("/echo", "Transfer-Encoding: chunked", method="POST") + b"fffff\r\n"],
                         ids=["line", "headers", "body", "chunk"])
def test_who_sends_slowly_is_closed_at_the_deadline(front, start):
    """The other deadlines and the library's own timeout are far away, so only the one that is meant can close."""
    limits = {"header_ms": 600000, "body_ms": 600000, "idle_ms": 600000}
    limits["body_ms" if start.endswith((b"\r\n\r\n", b"fffff\r\n")) else "header_ms"] = 200
    with front(**limits).connect() as connection:
        started, stop = time.monotonic(), threading.Event()
        connection.sendall(start)
        dripper = threading.Thread(target=drip, args=(connection, stop))
        dripper.start()
        assert is_closed(connection)
        assert time.monotonic() - started >= 0.2
        stop.set()
        dripper.join()


def test_a_connection_is_closed_when_its_next_request_does_not_come(front):
    with front(header_ms=600000, idle_ms=200).connect() as connection:
        connection.sendall(request())
        assert receive(connection)[0] == 200
        connection.sendall(b"GET")
        assert is_closed(connection)


def test_a_parked_request_has_no_deadline(front):
    """Every deadline passes, as a second connection shows by being closed, and the first is still answered."""
    made = front(header_ms=150, body_ms=150, idle_ms=150)
    with made.connect() as parked, made.connect() as idle:
        park(made, parked)
        assert is_closed(idle)
        with made.connect() as second:
            assert is_closed(second)
        assert ask(made, post("/release", b"late"))[0] == 200
        assert receive(parked)[2] == b"late"


def test_connections_of_one_address_are_counted(front):
    made = front(connections_per_address=2)
    with made.connect() as first, made.connect() as second, made.connect() as third:
        first.sendall(request())
        second.sendall(request())
        assert receive(first)[0] == receive(second)[0] == 200
        assert is_closed(third)


# ---- parked requests

def park(front, connection, before=b"", after=b""):
    """Parks, and returns once the server has it."""
    connection.sendall(before + request("/park") + after)
    while ask(front, request("/parked"))[2] == b"0":
        pass


def test_a_client_that_vanishes_while_parked_is_seen_within_a_second(front):
    made = front()
    with made.connect() as watching:
        watching.sendall(request("/next-gone"))
        for leave in (lambda c: c.close(), lambda c: c.shutdown(socket.SHUT_WR), reset):
            parked = made.connect()
            park(made, parked)
            started = time.monotonic()
            leave(parked)
            assert receive(watching)[2] == b"gone"
            assert time.monotonic() - started < 1
            parked.close()
            watching.sendall(request("/next-gone"))
        assert ask(made, request())[0] == 200


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def test_a_client_that_vanished_before_anybody_asked_is_seen(front):
    made = front()
    with made.connect() as watching:
        watching.sendall(request("/next-gone"))
        for _ in range(50):
            with made.connect() as parked:
                parked.sendall(request("/park"))
            assert receive(watching)[2] == b"gone"
            watching.sendall(request("/next-gone"))


def test_vanishing_and_answering_at_once_answers_once(front):
    """Many rounds: the probe asserts that each request is answered once, sanitizers that none is used after."""
    made = front()
    for _ in range(200):
        connections = [made.connect() for _ in range(4)]
        for connection in connections:
            connection.sendall(request("/park"))
        releasing = threading.Thread(target=ask, args=(made, post("/release", b"now")))
        releasing.start()
        for connection in connections:
            connection.close()
        releasing.join()
    assert ask(made, request())[0] == 200


def test_pipelined_requests_are_answered_in_order_across_a_parked_one(front):
    made = front()
    with made.connect() as connection:
        park(made, connection, request("/echo/1"), post("/echo/3", b"x") + request("/later/4"))
        assert receive(connection)[2].startswith(b"GET /echo/1\n")
        assert ask(made, post("/release", b"two"))[0] == 200
        assert receive(connection)[2] == b"two"
        assert receive(connection)[2].startswith(b"POST /echo/3\n")
        assert receive(connection)[2].startswith(b"GET /later/4\n")


# ---- the end

def test_quiescing_refuses_new_connections_and_finishes_old_ones(front):
    made = front()
    with made.connect() as parked, made.connect() as idle, made.connect() as other:
        idle.sendall(request())
        assert receive(idle)[1].get("connection") != "close"
        other.sendall(request())
        assert receive(other)[0] == 200
        park(made, parked)
        made.say("quiesce")
        assert made.hear() == "quiesced"
        with pytest.raises(ConnectionError):
            made.connect()
        idle.sendall(request())
        status, headers, _ = receive(idle)
        assert status == 200 and headers["connection"] == "close" and is_closed(idle)
        other.sendall(post("/release", b"end"))
        assert receive(other)[0] == 200
        assert receive(parked)[2] == b"end" and is_closed(parked)


def test_closing_waits_for_what_is_parked_and_refuses_what_is_new(front):
    made = front()
    with made.connect() as parked, made.connect() as other:
        park(made, parked)
        other.sendall(request())
        assert receive(other)[0] == 200
        made.say("quiesce")
        assert made.hear() == "quiesced"
        made.say("close")
        # Close is under way as soon as a request is refused; those before it were answered with "close".
        with contextlib.suppress(ConnectionError):
            other.sendall(request())
            assert receive(other)[0] in (200, 503)
        assert made.process.poll() is None
        parked.close()
        assert made.hear() == "closed"
        assert made.process.wait(PATIENCE) == 0


def test_a_thousand_short_connections_leave_nothing_behind(front):
    made = front()
    descriptors = pathlib.Path(f"/proc/{made.process.pid}/fd")
    assert ask(made, request())[0] == 200
    before = len(list(descriptors.iterdir()))
    for _ in range(1000):
        assert ask(made, request("/echo", "Connection: close"))[0] == 200
    # The last one closes after its answer was read.
    until = time.monotonic() + PATIENCE
    while len(list(descriptors.iterdir())) > before and time.monotonic() < until:
        pass
    assert len(list(descriptors.iterdir())) <= before
