"""Maintenance over the API: holds, what they hold, the census, the verdict, and that they outlive the server."""

import concurrent.futures

import pytest

from house import flow, shell, wait_until

NOOP = {"id": "task", "type": "noop"}
CALLS_WHILE_HELD = 20


@pytest.fixture
def house(new_house, tmp_path):
    tmp_path.chmod(0o777)
    made = new_house().start()
    made.wait_agent()
    made.apply(flow("noop", NOOP))
    made.apply(shell("waiter", f"until [ -e {tmp_path}/go ]; do sleep 0.02; done"))
    return made


@pytest.fixture
def go(tmp_path):
    """Lets the flow `waiter` go on."""
    return (tmp_path / "go").touch


def start_waiter(house):
    number = house.submit("default.waiter")
    house.wait_running(number)
    return number


def test_open_draining_drained_open(house, go):
    assert house.get("/v1/maintenance")["state"] == "open"
    number = start_waiter(house)
    entered = house.enter("new disks", ticket="OPS-7")
    assert (entered["phase"], entered["scope"], entered["preset"]) == ("draining", "instance", "default")
    assert (entered["owner"], entered["reason"], entered["ticket"]) == ("admin", "new disks", "OPS-7")
    assert entered["fenced"] and entered["settled"] and not entered["drained"]
    assert (entered["safe"], entered["running"], entered["waiting"]) == ("no", 1, 0)
    (blocker,) = entered["blockers"]
    assert (blocker["execution"], blocker["flow"], blocker["task"]) == (number, "default.waiter", "task")
    assert blocker["agent"] and blocker["clears"], "named, with what would clear it"
    assert house.get("/v1/maintenance")["state"] == "draining" == house.get("/v1/status")["maintenance"]
    assert house.get(f"/v1/maintenance/{entered['id']}/census")["items"][0]["execution"] == number

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(house.wait_drained, entered["id"])
        go()
        told = waiting.result()
    assert (told["drained"], told["safe"], told["running"], told["blockers"]) == (True, "yes", 0, [])
    assert house.execution(number)["state"] == "succeeded", "what ran was finished"
    assert house.get("/v1/maintenance")["state"] == "drained"
    ended = house.end(entered["id"])
    assert (ended["hold"]["phase"], ended["hold"]["ended_by"], ended["still_held_by"]) == ("ended", "admin", [])
    assert house.get("/v1/maintenance")["state"] == "open"
    assert house.get(f"/v1/maintenance/{entered['id']}")["phase"] == "ended", "and it is remembered"


def test_what_is_submitted_meanwhile_is_accepted_held_and_says_by_which_hold(house):
    hold = house.enter("new disks")
    numbers = house.submit_many(*[{"flow": "default.noop"}] * CALLS_WHILE_HELD)
    for number in numbers:
        execution = house.execution(number)
        assert (execution["state"], execution["started"]) == ("queued", None)
        assert (execution["held_by"], execution["held_reason"]) == (hold["id"], "new disks")
    listed = house.get("/v1/executions?state=queued")["items"]
    assert {item["held_by"] for item in listed} == {hold["id"]} and len(listed) == CALLS_WHILE_HELD
    told = house.wait_drained(hold["id"])
    assert (told["waiting"], told["safe"]) == (CALLS_WHILE_HELD, "yes"), "what waits blocks nothing"
    assert house.end(hold["id"])["waiting"] == CALLS_WHILE_HELD
    for number in numbers:
        execution = house.wait(number)
        assert (execution["state"], execution["held_by"]) == ("succeeded", None)


def test_two_reasons_at_once_and_the_end_of_one_is_not_the_end_of_the_other(house, go):
    running = start_waiter(house)
    first, second = house.enter("disks"), house.enter("network")
    number = house.submit("default.noop")
    held_by = house.execution(number)["held_by"]
    assert held_by in (first["id"], second["id"])
    go()
    assert house.wait(running)["state"] == "succeeded"
    house.wait_drained(first["id"])
    house.wait_drained(second["id"])
    other = second if held_by == first["id"] else first
    ended = house.end(held_by)
    assert [one["id"] for one in ended["still_held_by"]] == [other["id"]]
    assert house.execution(number)["held_by"] == other["id"], "and now it says who holds it"
    told = house.get("/v1/maintenance")
    assert ([hold["id"] for hold in told["holds"]], told["state"]) == ([other["id"]], "drained")
    assert house.execution(number)["state"] == "queued"
    assert house.end(other["id"])["still_held_by"] == []
    assert house.wait(number)["state"] == "succeeded"


def test_an_execution_that_had_begun_runs_to_its_end(house, tmp_path, go):
    """By the default preset, next tasks are not held while draining; the execution counts until its last one."""
    waits = f"until [ -e {tmp_path}/go ]; do sleep 0.02; done"
    house.apply(flow("long", {"id": "task", "type": "shell", "commands": [waits]},
                     {"id": "b", "type": "noop", "needs": ["task"]}, {"id": "c", "type": "noop", "needs": ["b"]}))
    number = house.submit("default.long")
    house.wait_running(number)
    hold = house.enter()
    go()
    told = house.wait_drained(hold["id"])
    assert told["safe"] == "yes"
    execution = house.execution(number)
    assert execution["state"] == "succeeded"
    assert [len(task["attempts"]) for task in execution["tasks"]] == [1, 1, 1]


def test_flows_and_interrupting_are_not_held_while_draining(house):
    number = start_waiter(house)
    hold = house.enter()
    assert house.apply(flow("meanwhile", NOOP))["change"] == "created"
    queued = house.submit("default.meanwhile")
    assert house.post(f"/v1/executions/{queued}/cancel")["state"] == "cancelled"
    house.post(f"/v1/executions/{number}/stop")
    assert house.wait(number)["state"] == "stopped"
    assert house.wait_drained(hold["id"])["safe"] == "yes"


def test_waiting_answers_not_yet_in_time(house, go):
    start_waiter(house)
    hold = house.enter()
    told = house.get(f"/v1/maintenance/{hold['id']}?until=drained&wait=100ms")
    assert (told["drained"], told["safe"]) == (False, "no")
    go()
    house.wait_drained(hold["id"])


def test_waiting_ends_with_the_hold(house, go):
    start_waiter(house)
    hold = house.enter()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(house.get, f"/v1/maintenance/{hold['id']}?until=drained&wait=60s")
        wait_until(lambda: house.get("/v1/maintenance")["holds"], "the hold to be there")
        house.end(hold["id"])
        told = waiting.result(30)
    assert (told["phase"], told["fenced"], told["safe"]) == ("ended", False, "no")
    go()


def test_where_dispatch_is_open_the_answer_is_no_and_idle(house):
    told = house.get("/v1/maintenance")
    assert (told["state"], told["safe"], told["idle"], told["running"]) == ("open", "no", True, 0)


@pytest.mark.parametrize("end", ["stop", "crash"])
def test_a_hold_and_what_it_holds_outlive_the_server(house, go, end):
    """SIGTERM and SIGKILL alike: the commands go on under their agent, the gate stays as it was answered."""
    running = start_waiter(house)
    hold = house.enter("a restart")
    queued = house.submit_many(*[{"flow": "default.noop", "key": "kept"}, {"flow": "default.noop", "priority": 5}])
    before = house.execution(running)
    getattr(house, end)()
    house.start()
    told = house.hold(hold["id"])
    assert (told["phase"], told["reason"], told["fenced"], told["drained"]) == ("draining", "a restart", True, False)
    assert told["safe"] != "yes"
    assert [house.execution(number)["held_by"] for number in queued] == [hold["id"]] * 2
    assert house.does("POST", "/v1/executions", {"flow": "default.noop", "key": "kept"})["repeated"]
    after = house.execution(running)
    assert (after["state"], after["tasks"]) == (before["state"], before["tasks"]), "it went on meanwhile"
    go()
    assert house.wait(running)["state"] == "succeeded"
    assert house.wait_drained(hold["id"])["safe"] == "yes"
    getattr(house, end)()
    house.start()
    assert house.hold(hold["id"])["drained"]
    house.end(hold["id"])
    assert [house.wait(number)["state"] for number in queued] == ["succeeded"] * 2
    assert len(house.execution(running)["tasks"][0]["attempts"]) == 1
    assert house.is_whole()


def test_what_ended_while_no_server_was_there_is_told_afterwards(house, go):
    running = start_waiter(house)
    house.crash()
    go()
    house.start()
    execution = house.wait(running)
    assert (execution["state"], len(execution["tasks"][0]["attempts"])) == ("succeeded", 1)


def test_entering_and_ending_stand_in_the_audit(house):
    hold = house.enter("why", ticket="OPS-1")["id"]
    house.end(hold)
    rows = house.rows("SELECT account_name, act, subject, detail FROM audit WHERE act LIKE 'maintenance.%' ORDER BY id")
    acts = ["maintenance.enter", "maintenance.end"]
    assert [row[:3] for row in rows] == [("admin", act, str(hold)) for act in acts]
    assert "why" in rows[0][3] and "OPS-1" in rows[0][3]
