"""Agents that say what is not so: refused, and nothing of anybody else's changes."""

import pytest

from house import House, ScriptedAgent, shell

NEVER = f"{(1 << 40) + 999999}.0.1"  # well-formed, and no attempt
BOOT = {"boot": "another-boot", "spool": "another-spool"}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with House(tmp_path_factory.mktemp("agents"), agent=False) as made:
        made.apply(shell("hello", "echo hello"))
        yield made


@pytest.fixture
def agent(house, request):
    made = ScriptedAgent(house, name=f"a-{abs(hash(request.node.name))}")
    assert made.hello()[0] == 200
    yield made
    for attempt in [name for name in open_attempts(house) if "." in name]:
        made.exchange({"attempt": attempt, "is": "ended", "at_ms": 1, "result": "succeeded"})
    made.close()


def open_attempts(house):
    rows = house.rows("SELECT execution, task, try FROM attempt WHERE state < 4")
    return [".".join(str(part) for part in row) for row in rows]


def ended(attempt, result="succeeded"):
    return {"attempt": attempt, "is": "ended", "at_ms": 1, "result": result}


@pytest.mark.parametrize("report", [
    {"is": "began", "at_ms": 1}, {"is": "ended", "at_ms": 1, "result": "succeeded"}, {"is": "taken_back"},
    {"is": "output", "offset": 0, "text": "forged"}], ids=lambda report: report["is"])
def test_a_report_of_what_was_never_handed_out(house, agent, report):
    number = house.submit("default.hello")
    queued = f"{(1 << 40) + number}.0.1"
    before = house.contents()
    for name in (queued, NEVER, f"{(1 << 40) + number}.7.1"):
        status, document = agent.exchange({"attempt": name, **report})
        assert status == 200
        assert document["refused"] == [{"attempt": name, "detail": "no such attempt was ever handed out"}]
    assert house.contents() == before
    assert house.execution(number)["state"] == "queued"
    house.post(f"/v1/executions/{number}/cancel")


def test_a_report_of_another_agents_attempt(house, agent):
    other = ScriptedAgent(house, name="other", spool="other-spool")
    assert other.hello()[0] == 200
    number = house.submit("default.hello")
    (attempt,) = agent.take()
    before = house.contents()
    for report in (ended(attempt, "failed"), {"attempt": attempt, "is": "taken_back"},
                   {"attempt": attempt, "is": "output", "offset": 0, "text": "forged"}):
        status, document = other.exchange(report)
        assert status == 200
        assert document["refused"] == [{"attempt": attempt, "detail": "this attempt was handed to another agent"}]
    assert house.contents() == before
    assert agent.exchange(ended(attempt))[0] == 200
    assert house.wait(number)["state"] == "succeeded" and house.log(number) == b""
    other.close()


def test_good_reports_stand_beside_a_refused_one(house, agent):
    number = house.submit("default.hello")
    (attempt,) = agent.take()
    status, document = agent.exchange(ended(NEVER), ended(attempt))
    assert status == 200 and [one["attempt"] for one in document["refused"]] == [NEVER]
    assert house.wait(number)["state"] == "succeeded"


def test_a_report_that_comes_twice_changes_nothing_the_second_time(house, agent):
    number = house.submit("default.hello")
    (attempt,) = agent.take()
    reports = [{"attempt": attempt, "is": "began", "at_ms": 1}, {"attempt": attempt, "is": "output", "offset": 0,
                                                                 "text": "once"}, ended(attempt)]
    assert agent.exchange(*reports)[0] == 200
    told = house.wait(number)
    before = house.contents()
    for again in (reports, [ended(attempt, "failed")], [{"attempt": attempt, "is": "taken_back"}]):
        assert agent.exchange(*again)[0] == 200
    assert house.contents() == before
    assert house.execution(number) == told and house.log(number) == b"once"


def test_a_second_agent_of_the_same_name(house, agent):
    number = house.submit("default.hello")
    (attempt,) = agent.take()
    double = ScriptedAgent(house, name=agent.about["agent"], **BOOT)
    before = house.contents()
    status, problem = double.hello()
    assert (status, problem["type"]) == (409, "urn:lull:error:conflict")
    assert "runs already, on host a-host; give this one another name (--name)" in problem["detail"]
    assert house.contents() == before
    assert agent.exchange(ended(attempt))[0] == 200, "the first one goes on"
    assert house.wait(number)["state"] == "succeeded"
    double.close()


def test_an_older_session_of_the_same_agent_has_ended(house, agent):
    again = ScriptedAgent(house, name=agent.about["agent"])
    assert again.hello()[0] == 200
    before = house.contents()
    status, problem = agent.exchange(free=4)
    assert (status, problem["type"]) == (409, "urn:lull:error:conflict")
    assert "say hello again" in problem["detail"]
    assert house.contents() == before
    agent.session = again.session
    again.close()


def test_a_hello_that_forgot_what_it_was_handed_gives_it_back(house, agent):
    """The same boot and nothing in the spool: it never began, and another try is handed out."""
    number = house.submit("default.hello")
    (attempt,) = agent.take()
    assert agent.hello()[0] == 200
    assert house.execution(number)["state"] == "queued"
    (second,) = agent.take()
    assert (attempt[-2:], second[-2:]) == (".1", ".2")
    assert agent.exchange(ended(second))[0] == 200
    assert house.wait(number)["state"] == "succeeded"


def test_a_hello_of_another_boot_loses_what_ran(house, agent):
    number = house.submit("default.hello")
    (attempt,) = agent.take()
    assert agent.exchange({"attempt": attempt, "is": "began", "at_ms": 1})[0] == 200
    assert agent.hello(boot="after-a-power-cut")[0] == 200
    execution = house.wait(number)
    assert execution["state"] == "lost", "a command is never run a second time without being asked to"
    assert "started anew" in execution["tasks"][0]["attempts"][0]["detail"]


def test_a_hello_with_what_the_server_does_not_wait_for_is_told_to_forget(house, agent):
    attempts = [{"attempt": name, "phase": "begun"} for name in (NEVER, NEVER.replace(".0.", ".1."))]
    status, document = agent.hello(attempts=attempts)
    assert status == 200
    assert document["forget"] == [one["attempt"] for one in attempts]


@pytest.mark.parametrize("more, words", [
    ({"agent": "no name"}, "agent and pool are names"), ({"slots": 0}, "slots must be an integer from 1 to 4096"),
    ({"slots": 5000}, "slots must be an integer from 1 to 4096"), ({"agent": "a" * 64}, "64 bytes, at most 63"),
    ({"labels": ["x"] * 33}, "33 elements, at most 32"), ({"slot": 1}, 'no member "slot"; is "slots" meant?'),
    ({"attempts": [{"attempt": "x", "phase": "begun"}]}, '"x" names no attempt'),
    ({"attempts": [{"attempt": NEVER, "phase": "gone"}]}, '"phase" cannot be "gone"')])
def test_a_malformed_hello(house, more, words):
    agent = ScriptedAgent(house, name="malformed")
    before = house.contents()
    status, problem = agent.hello(**more)
    assert (status, problem["type"]) == (400, "urn:lull:error:invalid")
    assert words in problem["detail"]
    assert house.contents() == before
    agent.close()


@pytest.mark.parametrize("report, words", [
    ({"attempt": NEVER}, "is is missing"), ({"attempt": NEVER, "is": "done"}, '"is" cannot be "done"'),
    ({"attempt": "5", "is": "began", "at_ms": 1}, '"5" names no attempt'), ({"is": "began"}, "attempt is missing"),
    ({"attempt": NEVER, "is": "began", "at_ms": -1}, "at_ms must be an integer"),
    ({"attempt": NEVER, "is": "ended", "at_ms": 1, "result": "fine"}, '"fine" is no result'),
    ({"attempt": NEVER, "is": "ended", "at_ms": 1, "result": "failed", "exit": 300}, "exit must be an integer"),
    ({"attempt": NEVER, "is": "output", "offset": -1, "text": ""}, "offset must be an integer"),
    ({"attempt": NEVER, "is": "output", "offset": 0}, 'output has "text" or "base64"'),
    ({"attempt": NEVER, "is": "output", "offset": 0, "base64": "%"}, '"base64" is none'),
    ({"attempt": NEVER, "is": "output", "offset": 0, "text": "x" * 70000}, "70000 bytes, at most 65536")])
def test_a_malformed_report_and_its_whole_exchange(house, agent, report, words):
    number = house.submit("default.hello")
    (attempt,) = agent.take()
    before = house.contents()
    status, problem = agent.exchange(ended(attempt), report)
    assert (status, problem["type"]) == (400, "urn:lull:error:invalid")
    assert problem["detail"].startswith("reports[1]") and words in problem["detail"], problem["detail"]
    assert house.contents() == before
    assert agent.exchange(ended(attempt))[0] == 200
    assert house.wait(number)["state"] == "succeeded"


@pytest.mark.parametrize("more, words", [
    ({"free": -1}, "free must be an integer from 0"), ({"free": 5000}, "free must be an integer from 0 to 4096"),
    ({"wait_ms": 10 ** 9}, "wait_ms must be an integer"), ({"got": -1}, "got must be"), ({"gto": 1}, 'is "got" meant?'),
    ({"session": 0}, "session must be"), ({"reports": {}}, "reports must be an array")])
def test_a_malformed_exchange(house, agent, more, words):
    body = {"session": agent.session, "got": agent.got, "free": 0, "wait_ms": 0, "reports": []}
    before = house.contents()
    status, problem = agent.ask("/v1/agent/exchange", {**body, **more})
    assert (status, problem["type"]) == (400, "urn:lull:error:invalid")
    assert words in problem["detail"]
    assert house.contents() == before


def test_no_more_is_handed_out_than_an_agent_has_slots(house, agent):
    """`free` beyond the slots told in hello does not count."""
    numbers = house.submit_many(*[{"flow": "default.hello"}] * 9)
    first = agent.take(free=4096)
    assert len(first) == 4
    status, document = agent.exchange(free=0)
    assert status == 200 and document["orders"] == []
    left = list(first)
    done = 0
    while done < 9:
        assert agent.exchange(*(ended(attempt) for attempt in left))[0] == 200
        done += len(left)
        left = agent.take() if done < 9 else []
    assert [house.wait(number)["state"] for number in numbers] == ["succeeded"] * 9


def test_orders_that_were_not_confirmed_come_again(house, agent):
    number = house.submit("default.hello")
    (attempt,) = agent.take()
    agent.got -= 1
    status, document = agent.exchange(free=4, wait_ms=20000)
    assert status == 200
    assert [(order["do"], order["attempt"]) for order in document["orders"]] == [("start", attempt)], "the same number"
    assert agent.exchange(ended(attempt))[0] == 200
    assert house.wait(number)["state"] == "succeeded"


def test_what_is_taken_back_waits_for_the_end_of_the_hold(house, agent):
    number = house.submit("default.hello")
    (attempt,) = agent.take()
    hold = house.enter()
    assert (hold["settled"], hold["running"]) == (False, 1)
    assert hold["blockers"][0]["state"] == "handed" and hold["blockers"][0]["execution"] == number
    status, document = agent.exchange(free=3, wait_ms=20000)
    assert status == 200
    assert [(order["do"], order["attempt"]) for order in document["orders"]] == [("take_back", attempt)]
    assert agent.exchange({"attempt": attempt, "is": "taken_back"}, free=0)[0] == 200
    told = house.wait_drained(hold["id"])
    assert told["settled"] and told["safe"] == "yes"
    execution = house.execution(number)
    assert (execution["state"], execution["held_by"]) == ("queued", hold["id"])
    assert agent.exchange(free=4)[1]["orders"] == []
    house.end(hold["id"])
    (second,) = agent.take()
    assert second == attempt[:-1] + "2"
    assert agent.exchange(ended(second))[0] == 200
    assert house.wait(number)["state"] == "succeeded"
