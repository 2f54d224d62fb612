"""What README.md and docs/ show is so: each command runs as written, in order, and answers what stands below it."""

import contextlib
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess

import pytest

from house import PATIENCE, PROGRAM, environment, processes_below, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
READMES_DATA, READMES_HOST = "/var/lib/lull", "vm"


def steps_of(block):
    """[(command, the output that stands below it)] of a console block."""
    steps = []
    for line in block.splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        else:
            steps[-1][1].append(line)
    return steps


def shape(lines):
    """Lines without what differs from run to run: numbers, instants, durations, widths. Empty ones at the end go."""
    text = "\n".join(" ".join("#" if re.search(r"\d", word) else word for word in line.split()) for line in lines)
    return text.rstrip("\n")


class Clone:
    """A folder that looks like a clone with a built program, and what its reader does in it."""

    def __init__(self, folder):
        self.folder, self.data, self.home = folder / "clone", folder / "data", folder / "home"
        self.folder.mkdir()
        self.home.mkdir()
        (self.folder / "examples").symlink_to(ROOT / "examples")
        # The reader's port is the kernel's choice here; and the folder of a test is closed to other users.
        run_as = "--run-as root" if os.geteuid() == 0 else ""
        (self.folder / "lull").write_text(
            "#!/bin/sh\n"
            f'[ "$1" = serve ] && shift && set -- serve --listen 127.0.0.1:0 {run_as} "$@"\n'
            f'exec {shlex.quote(PROGRAM)} "$@"\n')
        (self.folder / "lull").chmod(0o755)
        self.environment = environment(self.home, LULL_DATA=str(self.data))
        self.server, self.log = None, folder / "log"

    def call(self, command):
        done = subprocess.run(["/bin/bash", "-c", command], cwd=self.folder, env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, f"{command}: {done}"
        return done.stdout

    def serve(self, command):
        """Starts the server, after ending the one before; what it says of itself."""
        self.end()
        with self.log.open("wb") as log:
            self.server = subprocess.Popen(["/bin/bash", "-c", f"exec {command}"], cwd=self.folder, stdout=log,
                                           env=self.environment, stdin=subprocess.DEVNULL, stderr=log)

        def says():
            assert self.server.poll() is None, self.log.read_text()
            return re.search(r".* serves .*\n", self.log.read_text())
        said = wait_until(says, "the server to serve").group()
        wait_until(lambda: '"silent":false' in self.call("./lull agent list --json"), "the agent to say hello")
        return said

    def end(self):
        if self.server:
            self.server.send_signal(signal.SIGINT)
            assert self.server.wait(PATIENCE) == 0, self.log.read_text()
            self.server = None

    def has_begun(self):
        """Has everything begun that may?"""
        state = self.call("./lull status --json")
        return '"maintenance":"open"' not in state or '"waiting":0,' in state

    def follow(self, command):
        """Does what a reader would do; what was said, as it would be said on the README's machine."""
        if command == "./lull serve":
            said = self.serve(command)
        else:
            said = self.call(command)
            # A reader types slowly.
            if command.startswith("./lull run "):
                wait_until(self.has_begun, f"`{command}` to begin")
        said = said.replace(str(self.data), READMES_DATA)
        return re.sub(rf"\b{re.escape(socket.gethostname().partition('.')[0])}\b", READMES_HOST, said).splitlines()

    def close(self):
        with contextlib.suppress(OSError):
            self.end()

        def is_empty():
            left = processes_below(self.folder.parent)
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not left
        wait_until(is_empty, "all of the clone's processes to be gone")


@pytest.fixture
def clone(tmp_path):
    made = Clone(tmp_path)
    try:
        yield made
    finally:
        made.close()


def test_the_readme_runs_as_written_and_says_what_it_shows(clone):
    followed = 0
    for language, block in BLOCK.findall(README):
        if language == "yaml":
            name = re.match(r"# (\S+\.yaml)\n", block).group(1)
            (clone.folder / name).write_text(block)
        if language != "console":
            continue
        for command, shown in steps_of(block):
            if command.startswith("make "):
                continue
            if command.endswith("maintenance status"):
                # What was handed out a moment ago is told as such until its agent has reported.
                wait_until(lambda: "handed" not in clone.follow("./lull maintenance status"), "the drain to settle")
            assert shape(clone.follow(command)) == shape(shown), command
            followed += 1
    assert followed > 10


def test_each_make_target_that_the_readme_names_is_one():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {command.split()[1] for language, block in BLOCK.findall(README) if language == "console"
             for command, _ in steps_of(block) if command.startswith("make ")}
    assert named
    assert named <= targets


def run_help(*words):
    done = subprocess.run([PROGRAM, "help", *words], capture_output=True, text=True, check=True, timeout=PATIENCE)
    return done.stdout


def test_the_exit_codes_are_those_that_the_program_tells():
    told = " ".join(run_help().partition("Exit codes: ")[2].split()).rstrip(".")
    listed = re.findall(r"^\| (\d) \| ([^;:|]+?)[;:|]", README, re.MULTILINE)
    assert [f"{code} {meaning.strip()}" for code, meaning in listed] == told.split(", ")


@pytest.mark.parametrize("path", ["README.md", "docs/operations.md"])
def test_no_page_names_an_option_or_a_command_that_there_is_not(path):
    text = (ROOT / path).read_text()
    commands = re.findall(r"^  ([a-z-]+(?: [a-z]+)?)(?= |$)", run_help(), re.MULTILINE)
    options = set(re.findall(r"--[a-z-]+", " ".join(run_help(*command.split()) for command in commands)))
    # Those of other programs in the examples.
    options |= {"--system", "--no-create-home", "--shell"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) <= options
    groups = {command.split()[0] for command in commands if " " in command}
    shown = "\n".join(re.findall(r"`[^`\n]+`|^[ $].*", text, re.MULTILINE))
    for first, second in re.findall(r"lull ([a-z-]+)(?: ([a-z]+))?", shown):
        if first in groups and second:
            assert f"{first} {second}" in commands, (first, second)


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", README))
def test_each_link_of_the_readme_leads_somewhere(link):
    assert (ROOT / link).exists()
