"""Executions over the API: accepting, order, graphs, inputs, failing, interrupting."""

import concurrent.futures
import os
import signal

import pytest

from house import flow, shell, wait_until

NOOP = {"id": "task", "type": "noop"}


@pytest.fixture(scope="module", autouse=True)
def flows(busy):
    busy.apply(flow("noop", NOOP))
    busy.apply(shell("sleeper", "echo began; sleep 600"))


def task_of(execution, name="task"):
    return next(task for task in execution["tasks"] if task["id"] == name)


def results(execution):
    return {task["id"]: (task["status"], task["result"]) for task in execution["tasks"]}


# Accepting.

def test_one_is_accepted_queued_runs_and_is_told(busy):
    answer = busy.ask("POST", "/v1/executions", {"flow": "default.noop", "priority": 7})
    assert answer.status_code == 201
    told = answer.json()
    number = told.pop("number")
    assert told == {"flow": "default.noop", "revision": 1, "state": "queued", "repeated": False}
    execution = busy.wait(number)
    assert (execution["state"], execution["priority"], execution["account"]) == ("succeeded", 7, "admin")
    assert execution["created"] <= execution["started"] <= execution["ended"]
    (attempt,) = task_of(execution)["attempts"]
    assert (attempt["try"], attempt["state"], attempt["result"]) == (1, "ended", "succeeded")
    assert attempt["handed"] <= attempt["began"] <= attempt["ended"]


def test_a_batch_is_numbered_in_its_order(busy):
    numbers = busy.submit_many(*[{"flow": "default.noop"}] * 1000)
    assert numbers == list(range(numbers[0], numbers[0] + 1000))
    assert busy.wait(numbers[-1])["state"] == "succeeded"
    for number in numbers:
        assert busy.wait(number)["state"] == "succeeded"


def test_a_batch_is_accepted_as_a_whole_or_not_at_all(quiet):
    quiet.apply(flow("noop", NOOP))
    before = quiet.contents()
    items = [{"flow": "default.noop"}] * 999 + [{"flow": "default.nope"}]
    assert "items[999]" in quiet.refuses(404, "not_found", "POST", "/v1/executions", {"items": items})
    assert quiet.contents() == before


def test_a_key_makes_a_submit_repeatable(busy):
    body = {"flow": "default.noop", "key": "once", "priority": 3}
    first = busy.ask("POST", "/v1/executions", body)
    again = busy.ask("POST", "/v1/executions", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["number"] == again.json()["number"]
    assert (first.json()["repeated"], again.json()["repeated"]) == (False, True)
    detail = busy.refuses(409, "conflict", "POST", "/v1/executions", {**body, "priority": 4})
    assert "was used with other inputs or priority; use a new key" in detail
    busy.apply(flow("noop-too", NOOP))
    other = busy.does("POST", "/v1/executions", {**body, "flow": "default.noop-too"})
    assert not other["repeated"], "a key counts per flow"
    assert busy.wait(first.json()["number"])["state"] == "succeeded"
    assert busy.does("POST", "/v1/executions", body)["state"] == "succeeded", "the state as it is now"


def test_a_key_that_many_use_at_once_makes_one_execution(busy):
    def submit(_):
        return busy.submit("default.noop", key="at-once")

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(submit, range(64)))) == 1


def test_a_batch_with_keys_repeats_those_that_were_there(busy):
    first = busy.submit("default.noop", key="batched")
    items = [{"flow": "default.noop", "key": "batched"}, {"flow": "default.noop"}]
    told = busy.post("/v1/executions", {"items": items})
    assert [item["repeated"] for item in told["items"]] == [True, False]
    assert told["items"][0]["number"] == first != told["items"][1]["number"]


# Order.

def test_higher_priority_first_then_older_first(new_house):
    house = new_house(slots=1).start()
    house.wait_agent()
    house.apply(flow("noop", NOOP))
    house.apply(flow("noop-too", NOOP))
    hold = house.enter()
    plan = [(0, "noop"), (5, "noop-too"), (-100, "noop"), (0, "noop-too"), (100, "noop"), (5, "noop"), (0, "noop")]
    numbers = [house.submit(f"default.{name}", priority=priority) for priority, name in plan]
    house.end(hold["id"])
    for number in numbers:
        assert house.wait(number)["state"] == "succeeded"
    wanted = [number for _, number in sorted((-priority, number) for (priority, _), number in zip(plan, numbers))]
    handed = {number: house.execution(number)["tasks"][0]["attempts"][0]["handed"] for number in numbers}
    assert sorted(wanted, key=handed.get) == wanted, handed


def test_lists_are_filtered_and_paged_newest_first(busy):
    busy.apply(flow("listed", NOOP))
    numbers = busy.submit_many(*[{"flow": "default.listed"}] * 23)
    for number in numbers:
        busy.wait(number)
    found, before = [], None
    while True:
        page = busy.get("/v1/executions?flow=default.listed&limit=10" + (f"&before={before}" if before else ""))
        found += [item["number"] for item in page["items"]]
        before = page["next"]
        if not before:
            break
    assert found == sorted(numbers, reverse=True)
    succeeded = busy.get("/v1/executions?flow=default.listed&state=succeeded&limit=1000")["items"]
    assert len(succeeded) == 23
    assert busy.get("/v1/executions?flow=default.listed&state=failed")["items"] == []


# Graphs.

def test_a_graph_fans_out_and_joins(busy, tmp_path):
    tmp_path.chmod(0o777)
    middle = [{"id": f"m{number}", "type": "shell", "needs": ["first"],
               "commands": [f"echo m{number} >>{tmp_path}/order"]} for number in range(6)]
    busy.apply(flow("graph", {"id": "first", "type": "shell", "commands": [f"echo first >>{tmp_path}/order"]}, *middle,
                    {"id": "join", "type": "shell", "needs": [task["id"] for task in middle],
                     "commands": [f"echo join >>{tmp_path}/order"]}))
    execution = busy.run("default.graph")
    assert execution["state"] == "succeeded", execution
    order = (tmp_path / "order").read_text().split()
    assert (order[0], order[-1]) == ("first", "join")
    assert sorted(order[1:-1]) == [f"m{number}" for number in range(6)]
    assert set(results(execution).values()) == {("succeeded", "succeeded")}


def test_what_needs_a_failed_task_is_skipped_and_what_does_not_goes_on(busy, tmp_path):
    tmp_path.chmod(0o777)
    busy.apply(flow("failing", {"id": "bad", "type": "shell", "commands": ["exit 3"]},
                    {"id": "after", "type": "shell", "needs": ["bad"], "commands": [f"touch {tmp_path}/after"]},
                    {"id": "later", "type": "shell", "needs": ["after"], "commands": [f"touch {tmp_path}/later"]}))
    execution = busy.run("default.failing")
    assert execution["state"] == "failed"
    assert results(execution) == {"bad": ("failed", "failed"), "after": ("skipped", None), "later": ("skipped", None)}
    assert task_of(execution, "bad")["attempts"][0]["exit_code"] == 3
    assert list(tmp_path.iterdir()) == []


def test_tasks_of_all_types(busy):
    busy.apply(flow("types", {"id": "s", "type": "shell", "commands": ["echo one", "echo two"]},
                    {"id": "w", "type": "sleep", "duration": "10ms", "needs": ["s"]},
                    {"id": "l", "type": "log", "message": "hello", "needs": ["w"]},
                    {"id": "n", "type": "noop", "needs": ["l"]}))
    execution = busy.run("default.types")
    assert execution["state"] == "succeeded"
    assert busy.log(execution["number"], "s") == b"one\ntwo\n"
    assert busy.log(execution["number"], "l") == b"hello\n"
    assert busy.log(execution["number"], "n") == b""


def test_the_first_failing_command_ends_the_task(busy):
    busy.apply(shell("stopping-early", "echo one", "false", "echo three"))
    execution = busy.run("default.stopping-early")
    assert (execution["state"], busy.log(execution["number"])) == ("failed", b"one\n")


def test_a_command_that_dies_of_a_signal_says_so(busy):
    busy.apply(shell("dying", "kill -SEGV $$"))
    (attempt,) = task_of(busy.run("default.dying"))["attempts"]
    assert (attempt["result"], attempt["signal"]) == ("failed", signal.SIGSEGV)


# Inputs.

def test_inputs_reach_commands_as_they_are(busy):
    busy.apply(flow("inputs", {"id": "task", "type": "shell", "commands": [
        "printf '%s|%s|%s|%s' \"$INPUT_DAY_OF\" \"$INPUT_COUNT\" \"$INPUT_SURE\" \"${INPUT_NOT_GIVEN-unset}\"",
        "printf '|%s' \"${PATH_OF-unset}\""]},
        inputs=[{"id": "day-of", "type": "string", "required": True}, {"id": "count", "type": "integer", "default": 3},
                {"id": "sure", "type": "boolean", "default": False}, {"id": "not-given", "type": "string"},
                {"id": "path_of", "type": "string"}]))
    nasty = "a b\n$(touch /tmp/never) `id` \"quoted\" 'too' ; | & ü\\"
    execution = busy.run("default.inputs", inputs={"day-of": nasty, "sure": True, "path_of": "x"})
    assert execution["state"] == "succeeded"
    assert busy.log(execution["number"]).decode() == f"{nasty}|3|true|unset|unset"
    assert execution["inputs"] == {"day-of": nasty, "count": "3", "sure": "true", "path_of": "x"}


def test_the_environment_is_clean_and_says_who_runs(busy):
    busy.apply(flow("environment", {"id": "task", "type": "shell", "commands": ["env"], "env": {"A": "task", "C": "c"}},
                    env={"A": "flow", "B": "b"}))
    execution = busy.run("default.environment")
    said = dict(line.split("=", 1) for line in busy.log(execution["number"]).decode().splitlines() if "=" in line)
    assert (said["A"], said["B"], said["C"]) == ("task", "b", "c")
    assert said["LULL_EXECUTION"] == str(execution["number"]) and said["LULL_FLOW"] == "default.environment"
    assert "TMPDIR" not in said and "LULL_RUNTIME_DIR" not in said, "nothing of the server's own"
    assert not [name for name in said if "TOKEN" in name or "PASSWORD" in name]


# Ending them.

def test_a_task_that_takes_too_long_is_timed_out(busy):
    busy.apply(shell("slow", "echo began; sleep 600 & sleep 600", timeout="300ms"))
    execution = busy.run("default.slow")
    assert execution["state"] == "timed_out"
    assert task_of(execution)["attempts"][0]["result"] == "timed_out"
    assert busy.log(execution["number"]) == b"began\n"


def tree(folder):
    """A command that starts a process in the background and a double-forked one in a session of its own."""
    return (f"sleep 600 & echo $! >{folder}/pids.part; "
            f"setsid sh -c 'sleep 600 & echo $! >>{folder}/pids.part' & wait $!; "
            f"echo $$ >>{folder}/pids.part; mv {folder}/pids.part {folder}/pids; wait")


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.parametrize("act, state", [("stop", "stopped"), ("kill", "killed")])
def test_interrupting_reaches_the_whole_tree(busy, tmp_path, act, state):
    tmp_path.chmod(0o777)
    busy.apply(shell(f"tree-{act}", tree(tmp_path)))
    number = busy.submit(f"default.tree-{act}")
    wait_until((tmp_path / "pids").exists, "the tree to stand")
    pids = [int(line) for line in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 3 and all(is_alive(pid) for pid in pids)
    told = busy.post(f"/v1/executions/{number}/{act}", {"reason": "enough"})
    assert told["state"] in (("stopping", "stopped") if act == "stop" else ("killing", "killed"))
    execution = busy.wait(number)
    assert execution["state"] == state
    assert "enough" in execution["cause"] and "admin" in execution["cause"]
    assert not any(is_alive(pid) for pid in pids), "nothing is left"


def test_a_command_that_ignores_the_stop_can_be_killed(busy, tmp_path):
    tmp_path.chmod(0o777)
    busy.apply(shell("stubborn", f"trap 'touch {tmp_path}/asked' TERM; touch {tmp_path}/ready",
                     "while :; do sleep 0.1 || :; done"))
    number = busy.submit("default.stubborn")
    wait_until((tmp_path / "ready").exists, "the command to begin")
    assert busy.post(f"/v1/executions/{number}/stop")["state"] == "stopping"
    wait_until((tmp_path / "asked").exists, "the command to be asked")
    assert busy.execution(number)["state"] == "stopping"
    assert busy.post(f"/v1/executions/{number}/kill")["state"] in ("killing", "killed")
    assert busy.wait(number)["state"] == "killed"


def test_a_stopped_execution_starts_no_further_task(busy, tmp_path):
    tmp_path.chmod(0o777)
    busy.apply(flow("two-steps", {"id": "task", "type": "shell", "commands": ["sleep 600"]},
                    {"id": "next", "type": "shell", "needs": ["task"], "commands": [f"touch {tmp_path}/next"]}))
    number = busy.submit("default.two-steps")
    busy.wait_running(number)
    busy.post(f"/v1/executions/{number}/stop")
    execution = busy.wait(number)
    assert execution["state"] == "stopped"
    assert task_of(execution, "next")["attempts"] == [] and list(tmp_path.iterdir()) == []


def test_what_is_queued_is_cancelled_and_never_runs(busy, tmp_path):
    tmp_path.chmod(0o777)
    busy.apply(shell("queued", f"touch {tmp_path}/ran-$LULL_EXECUTION"))
    hold = busy.enter()
    numbers = busy.submit_many(*[{"flow": "default.queued"}] * 4)
    for number, act in zip(numbers, ("cancel", "stop", "kill")):
        assert busy.post(f"/v1/executions/{number}/{act}", {"reason": "not needed"})["state"] == "cancelled"
    busy.end(hold["id"])
    assert [busy.wait(number)["state"] for number in numbers] == ["cancelled"] * 3 + ["succeeded"]
    assert [path.name for path in tmp_path.iterdir()] == [f"ran-{numbers[3]}"]


def test_what_runs_is_not_cancelled_and_what_has_ended_is_not_stopped(busy):
    number = busy.submit("default.sleeper")
    busy.wait_running(number)
    detail = busy.refuses(409, "conflict", "POST", f"/v1/executions/{number}/cancel", {})
    assert "stop" in detail, "and it says what to do instead"
    busy.post(f"/v1/executions/{number}/kill")
    assert busy.wait(number)["state"] == "killed"
    before = busy.execution(number)
    for act in ("stop", "kill", "cancel"):
        assert "ended" in busy.refuses(409, "conflict", "POST", f"/v1/executions/{number}/{act}", {})
    assert busy.execution(number) == before


# Waiting.

def test_waiting_answers_when_it_ended_or_the_time_is_over(busy):
    number = busy.submit("default.sleeper")
    busy.wait_running(number)
    told = busy.get(f"/v1/executions/{number}?until=ended&wait=100ms")
    assert told["state"] == "running" and told["ended"] is None
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(busy.get, f"/v1/executions/{number}?until=ended&wait=60s") for _ in range(8)]
        busy.post(f"/v1/executions/{number}/kill")
        assert {one.result()["state"] for one in waiting} == {"killed"}


def test_attempts_run_apart_in_folders_that_go_away(busy):
    busy.apply(shell("folders", "pwd; ls -A; echo x >left-behind"))
    for _ in range(2):
        execution = busy.run("default.folders")
        folder, *rest = busy.log(execution["number"]).decode().split()
        assert rest == [] and folder.startswith(str(busy.data))
        assert not os.path.exists(f"{folder}/left-behind")
