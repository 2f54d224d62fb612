"""What is wrong is refused clearly, and changes nothing: the whole store is compared before and after.

Each refusal has a status, a kind, and words that say what is wrong and what to do.
"""

import contextlib
import json
import re
import socket

import pytest

from house import PATIENCE, House, ScriptedAgent, flow, problem_of, shell

YAML = {"Content-Type": "application/yaml"}
GOOD = {"flow": "default.hello"}
MIB = 1 << 20


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """No agent, so nothing changes by itself: a flow with inputs, a queued execution, a hold that has ended."""
    with House(tmp_path_factory.mktemp("bad"), agent=False, LULL_ADMIN_PASSWORD="a good password") as made:
        made.apply(shell("hello", "echo hello"))
        made.apply(flow("asks", {"id": "a", "type": "noop"},
                        inputs=[{"id": "day", "type": "string", "required": True},
                                {"id": "count", "type": "integer", "default": 3}]))
        assert made.submit("default.hello", key="used") == 1
        made.end(made.enter()["id"])
        yield made


@pytest.fixture(autouse=True)
def nothing_changes(house):
    before = house.contents()
    yield
    assert house.contents() == before
    assert house.is_whole()
    assert house.get("/v1/status")["maintenance"] == "open"


def tasks(*rows):
    return "id: a\ntasks:\n" + "".join(f"  - {row}\n" for row in rows)


BAD_YAML = [
    ("an open list", "id: a\ntasks: [", r"line 3, column 1: not YAML: .*expected"),
    ("a tab", "id: a\ntasks:\n\t- x", r"line 3, column 1: .*write spaces"),
    ("nothing", "", r"the file is empty; a flow has at least an id and tasks"),
    ("a text", "hello", r"a flow is a map; begin it with a line like id:"),
    ("a NUL", "id: \"a\\0b\"\n", r"NUL"),
    ("a key twice", "id: a\nid: b\n", r"line 2, column 1: .*id"),
    ("no tasks", "id: a\n", r"tasks is missing; write it like"),
    ("empty tasks", "id: a\ntasks: []\n", r"at least one task; write it like"),
    ("unknown key", "id: a\nnamspace: b\n",
     r"line 2, column 1: unknown key \"namspace\"; did you mean \"namespace\"\?"),
    ("unknown key of a task", tasks("{id: a, type: noop, need: [b]}"),
     r"unknown key \"need\"; did you mean \"needs\"\?"),
    ("unknown type", tasks("{id: a, type: shel}"), r"type \"shel\" is not known; did you mean \"shell\"\?"),
    ("key of another type", tasks("{id: a, type: noop, commands: [x]}"),
     r"commands belongs to a task of type shell; this one is"),
    ("no name", tasks("{id: a b, type: noop}"), r"\"a b\" is no name; use letters, digits"),
    ("a name twice", tasks("{id: a, type: noop}", "{id: a, type: noop}"),
     r"line 4.*called \"a\" too; give each its own"),
    ("unknown need", tasks("{id: abc, type: noop}", "{id: b, type: noop, needs: [abd]}"),
     r"there is no task \"abd\"; did you mean \"abc\"\?"),
    ("a need of itself", tasks("{id: a, type: noop, needs: [a]}"), r"a needs a, so none of them can start; remove"),
    ("a cycle", tasks("{id: a, type: noop, needs: [c]}", "{id: b, type: noop, needs: [a]}",
                      "{id: c, type: noop, needs: [b]}"),
     r"line 3, column \d+: a needs c needs b needs a, so none of them can start; remove one of these needs"),
    ("a time without unit", tasks("{id: a, type: sleep, duration: 5}"),
     r"duration 5 has no unit; write 5s for seconds"),
    ("a zero timeout", tasks("{id: a, type: noop, timeout: 0s}"), r"timeout is zero; remove it"),
    ("a long name", tasks(f"{{id: {'a' * 64}, type: noop}}"), r"id is longer than 63 bytes"),
    ("an alias", "id: &x a\ndescription: *x\n", r"anchors \(&name\) are not taken; write the value out"),
    ("two documents", tasks("{id: a, type: noop}") + "---\nid: b\n", r"a second document begins here"),
    ("too deep", "id: a\ntasks: " + "[" * 100 + "]" * 100, r"deep|nested"),
    ("a reserved variable", tasks("{id: a, type: shell, commands: [x], env: {LULL_ATTEMPT: x}}"),
     r"\"LULL_ATTEMPT\" is set by Lull itself; choose"),
]


@pytest.mark.parametrize("yaml, words", [row[1:] for row in BAD_YAML], ids=[row[0] for row in BAD_YAML])
@pytest.mark.parametrize("method, path", [("PUT", "/v1/flows"), ("POST", "/v1/flows/validate")])
def test_bad_yaml(house, method, path, yaml, words):
    answer = house.ask(method, path, data=yaml.encode(), headers=YAML)
    detail = problem_of(answer, 422, "unprocessable")
    problems = answer.json()["problems"]
    texts = [f"line {one['line']}, column {one['column']}: {one['text']}" for one in problems]
    assert detail == texts[0]
    assert any(re.search(words, text) for text in texts), texts


def test_yaml_that_is_not_utf8(house):
    detail = house.refuses(422, "unprocessable", "PUT",
        "/v1/flows", data=b"id: a\ndescription: \xff\xfe\n", headers=YAML)
    assert detail == "line 2, column 14: not UTF-8; save the file in that encoding"


def test_a_flow_of_ten_megabytes(house):
    yaml = tasks("{id: a, type: noop}").encode() + b"#" + b"x" * (10 * MIB)
    assert "at most 4194304 bytes" in house.refuses(413, "too_large", "PUT", "/v1/flows", data=yaml, headers=YAML)
    yaml = tasks("{id: a, type: noop}").encode() + b"#" + b"x" * (2 * MIB)
    assert "at most 1048576 bytes, this one has" in house.refuses(413, "too_large", "PUT", "/v1/flows", data=yaml)


def raw(house, *parts):
    """What the server says to these bytes; it may say it, and close, before it has read them all."""
    port = int(house.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        with contextlib.suppress(ConnectionError):
            for part in parts:
                connection.sendall(part)
        said = b""
        with contextlib.suppress(ConnectionError):
            while b"\r\n\r\n" not in said or (b"}" not in said and b"/1.1 1" not in said):
                got = connection.recv(65536)
                if not got:
                    break
                said += got
    head, _, body = said.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    assert b"application/problem+json" in head
    problem = json.loads(body)
    assert problem["status"] == status
    return status, problem["type"], problem["detail"]


def head_of(house, *headers):
    lines = ["POST /v1/executions HTTP/1.1", "Host: localhost", f"Authorization: Bearer {house.token}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


TOO_LARGE = (413, "urn:lull:error:too_large", "a request's body has at most 4194304 bytes")


def test_a_body_of_a_gigabyte_that_is_announced(house):
    assert raw(house, head_of(house, "Content-Length: 1073741824")) == TOO_LARGE


def test_a_body_of_a_gigabyte_that_comes_in_chunks(house):
    chunk = b"100000\r\n" + b" " * MIB + b"\r\n"
    assert raw(house, head_of(house, "Transfer-Encoding: chunked"), *[chunk] * 1024, b"0\r\n\r\n") == TOO_LARGE


BAD_JSON = [
    ("cut off", b'{"flow":"default.hello"', r"line 1, column \d+ of the JSON: '}' expected"),
    ("a name twice", b'{"flow":"default.hello","flow":"default.asks"}', r"duplicate object key near '\"flow\"'"),
    ("a name twice below", b'{"flow":"default.asks","inputs":{"day":"a","day":"b"}}', r"duplicate object key"),
    ("10,000 deep", b"[" * 10000 + b"]" * 10000, r"the JSON is nested deeper than 32"),
    ("10,000 deep and unfinished", b'{"a":' * 10000, r"the JSON is nested deeper than 32"),
    ("not UTF-8", b'{"flow":"\xff"}', r"unable to decode byte 0xff"),
    ("a NUL", b'{"flow":"default.hello","key":"a\\u0000b"}', r"u0000 is not allowed"),
    ("a list", b"[]", r"the JSON must be an object"),
    ("nothing", b"", r"flow is missing"),
    ("two documents", b'{"flow":"default.hello"}{}', r"end of file expected"),
    ("a large number", b'{"flow":"default.hello","priority":1' + b"0" * 30 + b"}", r"too big integer"),
]


@pytest.mark.parametrize("data, words", [row[1:] for row in BAD_JSON], ids=[row[0] for row in BAD_JSON])
def test_bad_json(house, data, words):
    detail = house.refuses(400, "invalid", "POST", "/v1/executions", data=data)
    assert re.search(words, detail), detail


BAD_SUBMITS = [
    ({"flow": "default.helo"}, 404, r"there is no flow default.helo; `lull flow list` shows"),
    ({}, 400, r"flow is missing"),
    ({"flow": 7}, 400, r"flow must be a text"),
    ({"flow": "f" * 300}, 400, r"flow has 300 bytes, at most 254 are taken"),
    ({**GOOD, "prioritty": 1}, 400, r"no member \"prioritty\"; is \"priority\" meant\?"),
    ({**GOOD, "priority": 101}, 400, r"priority must be an integer from -100 to 100"),
    ({**GOOD, "priority": -101}, 400, r"priority must be an integer from -100 to 100"),
    ({**GOOD, "priority": 1.5}, 400, r"priority must be an integer"),
    ({**GOOD, "priority": "1"}, 400, r"priority must be an integer"),
    ({**GOOD, "key": "k" * 201}, 400, r"key has 201 bytes, at most 200 are taken"),
    ({**GOOD, "key": ""}, 400, r"key is empty; leave it out"),
    ({**GOOD, "key": "used", "priority": 1}, 409,
     r"the key \"used\" was used with other inputs or priority; use a new"),
    ({**GOOD, "inputs": [1]}, 400, r"inputs must be an object"),
    ({**GOOD, "inputs": {"day": "x"}}, 400, r"there is no input \"day\"; the flow has none"),
    ({"flow": "default.asks"}, 400, r"day"),
    ({"flow": "default.asks", "inputs": {"day": "x", "cuont": 1}}, 400, r"cuont.*count"),
    ({"flow": "default.asks", "inputs": {"day": "x", "count": "many"}}, 400, r"count.*whole number|integer"),
    ({"flow": "default.asks", "inputs": {"day": ["x"]}}, 400, r"inputs.day must be a text, an integer or a boolean"),
    ({"flow": "default.asks", "inputs": {"day": "x" * 2 * MIB}}, 413,
     r"inputs are \d+ bytes together; at most 1048576"),
    ({"items": []}, 400, r"items is empty; give 1 to 1000"),
    ({"items": [GOOD] * 1001}, 400, r"items has 1001 elements, at most 1000"),
    ({"items": GOOD}, 400, r"items must be an array"),
    ({"items": [GOOD], "flow": "default.hello"}, 400, r"no member \"flow\""),
    ({"items": [GOOD, GOOD, 5]}, 400, r"items\[2\]"),
    ({"items": [GOOD, GOOD, {**GOOD, "priority": 500}]}, 400, r"items\[2\].*priority must be an integer"),
    ({"items": [GOOD, GOOD, GOOD, {"flow": "nope"}]}, 404, r"items\[3\].*there is no flow nope"),
    ({"items": [GOOD, {**GOOD, "key": "used", "inputs": {}, "priority": 7}]}, 409, r"items\[1\].*key \"used\""),
]
KINDS = {400: "invalid", 404: "not_found", 409: "conflict", 413: "too_large"}


@pytest.mark.parametrize("body, status, words", BAD_SUBMITS, ids=range(len(BAD_SUBMITS)))
def test_bad_submits(house, body, status, words):
    detail = house.refuses(status, KINDS[status], "POST", "/v1/executions", body)
    assert re.search(words, detail), detail


BAD_HOLDS = [
    ({}, r"reason is missing"), ({"reason": ""}, r"reason is empty"), ({"reason": " \n"}, r"reason is blank; say why"),
    ({"reason": "r" * 1001}, r"reason has 1001 bytes, at most 1000"), ({"reason": 5}, r"reason must be a text"),
    ({"reason": "r", "ticket": "t" * 201}, r"ticket has 201 bytes, at most 200"),
    ({"reason": "r", "tickt": "t"}, r"no member \"tickt\"; is \"ticket\" meant\?"),
    ({"reason": "r", "preset": "defalt"}, r"there is no preset \"defalt\"; is \"default\" meant\?"),
    ({"reason": "r", "scope": "planet"}, r"scope"),
]


@pytest.mark.parametrize("body, words", BAD_HOLDS, ids=range(len(BAD_HOLDS)))
def test_bad_holds(house, body, words):
    assert re.search(words, house.refuses(400, "invalid", "POST", "/v1/maintenance", body))


def test_a_hold_that_has_ended_ends_no_second_time(house):
    assert re.search(r"hold 1 (has )?ended", house.refuses(409, "conflict", "POST", "/v1/maintenance/1/end", {}))
    detail = house.refuses(400, "invalid", "POST", "/v1/maintenance/1/end", {"reason": "x"})
    assert "no member \"reason\"" in detail


NOT_THERE = [
    ("GET", "/v1/executions/999", r"there is no execution 999"),
    ("GET", "/v1/executions/0", r"\"0\" is no number of anything here"),
    ("GET", "/v1/executions/-1", r"\"-1\" is no number"),
    ("GET", "/v1/executions/1x", r"\"1x\" is no number"),
    ("GET", "/v1/executions/99999999999999999999", r"is no number"),
    ("GET", "/v1/executions/999?until=ended&wait=1s", r"there is no execution 999"),
    ("GET", "/v1/executions/999/logs", r"there is no execution 999"),
    ("GET", "/v1/executions/1/logs/nope", r"default.hello has no task nope"),
    ("GET", "/v1/executions/1/logs?task=nope", r"default.hello has no task nope"),
    ("POST", "/v1/executions/999/stop", r"there is no execution 999"),
    ("POST", "/v1/executions/999/kill", r"there is no execution 999"),
    ("POST", "/v1/executions/999/cancel", r"there is no execution 999"),
    ("GET", "/v1/flows/default.nope", r"there is no flow default.nope; `lull flow list`"),
    ("DELETE", "/v1/flows/default.nope", r"there is no flow default.nope"),
    ("GET", "/v1/executions?flow=default.nope", r"there is no flow default.nope"),
    ("GET", "/v1/maintenance/999", r"there is no hold 999"),
    ("GET", "/v1/maintenance/999/census", r"there is no hold 999"),
    ("POST", "/v1/maintenance/999/end", r"there is no hold 999"),
    ("GET", "/v1/nope", r"there is nothing at /v1/nope"),
    ("GET", "/v1/executions/1/nope", r"there is nothing at"),
    ("GET", "/v2/flows", r"there is nothing at /v2/flows"),
]


@pytest.mark.parametrize("method, path, words", NOT_THERE, ids=[f"{row[0]} {row[1]}" for row in NOT_THERE])
def test_what_is_not_there(house, method, path, words):
    assert re.search(words, house.refuses(404, "not_found", method, path, {} if method == "POST" else None))


BAD_QUERIES = [
    ("GET", "/v1/executions?lmit=3", r"no query parameter \"lmit\"; is \"limit\" meant\?"),
    ("GET", "/v1/executions?limit=0", r"limit must be a number from 1 to 1000"),
    ("GET", "/v1/executions?limit=1001", r"limit must be a number from 1 to 1000"),
    ("GET", "/v1/executions?limit=", r"limit must be a number from 1 to 1000"),
    ("GET", "/v1/executions?limit=5&limit=6", r"limit is given twice"),
    ("GET", "/v1/executions?before=abc", r"before must be a number"),
    ("GET", "/v1/executions?state=done", r"\"done\" is no state; write queued, running"),
    ("GET", "/v1/executions/1?wat=1", r"no query parameter \"wat\"; is \"wait\" meant\?"),
    ("GET", "/v1/executions/1?until=finished", r"until must be \"ended\""),
    ("GET", "/v1/executions/1?until=ended&wait=soon", r"wait: \"soon\" is no duration; write one like 90s"),
    ("GET", "/v1/executions/1?until=ended&wait=-5s", r"wait"),
    ("GET", "/v1/executions/1/logs/task?offset=-1", r"offset must be a number from 0"),
    ("GET", "/v1/executions/1/logs/task?try=0", r"try must be a number from 1"),
    ("GET", "/v1/executions/1/logs?taks=task", r"no query parameter \"taks\"; is \"task\" meant\?"),
    ("GET", "/v1/maintenance/1?until=ended", r"until must be \"drained\""),
    ("GET", "/v1/maintenance?all=1", r"takes no query parameters; \"all\" is one"),
    ("GET", "/v1/flows?limit=x", r"limit must be a number from 1 to 1000"),
    ("GET", "/v1/flows/default.hello?revision=1", r"takes no query parameters"),
    ("PUT", "/v1/flows?dry-run=true", r"takes no query parameters; \"dry-run\" is one"),
    ("DELETE", "/v1/flows/default.hello?dry-run=true", r"takes no query parameters"),
    ("POST", "/v1/executions?dry-run=true", r"takes no query parameters"),
    ("POST", "/v1/executions/1/stop?force=1", r"takes no query parameters"),
    ("POST", "/v1/maintenance/1/end?force=1", r"takes no query parameters"),
    ("GET", "/v1/%ff", r"the URL is not UTF-8"),
    ("GET", "/v1/%00", r"the URL may not hold %00"),
    ("GET", "/v1/executions?" + "&".join(f"a{i}=1" for i in range(40)), r"at most 32 query parameters"),
]


@pytest.mark.parametrize("method, path, words", BAD_QUERIES, ids=range(len(BAD_QUERIES)))
def test_bad_urls(house, method, path, words):
    assert re.search(words, house.refuses(400, "invalid", method, path, {} if method == "POST" else None))


WRONG_METHODS = [
    ("DELETE", "/v1/executions/1", "GET, HEAD"), ("PATCH", "/v1/flows", "GET, HEAD, PUT"),
    ("POST", "/v1/flows", "GET, HEAD, PUT"), ("PUT", "/v1/maintenance", "GET, HEAD, POST"),
    ("GET", "/v1/executions/1/stop", "POST"), ("GET", "/v1/sign-in", "POST"), ("DELETE", "/v1/maintenance/1",
     "GET, HEAD"),
]


@pytest.mark.parametrize("method, path, allowed", WRONG_METHODS)
def test_wrong_methods(house, method, path, allowed):
    answer = house.ask(method, path)
    assert problem_of(answer, 405, "method") == f"{path} takes {allowed}"
    assert answer.headers["Allow"] == allowed


def test_methods_that_nobody_knows(house):
    assert house.refuses(405, "method", "BREW", "/v1/flows") == "the method BREW is not served here"
    assert house.refuses(405, "method", "TRACE", "/v1/flows") == "the method TRACE is not served here"


TOKENS = [
    ("none", {"token": None}, r"send a token: Authorization: Bearer <token>"),
    ("wrong", {"token": "lull_" + "x" * 40}, r"the token is not valid; sign in again or ask for a new one"),
    ("empty", {"token": None, "headers": {"Authorization": "Bearer "}}, r"token"),
    ("another scheme", {"token": None, "headers": {"Authorization": "Basic YWRtaW46eA=="}}, r"Authorization: Bearer"),
]
CLOSED = [("GET", "/v1/status"), ("GET", "/v1/me"), ("GET", "/v1/flows"), ("GET", "/v1/flows/default.hello"),
          ("DELETE", "/v1/flows/default.hello"), ("GET", "/v1/executions"), ("POST", "/v1/executions"),
          ("GET", "/v1/executions/1"), ("GET", "/v1/executions/1/logs"), ("GET", "/v1/executions/1/logs/task"),
          ("POST", "/v1/executions/1/stop"), ("POST", "/v1/executions/1/kill"), ("POST", "/v1/executions/1/cancel"),
          ("GET", "/v1/agents"), ("GET", "/v1/maintenance"), ("POST", "/v1/maintenance"), ("GET", "/v1/maintenance/1"),
          ("POST", "/v1/maintenance/1/end"), ("GET", "/v1/maintenance/1/census")]


@pytest.mark.parametrize("more, words", [row[1:] for row in TOKENS], ids=[row[0] for row in TOKENS])
@pytest.mark.parametrize("method, path", CLOSED)
def test_without_a_good_token(house, method, path, more, words):
    bodies = {"/v1/executions": GOOD, "/v1/maintenance": {"reason": "x"}}
    body = bodies.get(path, {}) if method == "POST" else None
    assert re.search(words, house.refuses(401, "unauthentic", method, path, body, **more))


@pytest.mark.parametrize("yaml", [tasks("{id: a, type: noop}"), "not: [a flow"])
def test_who_may_not_apply_does_not_learn_what_is_wrong_either(house, yaml):
    assert "send a token" in house.refuses(401, "unauthentic", "PUT", "/v1/flows", data=yaml.encode(), token=None)


def test_signing_in_wrongly(house):
    for body in ({"account": "admin", "password": "wrong"}, {"account": "nobody", "password": "a good password"}):
        detail = house.refuses(401, "unauthentic", "POST", "/v1/sign-in", body, token=None)
        assert detail == "account or password is wrong", "who guesses must not learn which"
    assert house.refuses(400, "invalid", "POST",
        "/v1/sign-in", {"account": "admin"}, token=None) == "password is missing"
    too_long = {"account": "admin", "password": "x" * 2000}
    assert "2000 bytes" in house.refuses(400, "invalid", "POST", "/v1/sign-in", too_long, token=None)


def test_a_caller_is_no_agent(house):
    exchange = {"session": 1, "got": 0, "free": 1, "wait_ms": 0, "reports": []}
    detail = house.refuses(403, "forbidden", "POST", "/v1/agent/exchange", exchange)
    assert "lacks the permission agent.exchange; ask" in detail
    agent = ScriptedAgent(house)
    detail = house.refuses(403, "forbidden", "POST", "/v1/agent/hello", agent.about)
    assert "lacks the permission agent.exchange" in detail


def test_pages_of_other_sites_are_refused(house):
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert "may not do this" in house.refuses(403, "forbidden", "POST", "/v1/executions", GOOD, headers=headers)
    detail = house.refuses(400, "invalid", "GET", "/v1/status", headers={"Host": "evil.example"})
    assert "does not go by the name evil.example; use its address" in detail


def test_texts_that_are_too_long(house):
    for path in ("stop", "kill", "cancel"):
        detail = house.refuses(400, "invalid", "POST", f"/v1/executions/1/{path}", {"reason": "x" * 1001})
        assert detail == "reason has 1001 bytes, at most 1000 are taken"
    long_url = house.refuses(431, "headers", "GET", "/v1/flows/" + "x" * 9000)
    assert "a URL has at most 8192 bytes" in long_url
