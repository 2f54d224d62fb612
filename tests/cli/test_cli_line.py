"""The table of commands: parsing, help, guesses; each test is one promise of cli/line.h or cli/help.h."""

import json
import os
import re
import subprocess

import pytest

from program import PATIENCE, PROGRAM, environment


@pytest.fixture
def lull(tmp_path):
    def run(*arguments):
        return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=PATIENCE,
                              env=environment(tmp_path))
    return run


def commands(lull):
    """The names in the list of commands."""
    lines = re.findall(r"^  ([a-z-]+(?: [a-z]+)?)(?= )", lull("help").stdout, re.MULTILINE)
    assert len(lines) > 20
    return lines


def test_every_command_has_help_with_an_example_of_itself(lull):
    for name in commands(lull):
        by_command, by_option = lull("help", *name.split()), lull(*name.split(), "--help")
        assert by_command.returncode == by_option.returncode == 0
        assert by_command.stdout == by_option.stdout
        assert f"usage: lull {name}" in by_command.stdout
        assert re.search(rf"^example: .*lull {name}\b", by_command.stdout, re.MULTILINE), name


def test_every_command_that_asks_a_server_says_when_there_is_none(lull):
    arguments = {"run": ["f"], "flow apply": ["-"], "flow validate": ["-"], "sign-in": ["a"], "flow show": ["f"],
                 "flow delete": ["f"], "maintenance enter": ["--reason", "r"]}
    for name in commands(lull):
        if "--url" not in lull("help", *name.split()).stdout:
            continue
        numbered = ["1"] if name.startswith("execution") and name != "execution list" else []
        done = subprocess.run([PROGRAM, *name.split(), *arguments.get(name, numbered), "--url", "http://127.0.0.1:1"],
                              input="x\n", capture_output=True, text=True, timeout=PATIENCE)
        assert (done.returncode, done.stdout) == (7, ""), name
        assert "no server at http://127.0.0.1:1" in done.stderr, name


@pytest.mark.parametrize("line, said", [
    ("maintenence enter", "is `lull maintenance enter` meant?"),
    ("flow lst", "is `lull flow list` meant?"),
    ("agent stpo", "is `lull agent stop` meant?"),
    ("run f --prioritty 3", "is --priority meant?"),
    ("status -x", "has no option -x; see `lull help status`"),
    ("gibberish", "`lull help` lists them"),
    ("run", "something is missing; usage: lull run FLOW"),
    ("run a b", "too many arguments; usage: lull run FLOW"),
    ("run a --count", "--count needs a value: --count N"),
    ("run a --count 0", "--count is a number from 1 to 1000000, not \"0\""),
    ("run a --wait=yes", "--wait takes no value"),
    ("run a -i day", "--input is NAME=VALUE, not \"day\""),
    ("run a --logs --count 2", "leave out --count"),
    ("run a --wait --timeout soon", "--timeout: "),
    ("execution show twelve", "\"twelve\" is not an execution's number"),
    ("maintenance enter", "say why"),
    ("maintenance wait --for lunch", "only `drained` can be waited for"),
    ("help nonsense", "there is no command `lull nonsense`"),
])
def test_a_wrong_line_is_refused_with_what_was_meant(lull, line, said):
    done = lull(*line.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("lull: ") and said in done.stderr


def test_a_group_alone_shows_its_commands(lull):
    asked, wrong = lull("flow", "--help"), lull("flow")
    assert (asked.returncode, wrong.returncode) == (0, 2)
    assert asked.stdout == wrong.stderr == lull("help", "flow").stdout
    assert "flow apply" in asked.stdout and "maintenance" not in asked.stdout


def test_what_needs_no_server_works_without_one(lull):
    assert re.fullmatch(r"lull \d+\.\d+\.\d+\n", lull("version").stdout)
    assert lull("--version").stdout == lull("version").stdout
    assert "version" in json.loads(lull("version", "--json").stdout)


def test_lost_output_is_a_failure(lull):
    with open("/dev/full", "w") as full:
        done = subprocess.run([PROGRAM, "version"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    assert done.returncode == 1 and "could not be written" in done.stderr


def test_a_reader_that_has_seen_enough_is_no_failure(lull):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([PROGRAM, "help"], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_stopping_an_agent_that_is_not_there_is_not_found(lull, tmp_path):
    done = lull("agent", "stop", "--data", str(tmp_path))
    assert done.returncode == 6 and f"no agent runs on {tmp_path}" in done.stderr


def test_a_server_is_not_started_with_nonsense(lull):
    done = lull("serve", "--slots", "none")
    assert done.returncode == 2 and "--slots is a number" in done.stderr
