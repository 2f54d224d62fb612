"""Waiting: for a drain, for an execution, through a restart of the server, with a person or a pipe looking on."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import termios
import threading

import pytest

from fake_server import FakeServer
from program import PATIENCE, PROGRAM, environment

BLOCKER = {"kind": "attempt", "execution": 12, "flow": "ops.backup", "task": "dump", "state": "running", "agent": "db1",
           "age": "PT3M", "usual": "PT4M", "remaining": "PT1M"}
DRAINING = {"id": 3, "phase": "draining", "running": 1, "waiting": 0, "drained": False, "blockers": [BLOCKER]}
DRAINED = {**DRAINING, "running": 0, "drained": True, "safe": "yes", "blockers": []}
RUNNING = {"number": 12, "flow": "ops.backup", "state": "running", "started": "2026-11-21T06:00:00.000Z",
           "tasks": [{"id": "dump", "status": "open"}, {"id": "copy", "status": "waiting"}]}
SUCCEEDED = {**RUNNING, "state": "succeeded", "ended": "2026-11-21T06:03:00.000Z", "tasks": []}
FAILED = {**SUCCEEDED, "state": "failed", "tasks": [
    {"id": "dump", "status": "failed", "attempts": [{"result": "failed", "exit_code": 2, "detail": "no room"}]}]}


def test_a_wait_for_a_drain_ends_when_it_is_drained(desk):
    desk.server.says("GET /v1/maintenance", {"holds": [DRAINING]})
    desk.server.says("GET /v1/maintenance/3", DRAINING, DRAINED)
    done = desk.run("maintenance", "wait")
    assert (done.returncode, done.stdout) == (0, "hold 3 is drained; safe to restart: yes\n")
    assert [asked.query for asked in desk.server.asked[1:]] == [{}, {"until": "drained", "wait": "PT5S"}]


def test_a_pipe_gets_a_line_only_when_something_changed(desk):
    older = {**DRAINING, "blockers": [{**BLOCKER, "age": "PT3M5S", "remaining": "PT55S"}]}
    other = {**DRAINING, "blockers": [{**BLOCKER, "task": "copy", "longer_than_usual": True}]}
    desk.server.says("GET /v1/maintenance/3", DRAINING, older, older, other, DRAINED)
    done = desk.run("maintenance", "wait", "3")
    assert done.stderr.splitlines() == [
        "hold 3 draining: 1 running, 0 waiting",
        "  12 ops.backup dump running on db1, 3m 0s so far, usually 4m 0s, about 1m 0s left",
        "hold 3 draining: 1 running, 0 waiting",
        "  12 ops.backup copy running on db1, 3m 0s so far, usually 4m 0s, longer than usual"]


def test_json_waits_in_silence_and_prints_one_document(desk):
    desk.server.says("GET /v1/maintenance/3", DRAINING, DRAINED)
    assert json.loads(desk.does("maintenance", "wait", "3", "--json")) == DRAINED


def test_a_wait_that_runs_out_of_time_is_not_yet(desk):
    desk.server.says("GET /v1/maintenance/3", DRAINING)
    done = desk.run("maintenance", "wait", "3", "--timeout", "0")
    assert (done.returncode, done.stdout) == (3, "")
    assert "hold 3 is not drained yet: 1 running" in done.stderr
    desk.server.says("GET /v1/executions/12", RUNNING)
    done = desk.run("execution", "wait", "12", "--timeout", "1ms")
    assert done.returncode == 3 and "execution 12 is still running" in done.stderr


def test_a_hold_that_was_ended_meanwhile_did_not_drain(desk):
    desk.server.says("GET /v1/maintenance/3", DRAINING, {**DRAINING, "phase": "ended", "ended_by": "eve"})
    done = desk.run("maintenance", "wait", "3")
    assert done.returncode == 8 and "ended by eve: it holds nothing back" in done.stderr


def test_enter_and_wait_is_one_command(desk):
    desk.server.says("POST /v1/maintenance", (201, DRAINING))
    desk.server.says("GET /v1/maintenance/3", DRAINED)
    said = desk.run("maintenance", "enter", "--reason", "upgrade", "--wait").stdout
    assert said == "hold 3 draining: 1 running, 0 waiting\nhold 3 is drained; safe to restart: yes\n"


def test_the_exit_code_of_a_run_that_is_waited_for_is_its_own(desk):
    desk.server.says("POST /v1/executions", (201, {"number": 12, "state": "queued"}))
    desk.server.says("GET /v1/executions/12", RUNNING, SUCCEEDED)
    done = desk.run("run", "ops.backup", "--wait")
    assert done.returncode == 0
    assert done.stdout == "execution 12 ops.backup queued\nexecution 12 ops.backup succeeded in 3m 0s\n"
    assert "execution 12 ops.backup running, 0 of 2 tasks done: dump, " in done.stderr
    desk.server.says("GET /v1/executions/12", FAILED)
    done = desk.run("run", "ops.backup", "--wait")
    assert done.returncode == 1
    assert done.stdout.splitlines()[1:] == ["execution 12 ops.backup failed in 3m 0s",
                                            "  dump failed, exit code 2: no room"]
    done = desk.run("run", "ops.backup", "--wait", "--json")
    assert done.returncode == 1 and json.loads(done.stdout) == FAILED


def test_a_run_can_show_what_its_tasks_wrote(desk):
    desk.server.says("POST /v1/executions", (201, {"number": 12, "state": "queued"}))
    desk.server.says("GET /v1/executions/12", SUCCEEDED)
    desk.server.says("GET /v1/executions/12/logs", {"items": [{"task": "dump", "try": 1, "text": "hello\n"}]})
    assert desk.does("run", "ops.backup", "--logs").endswith("succeeded in 3m 0s\nhello\n")


def test_many_runs_are_waited_for_together(desk):
    desk.server.says("POST /v1/executions", (201, {"items": [{"number": 12}, {"number": 13}]}))
    desk.server.says("GET /v1/executions/12", SUCCEEDED)
    desk.server.says("GET /v1/executions/13", {**FAILED, "number": 13})
    done = desk.run("run", "f", "--count", "2", "--wait")
    assert done.returncode == 1
    assert done.stdout.splitlines()[1] == "2 ended: 1 succeeded; 13 failed"
    done = desk.run("run", "f", "--count", "2", "--wait", "--json")
    assert [item["number"] for item in json.loads(done.stdout)["items"]] == [12, 13]


@contextlib.contextmanager
def server_of_this_machine(folder):
    """A server that is found by itself, and the way to publish another."""
    servers = []

    def publish():
        servers.append(FakeServer())
        (folder / "lull").mkdir(mode=0o700, exist_ok=True)
        (folder / "admin-token").write_text("local-token\n")
        file = folder / "lull" / "server"
        file.write_text(json.dumps({"url": servers[-1].url, "data": str(folder), "pid": os.getpid()}))
        file.chmod(0o600)
        return servers[-1]

    yield publish
    for server in servers:
        server.close()


def test_a_wait_survives_a_server_that_restarts_elsewhere(tmp_path):
    with server_of_this_machine(tmp_path) as publish:
        old = publish()

        def goes_away(_):
            publish().says("GET /v1/maintenance/3", DRAINED)
            raise ConnectionError

        old.says("GET /v1/maintenance/3", DRAINING, goes_away)
        done = subprocess.run([PROGRAM, "maintenance", "wait", "3"], capture_output=True, text=True, timeout=PATIENCE,
                              env=environment(tmp_path))
        assert (done.returncode, done.stdout) == (0, "hold 3 is drained; safe to restart: yes\n"), done
        assert "trying again until it answers" in done.stderr and "answers again" in done.stderr


def test_a_wait_for_a_server_that_stays_away_ends_with_its_time(tmp_path):
    with server_of_this_machine(tmp_path) as publish:
        old = publish()

        def goes_away(_):
            (tmp_path / "lull" / "server").unlink()
            raise ConnectionError

        old.says("GET /v1/maintenance/3", DRAINING, goes_away)
        done = subprocess.run([PROGRAM, "maintenance", "wait", "3", "--timeout", "100ms"], capture_output=True,
                              text=True, timeout=PATIENCE, env=environment(tmp_path))
        assert done.returncode == 7, done


def test_a_wait_does_not_begin_without_a_server(tmp_path):
    done = subprocess.run([PROGRAM, "maintenance", "wait", "3"], capture_output=True, text=True, timeout=PATIENCE,
                          env=environment(tmp_path))
    assert done.returncode == 7 and "start one with `lull serve`" in done.stderr


@pytest.mark.parametrize("spoil", ["writable by others", "a link", "dead"])
def test_a_file_that_others_could_have_written_is_not_believed(tmp_path, spoil):
    with server_of_this_machine(tmp_path) as publish:
        server = publish()
        server.says("GET /v1/status", {})
        file = tmp_path / "lull" / "server"
        status = [PROGRAM, "status"]
        assert subprocess.run(status, env=environment(tmp_path), timeout=PATIENCE).returncode == 0
        assert server.asked[-1].headers["Authorization"] == "Bearer local-token"
        if spoil == "writable by others":
            file.chmod(0o666)
        elif spoil == "a link":
            file.rename(tmp_path / "elsewhere")
            file.symlink_to(tmp_path / "elsewhere")
        else:
            child = subprocess.Popen(["true"])
            child.wait()
            file.write_text(json.dumps({**json.loads(file.read_text()), "pid": child.pid}))
        done = subprocess.run(status, env=environment(tmp_path), capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == (7 if spoil == "dead" else 5), done
        assert len(server.asked) == 1


def test_the_local_token_goes_to_the_local_server_only(tmp_path):
    with server_of_this_machine(tmp_path) as publish:
        publish()
        other = publish()
        other.says("GET /v1/status", {})
        subprocess.run([PROGRAM, "status", "--url", other.url], env=environment(tmp_path), check=True, timeout=PATIENCE)
        assert "Authorization" not in other.asked[-1].headers


def test_ctrl_c_leaves_at_once(desk):
    was_asked, may_answer = threading.Event(), threading.Event()

    def hangs(_):
        was_asked.set()
        may_answer.wait(PATIENCE)
        return DRAINED

    desk.server.says("GET /v1/maintenance/3", DRAINING, hangs)
    process = subprocess.Popen([PROGRAM, "maintenance", "wait", "3"], env=desk.environment(), stderr=subprocess.DEVNULL)
    assert was_asked.wait(PATIENCE)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    may_answer.set()


def read_terminal(terminal):
    """All that was written to a terminal until its other side closed."""
    seen = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how a terminal says that nobody is on the other side
            part = b""
        if not part:
            os.close(terminal)
            return seen.decode()
        seen += part


def test_a_terminal_sees_one_picture_drawn_over(desk):
    desk.server.says("GET /v1/maintenance/3", DRAINING, DRAINING, DRAINED)
    terminal, other_side = pty.openpty()
    process = subprocess.Popen([PROGRAM, "maintenance", "wait", "3"], env=desk.environment(), stdout=subprocess.PIPE,
                               stderr=other_side)
    os.close(other_side)
    seen = read_terminal(terminal)
    assert process.communicate(timeout=PATIENCE)[0] == b"hold 3 is drained; safe to restart: yes\n"
    assert seen.count("12 ops.backup dump running on db1, 3m 0s so far, usually 4m 0s") == 2
    assert seen.count("\x1b[2A\x1b[J") == 2 and seen.endswith("\x1b[2A\x1b[J")


def is_echoing(terminal):
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


def test_a_password_is_asked_for_without_echo(desk):
    desk.server.says("POST /v1/sign-in", {"token": "t0ken"})
    terminal, other_side = pty.openpty()
    process = subprocess.Popen([PROGRAM, "sign-in", "admin"], env=desk.environment(), stdin=other_side,
                               stdout=subprocess.PIPE, stderr=other_side)
    os.close(other_side)
    seen = b""
    while b"password of admin: " not in seen:
        seen += os.read(terminal, 1024)
    while is_echoing(terminal):
        pass
    os.write(terminal, b"secret\n")
    assert process.communicate(timeout=PATIENCE)[0] == b"t0ken\n"
    assert "secret" not in seen.decode() + read_terminal(terminal)
    assert desk.sent() == {"account": "admin", "password": "secret"}
