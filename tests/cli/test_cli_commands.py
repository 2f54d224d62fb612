"""What each command asks the server, what it says of the answer, and its exit code."""

import json

import pytest

VALID = "id: backup\nnamespace: ops\n"
ERRORS = [  # HTTP status, error, exit code
    (400, "invalid", 2), (401, "unauthentic", 5), (403, "forbidden", 5), (404, "not_found", 6), (409, "conflict", 8),
    (410, "gone", 6), (413, "too_large", 2), (422, "unprocessable", 2), (429, "too_many", 1), (500, "internal", 1),
    (503, "held", 4), (503, "busy", 1), (507, "disk_full", 1),
]


@pytest.mark.parametrize("status, name, exit_code", ERRORS)
def test_the_exit_code_says_what_kind_of_refusal_it_was(desk, status, name, exit_code):
    desk.server.refuses("GET /v1/status", status, name, "because")
    assert desk.fails(exit_code, "status").splitlines()[0] == "lull: because"


def test_a_refusal_by_a_hold_names_it(desk):
    desk.server.refuses("POST /v1/executions", 503, "held", "no new executions", hold=3, reason="upgrade",
                        until="2026-11-21T06:00:00.000Z")
    said = desk.fails(4, "run", "ops.backup")
    assert "hold 3" in said and "upgrade" in said and "2026-11-21T06:00:00.000Z" in said


def test_what_is_no_lull_server_is_out_of_reach(desk):
    desk.server.says("GET /v1/status", b"<html>")
    assert "no Lull server" in desk.fails(7, "status")


def test_every_question_carries_the_token(desk):
    desk.server.says("GET /v1/status", {})
    desk.does("status")
    token = desk.folder / "token"
    token.write_text("from-a-file\nand more\n")
    desk.does("status", "--token-file", str(token))
    assert [asked.headers["Authorization"] for asked in desk.server.asked] == ["Bearer a-token", "Bearer from-a-file"]


def test_json_is_the_servers_own(desk):
    answer = {"version": "0.1.0", "waiting": 4512, "new_in_a_later_version": [1, {"a": None}]}
    desk.server.says("GET /v1/status", answer)
    assert json.loads(desk.does("status", "--json")) == answer


def test_status_says_it_in_words(desk):
    desk.server.says("GET /v1/status", {"version": "0.1.0", "pid": 7, "data": "/srv/\x1b[31m", "agents": 3,
                                        "running": 12, "waiting": 4512, "maintenance": "draining"})
    lines = dict(line.split(None, 1) for line in desk.does("status").splitlines())
    assert lines["waiting"] == "4,512" and lines["maintenance"] == "draining" and lines["data"] == "/srv/?[31m"


def test_an_answer_with_other_types_than_expected_is_no_crash(desk):
    odd = {"items": [{"number": "x", "flow": 3, "tasks": {"a": 1}, "attempts": 5, "labels": 7}, 4, None],
           "holds": 3, "next": 3, "blockers": [[]], "tasks": [3, {"attempts": [1]}], "inputs": [], "silent_agents": {}}
    for path, *words in (("/v1/agents", "agent", "list"), ("/v1/flows", "flow", "list"), ("/v1/status", "status"),
                         ("/v1/executions", "execution", "list"), ("/v1/executions/1", "execution", "show", "1"),
                         ("/v1/maintenance", "maintenance", "status"), ("/v1/flows/f", "flow", "show", "f"),
                         ("/v1/executions/1/logs", "execution", "logs", "1")):
        desk.server.says(f"GET {path}", odd)
        assert desk.run(*words).returncode == 0


def test_sign_in_reads_the_password_from_standard_input(desk):
    desk.server.says("POST /v1/sign-in", {"token": "t0ken", "account": "admin"})
    assert desk.does("sign-in", "admin", text="pass \"word\n") == "t0ken\n"
    assert desk.sent() == {"account": "admin", "password": "pass \"word"}
    assert "no password" in desk.fails(2, "sign-in", "admin")


# Flows.

def test_apply_takes_files_folders_and_standard_input(desk):
    desk.server.says("PUT /v1/flows", lambda asked: {"flow": asked.body.strip(), "revision": 2, "change": "updated"})
    flows = desk.folder / "flows"
    flows.mkdir()
    for name in ("b.yml", "a.yaml", "not.txt", ".hidden.yaml"):
        (flows / name).write_text(f"flows.{name}\n")
    (desk.folder / "single").write_text("single\n")
    said = desk.does("flow", "apply", "single", "flows", "-", text="piped\n")
    assert said.splitlines() == [f"{flow}  revision 2  updated"
                                 for flow in ("single", "flows.a.yaml", "flows.b.yml", "piped")]
    assert {asked.headers["Content-Type"] for asked in desk.server.asked} == {"application/yaml"}
    several = json.loads(desk.does("flow", "apply", "--json", "single", "flows"))
    assert [item["flow"] for item in several["items"]] == ["single", "flows.a.yaml", "flows.b.yml"]
    assert json.loads(desk.does("flow", "apply", "--json", "single"))["flow"] == "single"


def test_problems_of_a_flow_are_told_as_compilers_do_and_the_next_file_is_looked_at(desk):
    problems = [{"line": 3, "column": 5, "text": "there is no task \"dmp\"; is dump meant?"}]
    bad = (422, {"type": "urn:lull:error:unprocessable", "title": "t", "status": 422,
                 "detail": "the flow has 1 problem", "problems": problems})
    for command, question in (("apply", "PUT /v1/flows"), ("validate", "POST /v1/flows/validate")):
        desk.server.says(question, lambda asked: bad if asked.body == "bad" else {"flow": "ops.good", "tasks": 1})
        (desk.folder / "bad.yaml").write_text("bad")
        (desk.folder / "good.yaml").write_text("good")
        done = desk.run("flow", command, "bad.yaml", "good.yaml")
        assert done.returncode == 2 and "ops.good" in done.stdout
        assert done.stderr.splitlines()[0] == "bad.yaml:3:5: there is no task \"dmp\"; is dump meant?"
        assert "lull: bad.yaml has 1 problem" in done.stderr
        assert "1 of 2 files" in done.stderr


def test_a_file_that_is_not_there_is_not_found(desk):
    assert "nowhere.yaml" in desk.fails(6, "flow", "apply", "nowhere.yaml")
    (desk.folder / "empty").mkdir()
    assert "no .yaml file" in desk.fails(2, "flow", "apply", "empty")


def test_flows_are_listed_shown_and_deleted(desk):
    desk.server.says("GET /v1/flows", {"items": [{"flow": "ops.backup", "revision": 3, "tasks": 2,
                                                  "description": "Nightly.\nLong."}], "next": "c"})
    done = desk.run("flow", "list")
    assert done.stdout.split() == ["FLOW", "REVISION", "TASKS", "DESCRIPTION", "ops.backup", "3", "2", "Nightly."]
    assert "more" in done.stderr
    desk.server.says("GET /v1/flows/ops.backup", {
        "flow": "ops.backup", "revision": 3, "labels": {"team": "db"}, "source": VALID,
        "inputs": [{"id": "DAY", "type": "text", "required": True, "default": None}],
        "tasks": [{"id": "dump", "type": "shell", "needs": ["a", "b"], "pool": "default", "timeout": "PT1H30M"}]})
    shown = desk.does("flow", "show", "ops.backup")
    assert "team=db" in shown and "a, b" in shown and "1h 30m" in shown and "DAY" in shown
    assert desk.does("flow", "show", "ops.backup", "--source") == VALID
    desk.server.says("DELETE /v1/flows/ops.backup", {"flow": "ops.backup", "change": "deleted"})
    assert desk.does("flow", "delete", "ops.backup") == "ops.backup  deleted\n"


def test_names_are_escaped_on_their_way_into_a_path(desk):
    desk.fails(6, "flow", "show", "../executions?x=1")
    assert desk.server.asked[-1].path == "/v1/flows/..%2Fexecutions%3Fx%3D1"


# Executions.

def test_run_sends_what_the_line_says(desk):
    desk.server.says("POST /v1/executions", (201, {"number": 12, "flow": "ops.backup", "state": "queued"}))
    said = desk.does("run", "ops.backup", "-i", "day=mon=day", "--input=who=", "-p-5", "--key", "k\"1")
    assert said == "execution 12 ops.backup queued\n"
    assert desk.sent() == {"flow": "ops.backup", "inputs": {"day": "mon=day", "who": ""}, "priority": -5, "key": "k\"1"}


def test_run_says_that_a_key_was_repeated(desk):
    desk.server.says("POST /v1/executions", {"number": 12, "state": "succeeded", "repeated": True})
    assert "started before with this key" in desk.does("run", "ops.backup", "--key", "k")


def test_many_runs_go_in_batches_each_with_a_key_of_its_own(desk):
    def start(asked):
        items = json.loads(asked.body)["items"]
        first = 1 + sum(len(json.loads(before.body)["items"]) for before in desk.server.asked[:-1])
        return 201, {"items": [{"number": first + i} for i in range(len(items))]}

    desk.server.says("POST /v1/executions", start)
    assert desk.does("run", "f", "--count", "2500", "--key", "k") == "2,500 executions of f, 1 to 2500\n"
    batches = [json.loads(asked.body)["items"] for asked in desk.server.asked]
    assert [len(batch) for batch in batches] == [1000, 1000, 500]
    assert len({item["key"] for batch in batches for item in batch}) == 2500
    desk.server.asked.clear()
    assert len(json.loads(desk.does("run", "f", "--count", "1001", "--json"))["items"]) == 1001


def test_run_says_how_many_were_started_before_it_failed(desk):
    held = (503, {"type": "urn:lull:error:held", "title": "t", "status": 503, "detail": "hold 3 refuses", "hold": 3})
    desk.server.says("POST /v1/executions", (201, {"items": [{"number": 1}] * 1000}), held)
    assert "1,000 of 1,500 were started, then: hold 3 refuses" in desk.fails(4, "run", "f", "--count", "1500")


def test_executions_are_listed_by_what_was_asked_for(desk):
    desk.server.says("GET /v1/executions", {"items": [
        {"number": 12, "flow": "ops.backup", "state": "queued", "priority": 0, "account": "admin", "held_by": 3,
         "held_reason": "kernel upgrade"}]})
    said = desk.does("execution", "list", "--flow", "ops.backup", "--state", "queued", "--limit", "5")
    assert "held by hold 3: kernel upgrade" in said
    assert desk.server.asked[-1].query == {"limit": "5", "flow": "ops.backup", "state": "queued"}
    desk.server.says("GET /v1/executions", {"items": []})
    done = desk.run("execution", "list")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "no executions\n")


def test_an_execution_shows_its_tasks_and_attempts(desk):
    desk.server.says("GET /v1/executions/12", {
        "number": 12, "flow": "ops.backup", "revision": 3, "state": "failed", "inputs": {"day": "monday"},
        "started": "2026-11-21T06:00:00.000Z", "ended": "2026-11-21T06:01:30.000Z",
        "tasks": [{"id": "dump", "status": "failed", "attempts": [
            {"try": 1, "state": "ended", "result": "failed", "agent": "db1", "exit_code": 2,
             "began": "2026-11-21T06:00:00.000Z", "ended": "2026-11-21T06:00:10.000Z"},
            {"try": 2, "state": "ended", "result": "killed", "agent": "db1", "signal": 9,
             "ended": "2026-11-21T06:01:30.000Z"}]},
            {"id": "copy", "status": "skipped", "attempts": []}]})
    said = desk.does("execution", "show", "12")
    rows = [line.split() for line in said.splitlines()]
    assert ["took", "1m", "30s"] in rows and ["inputs", "day=monday"] in rows
    assert ["dump", "failed", "1", "failed", "db1", "10s", "2", "-"] in rows
    assert ["copy", "skipped", "-", "-", "-", "-", "-", "-"] in rows
    assert "signal 9" in said


def test_logs_of_one_task_are_its_bytes_and_of_all_are_told_apart(desk):
    desk.server.says("GET /v1/executions/12/logs/dump", b"a\x00\xff\n")
    desk.server.says("GET /v1/executions/12/logs", {"items": [
        {"task": "dump", "try": 1, "text": "one\n"}, {"task": "copy", "try": 2, "text": "two", "cut": True}]})
    assert desk.does_bytes("execution", "logs", "12", "dump") == b"a\x00\xff\n"
    done = desk.run("execution", "logs", "12")
    assert done.stdout == "== dump, try 1 ==\none\n\n== copy, try 2 ==\ntwo"
    assert "copy wrote more than is kept" in done.stderr


@pytest.mark.parametrize("how", ["stop", "kill", "cancel"])
def test_an_execution_is_interrupted_with_a_reason(desk, how):
    desk.server.says(f"POST /v1/executions/12/{how}", {"number": 12, "flow": "ops.backup", "state": "stopping"})
    assert desk.does("execution", how, "12", "--reason", "wrong day") == "execution 12 ops.backup stopping\n"
    assert desk.sent() == {"reason": "wrong day"}


def test_agents_are_listed(desk):
    desk.server.says("GET /v1/agents", {"items": [{"name": "db1", "pool": "default", "labels": ["gpu", "big"],
                                                   "slots": 8, "open": 3, "host": "db1.example", "silent": True}]})
    rows = [line.split() for line in desk.does("agent", "list").splitlines()]
    assert rows[1] == ["db1", "default", "gpu,", "big", "3/8", "db1.example", "-", "-", "silent"]


# Maintenance.

HOLD = {"id": 3, "phase": "draining", "scope": "instance", "preset": "default", "owner": "admin", "reason": "upgrade",
        "running": 2, "waiting": 4512, "drained": False, "safe": "no"}


def test_enter_says_why_and_what_is_left(desk):
    desk.server.says("POST /v1/maintenance", (201, HOLD))
    said = desk.does("maintenance", "enter", "-r", "upgrade", "--preset", "gocd", "--ticket", "OPS-1")
    assert said == "hold 3 draining: 2 running, 4,512 waiting\n"
    assert desk.sent() == {"reason": "upgrade", "preset": "gocd", "ticket": "OPS-1", "scope": "instance"}


def test_the_status_of_maintenance_names_holds_and_blockers(desk):
    desk.server.says("GET /v1/maintenance", {
        "state": "draining", "safe": "no", "running": 2, "waiting": 4512, "silent_agents": ["db2"], "holds": [HOLD],
        "blockers": [{"kind": "attempt", "execution": 12, "flow": "ops.backup", "task": "dump", "state": "running",
                      "age": "PT3M", "agent": "db1", "usual": "PT2M", "remaining": "PT0S", "longer_than_usual": True,
                      "clears": "its end"}]})
    said = desk.does("maintenance", "status")
    for part in ("draining", "4,512", "db2", "upgrade", "ops.backup", "3m", "longer than usual", "its end"):
        assert part in said


def test_an_open_gate_says_that_idle_is_not_safe(desk):
    desk.server.says("GET /v1/maintenance", {"state": "open", "safe": "no", "idle": True, "holds": [], "blockers": []})
    assert "`lull maintenance enter` first" in desk.does("maintenance", "status")


def test_end_without_a_number_ends_the_only_hold(desk):
    desk.server.says("GET /v1/maintenance", {"holds": [HOLD]})
    desk.server.says("POST /v1/maintenance/3/end", {"hold": HOLD, "still_held_by": []})
    assert desk.does("maintenance", "end") == "hold 3 ended, the gate is open\n"
    assert desk.server.questions()[-1] == "POST /v1/maintenance/3/end"


def test_end_does_not_guess_between_two_holds(desk):
    desk.server.says("GET /v1/maintenance", {"holds": [HOLD, {**HOLD, "id": 4, "owner": "eve", "reason": "disk"}]})
    said = desk.fails(2, "maintenance", "end")
    assert "2 holds are in force" in said and "3 (admin: upgrade), 4 (eve: disk)" in said
    desk.server.says("POST /v1/maintenance/4/end", {"hold": HOLD, "still_held_by": [HOLD]})
    assert desk.does("maintenance", "end", "4") == "hold 4 ended\nstill held by hold 3 of admin: upgrade\n"
    desk.server.says("GET /v1/maintenance", {"holds": []})
    assert "no hold is in force" in desk.fails(6, "maintenance", "end")
