"""An agent started as a server starts its own, and ended as people end it."""

import os
import pathlib
import signal
import subprocess

import pytest

import fake
import rig

SPAWN = pathlib.Path(os.environ["LULL_BUILD"], "tests", "agent", "spawn")
NAME = fake.attempt_name(1)


@pytest.fixture
def data(tmp_path):
    yield tmp_path
    pid = holder(tmp_path)
    if pid:
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def server(data):
    with fake.Server(data / "agent.sock") as started:
        yield started


def holder(data):
    """The pid of the agent that has the folder."""
    text = subprocess.run(["/usr/bin/python3", "-c", """if True:
        import fcntl, struct, sys
        try:
            file = open(sys.argv[1], 'r+b')
        except FileNotFoundError:
            sys.exit()
        lock = struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack('hhqqi4x', fcntl.fcntl(file, fcntl.F_GETLK, lock))
        print(pid if kind != fcntl.F_UNLCK else 0)
        """, str(data / "agent" / "lock")], capture_output=True, text=True, check=True).stdout
    return int(text or 0)


def spawn(data, program=fake.BINARY, *options):
    if os.geteuid() == 0:
        options += ("--run-as", "root")
    return subprocess.run([str(SPAWN), program, "--data", str(data), "--name", "test", "--slots", "2",
                           "--label", "a b", *options], capture_output=True, text=True)


def stop(data, *options):
    return subprocess.run([fake.BINARY, "agent", "stop", "--data", str(data), *options], capture_output=True, text=True)


def gone(pid):
    return not os.path.exists(f"/proc/{pid}")


def test_a_spawned_agent_lives_by_itself(data, server):
    assert spawn(data).returncode == 0
    pid = holder(data)
    hello = server.wait_hello()
    assert (hello["pid"], hello["slots"], hello["labels"]) == (pid, 2, ["a b"])
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()
    assert int(stat[1]) != os.getpid() and int(stat[3]) != os.getsid(0)
    assert sorted(os.readlink(f"/proc/{pid}/fd/{number}") for number in (0, 1, 2)) == sorted(
        ["/dev/null", str(data / "agent" / "log"), str(data / "agent" / "log")])


def test_a_folder_with_a_living_agent_gets_no_other(data, server):
    assert spawn(data).returncode == 0
    pid = holder(data)
    server.wait_hello()
    assert spawn(data).returncode == 0
    assert holder(data) == pid and len(server.hellos) == 1


def test_stop_waits_until_all_is_done(data, server):
    go = data / "go"
    os.mkfifo(go)
    assert spawn(data).returncode == 0
    pid = holder(data)
    server.wait_hello()
    server.start(NAME, f"cat {go}; exit 4")
    server.wait_began(NAME)
    assert stop(data, "--timeout", "1ms").returncode == 3
    server.wait(lambda: 0 in server.frees, "the agent to drain")
    with subprocess.Popen([fake.BINARY, "agent", "stop", "--data", str(data)], stderr=subprocess.PIPE) as waiting:
        watched = f"/proc/{waiting.pid}/fd"
        rig.wait_for(lambda: any("pidfd" in os.readlink(f"{watched}/{number}") for number in os.listdir(watched)),
                     "the command to watch the agent")
        go.write_text("")
        assert waiting.wait(rig.PATIENCE_SECONDS) == 0
    rig.wait_for(lambda: gone(pid), "the agent to be reaped")
    assert server.ends[NAME][0]["exit"] == 4


def test_stop_now_leaves_attempts_to_the_next_agent(data, server):
    go = data / "go"
    os.mkfifo(go)
    assert spawn(data).returncode == 0
    server.wait_hello()
    server.start(NAME, f"cat {go}; exit 4")
    server.wait_began(NAME)
    assert stop(data, "--now").returncode == 0
    assert holder(data) == 0 and rig.processes_of(NAME)
    assert spawn(data).returncode == 0
    assert server.wait_hello(2)["attempts"] == [{"attempt": NAME, "phase": "begun"}]
    go.write_text("")
    assert server.wait_end(NAME)["exit"] == 4


def test_stop_of_nobody_says_so(data):
    answer = stop(data)
    assert answer.returncode == 6 and "no agent runs" in answer.stderr
