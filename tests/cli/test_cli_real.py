"""The command line and the real server, which it finds by itself: that both speak of the same things."""

import json
import re
import signal
import subprocess

import pytest

from program import PATIENCE, PROGRAM, environment

FLOW = """
id: backup
namespace: ops
inputs: [{id: day, type: string, default: monday}]
tasks:
  - {id: dump, type: shell, commands: ["echo $INPUT_DAY"]}
  - {id: copy, type: noop, needs: [dump]}
"""


class House:
    """A server without an agent, so that what is started stays queued."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = environment(folder, LULL_ADMIN_PASSWORD="correct horse battery")
        self.server = subprocess.Popen(
            [PROGRAM, "serve", "--data", str(folder / "data"), "--listen", "127.0.0.1:0", "--no-agent"],
            env=self.environment, stderr=subprocess.PIPE, text=True)
        said = ""
        while "serves http" not in said:
            line = self.server.stderr.readline()
            assert line, said
            said += line

    def run(self, *arguments, text=""):
        return subprocess.run([PROGRAM, *arguments], input=text, capture_output=True, text=True, timeout=PATIENCE,
                              env=self.environment)

    def does(self, *arguments, **more):
        done = self.run(*arguments, **more)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def close(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.communicate(timeout=PATIENCE)


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.close()


def test_a_flow_from_its_file_to_its_execution(house):
    assert house.does("flow", "apply", "-", text=FLOW) == "ops.backup  revision 1  created\n"
    assert house.does("flow", "apply", "-", text=FLOW) == "ops.backup  revision 1  unchanged\n"
    assert "ops.backup" in house.does("flow", "list")
    shown = house.does("flow", "show", "ops.backup")
    assert "monday" in shown and re.search(r"^copy +noop +dump ", shown, re.MULTILINE)
    assert house.does("flow", "show", "ops.backup", "--source") == FLOW
    assert house.does("run", "ops.backup", "-i", "day=friday", "--key", "k") == "execution 1 ops.backup queued\n"
    assert "started before with this key" in house.does("run", "ops.backup", "-i", "day=friday", "--key", "k")
    assert house.run("run", "ops.backup", "-i", "day=sunday", "--key", "k").returncode == 8
    assert house.does("run", "ops.backup", "--count", "3") == "3 executions of ops.backup, 2 to 4\n"
    assert re.search(r"^inputs +day=friday$", house.does("execution", "show", "1"), re.MULTILINE)
    assert house.run("execution", "wait", "1", "--timeout", "1ms").returncode == 3
    assert house.does("execution", "cancel", "1", "--reason", "no") == "execution 1 ops.backup cancelled\n"
    assert house.run("execution", "wait", "1").returncode == 1
    assert house.does("execution", "list", "--state", "cancelled").splitlines()[1].split()[:3] == ["1", "ops.backup",
                                                                                              "cancelled"]
    assert house.does("execution", "logs", "1") == ""
    assert house.does("flow", "delete", "ops.backup") == "ops.backup  deleted\n"


def test_problems_come_with_their_places(house):
    done = house.run("flow", "validate", "-", text="id: a\nnamespace: ops\ntasks:\n  - {id: x, type: shel}\n")
    assert done.returncode == 2
    assert re.match(r"standard input:4:\d+: ", done.stderr), done.stderr
    assert "standard input has " in done.stderr


def test_maintenance_from_its_beginning_to_its_end(house):
    said = house.does("maintenance", "enter", "--reason", "kernel upgrade", "--ticket", "OPS-1", "--wait")
    assert "hold 1 is drained; safe to restart: yes" in said
    status = house.does("maintenance", "status")
    assert re.search(r"^maintenance +drained$", status, re.MULTILINE) and "kernel upgrade" in status
    assert "hold 1 is drained" in house.does("maintenance", "wait")
    house.does("maintenance", "enter", "--reason", "disk")
    assert house.run("maintenance", "end").returncode == 2
    house.does("flow", "apply", "-", text=FLOW)
    house.does("run", "ops.backup")
    assert re.search(r"held by hold [12]: ", house.does("execution", "list"))
    assert "still held by hold 1 of admin: kernel upgrade" in house.does("maintenance", "end", "2")
    assert house.does("maintenance", "end") == "hold 1 ended, the gate is open\n"
    assert house.run("maintenance", "end").returncode == 6
    # An old number is no go-ahead, however quiet it is: the gate is open.
    late = house.run("maintenance", "wait", "1")
    assert late.returncode == 8 and "holds nothing back any more" in late.stderr


def test_a_password_gives_a_token_and_none_gives_nothing(house):
    token = house.does("sign-in", "admin", text="correct horse battery\n").strip()
    url = json.loads((house.folder / "lull" / "server").read_text())["url"]
    ask = [PROGRAM, "status", "--url", url]
    assert subprocess.run(ask, env={**house.environment, "LULL_TOKEN": token}, timeout=PATIENCE).returncode == 0
    done = subprocess.run(ask, env=house.environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 5 and "lull sign-in" in done.stderr
    assert house.run("sign-in", "admin", text="wrong\n").returncode == 5
