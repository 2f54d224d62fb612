"""The fence: what a hold covers does not start once it is entered, whatever goes on meanwhile.

Proved by the order of the store and not by clocks: what the store holds when "fenced" is answered and what it holds
before the hold ends are compared, and nothing is in the state "handed" once "settled" is told. Beside it the kernel is
asked when each process was made.
"""

import collections
import contextlib
import os
import pathlib
import random
import signal
import subprocess
import time

import pytest

from house import PATIENCE, PROGRAM, House, flow, is_agent, processes_below, wait_until

BUILD = pathlib.Path(os.environ["LULL_BUILD"])
LOAD, STAMP = BUILD / "tests/e2e/fence_load", BUILD / "tests/e2e/fence_stamp"
CALLERS = 64
ROUNDS = 1000 if BUILD.name in ("test", "release") else 60  # sanitizers are slower, not stricter
NUMBERS = 1 << 40
HANDED, OPEN_BELOW, TAKEN_BACK = 0, 4, 5  # states of attempts, as core/life.h numbers them
SUCCEEDED = 4  # a state of executions


class Lines:
    """What the commands wrote: (execution, task, try) and when they began."""

    def __init__(self, path):
        self.path = path
        path.touch()
        path.chmod(0o666)

    def read(self):
        found = []
        for line in self.path.read_text().splitlines():
            name, began = line.split()
            execution, task, attempt = (int(part) for part in name.split("."))
            found.append(((execution % NUMBERS, task, attempt), int(began)))
        return found

    def counts(self):
        """How often each task of each execution was begun."""
        return collections.Counter((execution, task) for (execution, task, _), _ in self.read())


@pytest.fixture
def lines(tmp_path):
    tmp_path.chmod(0o755)
    return Lines(tmp_path / "lines")


def apply_flows(house, lines):
    command = {"type": "shell", "commands": [f"exec {STAMP} {lines.path}"]}
    house.apply(flow("one", {"id": "a", **command}))
    house.apply(flow("two", {"id": "a", **command}, {"id": "b", "needs": ["a"], **command}))


@contextlib.contextmanager
def another_agent(house, name, slots):
    """An agent of its own beside the embedded one, on the same socket."""
    folder = house.folder / name
    folder.mkdir()
    command = [PROGRAM, "agent", "--data", str(folder), "--name", name, "--slots", str(slots), "--socket",
               str(house.data / "agent.sock")]
    if os.geteuid() == 0:
        command += ["--run-as", "root"]
    with open(folder / "log", "ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=house.environment)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(PATIENCE)

        def is_empty():
            left = processes_below(folder)
            for pid in left:
                if not is_agent(pid):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            return not left
        wait_until(is_empty, f"{name} to be gone")


class Watch:
    """Looks into the store, by one connection."""

    def __init__(self, store):
        self.store = store

    def starts(self):
        """How many first tasks were ever handed out. Rows of attempts are never removed."""
        return self.store.execute("SELECT count(*) FROM attempt WHERE task = 0").fetchone()[0]

    def open(self):
        """The open attempts, {(execution, task, try): state}."""
        rows = self.store.execute("SELECT execution, task, try, state FROM attempt WHERE state < ?",
                                  (OPEN_BELOW,)).fetchall()
        return {(execution % NUMBERS, task, attempt): state for execution, task, attempt, state in rows}


def wait_settled(house, hold):
    while True:
        told = house.hold(hold)
        if told["settled"]:
            return told


def check_taken_back(house, lines):
    """What was taken back has not run, not even a little."""
    rows = house.rows("SELECT execution, task, try FROM attempt WHERE state = ?", TAKEN_BACK)
    taken_back = {(execution % NUMBERS, task, attempt) for execution, task, attempt in rows}
    assert taken_back.isdisjoint(name for name, _ in lines.read())
    return taken_back


def now_ns():
    """On the clock by which the kernel tells when a process was made."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def one_round(house, watch, pause):
    """Enters and ends; answers what was in flight when it was fenced, and when it was settled."""
    entered = house.enter()
    assert entered["fenced"] and not entered["truncated"]
    fenced, in_flight = watch.starts(), watch.open()
    named = {blocker["execution"] for blocker in entered["blockers"]}
    assert {execution for execution, _, _ in in_flight} <= named, "in flight and not in the census of the answer"

    wait_settled(house, entered["id"])
    settled_ns = now_ns()
    handed = {name for name, state in watch.open().items() if name[1] == 0 and state == HANDED}
    assert not handed, "handed, and yet settled"
    time.sleep(pause)
    assert watch.starts() == fenced, "handed out between fenced and the end"
    house.end(entered["id"])
    return in_flight, settled_ns


def check_begins(lines, rounds):
    """What was in flight at "fenced" had begun at "settled", or has not run at all."""
    made = dict(lines.read())
    for in_flight, settled_ns in rounds:
        for name in in_flight:
            # A second task of a begun execution is not covered.
            late_ns = made.get(name, 0) - settled_ns if name[1] == 0 else 0
            assert late_ns <= 0, f"{name} began {late_ns} ns after settled"


@pytest.mark.parametrize("rounds", [ROUNDS])
def test_nothing_is_handed_out_after_fenced_and_nothing_begins_after_settled(tmp_path, lines, rounds):
    dice = random.Random(rounds)
    done = []
    with House(tmp_path / "house", slots=8) as house, another_agent(house, "second", 8), \
            another_agent(house, "third", 8), house.store() as store:
        house.wait_agent(3)
        apply_flows(house, lines)
        load = subprocess.Popen([LOAD, house.url.rsplit(":", 1)[1], house.token, str(CALLERS), "default.one",
                                 "default.two", "default.one"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                text=True)
        try:
            watch = Watch(store)
            for _ in range(rounds):
                # From the very moment of the end to when all that was held has run.
                time.sleep(dice.choice((0, 0.001, 0.003, 0.006)))
                done.append(one_round(house, watch, dice.choice((0, 0.001, 0.003))))
            submitted, _ = load.communicate(timeout=PATIENCE)
        finally:
            load.kill()
            load.wait()
        assert load.returncode == 0
        accepted = {int(number): name for number, name in (line.split() for line in submitted.splitlines())}
        assert len(accepted) >= rounds, "too little went on to prove anything"
        wanted = {(number, task): 1 for number, name in accepted.items() for task in range(1 + (name == "default.two"))}
        assert lines.counts() == wanted, "each accepted task began exactly once"
        check_begins(lines, done)
        check_taken_back(house, lines)
        assert house.rows("SELECT count(*) FROM execution WHERE state <> ?", SUCCEEDED) == [(0,)]
        assert house.is_whole()


def pids_of(house, kind):
    """The agent, or its runners."""
    if kind != "runners":
        return [house.agent_pid()]
    words = {pid: pathlib.Path("/proc", str(pid), "cmdline").read_bytes().split(b"\0")
             for pid in processes_below(house.data)}
    return [pid for pid, said in words.items() if said[0] == b"lull-runner"]


def tell(pids, number):
    for pid in pids:
        os.kill(pid, number)


def stopped(pid):
    """Does the kernel say that the process stands still?"""
    return pathlib.Path("/proc", str(pid), "stat").read_text().rsplit(")", 1)[1].split()[0] == "T"


def first_states(house, numbers):
    """The states of the newest attempts of the first tasks; None: there was none."""
    attempts = [house.execution(number)["tasks"][0]["attempts"] for number in numbers]
    return [each[-1]["state"] if each else None for each in attempts]


def freeze_with_orders(house, kind):
    """
    Stops the agent or the runners and submits, so that orders are handed out to what stands still. Answers who was
    stopped and what was submitted; None: the agent stood still with no exchange waiting, and so got none.
    """
    frozen = pids_of(house, kind)
    tell(frozen, signal.SIGSTOP)
    wait_until(lambda: all(stopped(pid) for pid in frozen), f"the {kind} to stand still")
    covered = house.submit_many(*[{"flow": "default.one"}, {"flow": "default.two"}] * 2)
    limit = time.monotonic() + 1
    while time.monotonic() < limit:
        if first_states(house, covered) == ["handed"] * 4:
            return frozen, covered
        time.sleep(0.005)
    tell(frozen, signal.SIGCONT)
    assert {house.wait(number)["state"] for number in covered} == {"succeeded"}
    return None, covered


def go_on(house, kind, frozen):
    """What stood still goes on; or its agent dies with the orders unread, and another takes its place."""
    if kind == "agent, then killed":
        tell(frozen, signal.SIGKILL)
        wait_until(lambda: frozen[0] not in processes_below(house.data), "the agent to be gone")
        house.start_agent()
    else:
        tell(frozen, signal.SIGCONT)


@pytest.mark.parametrize("kind", ["agent", "runners", "agent, then killed"])
def test_an_order_that_nobody_confirms_keeps_the_hold_unsettled(tmp_path, lines, kind):
    """Stopped between order and begin: fenced and not settled; going on, it settles, and nothing runs twice."""
    outcomes = collections.Counter()
    with House(tmp_path / "house", slots=4) as house, house.store() as store:
        watch = Watch(store)
        house.wait_agent()
        apply_flows(house, lines)
        expected = collections.Counter()
        for _ in range(8):
            # So that there is a runner for each slot.
            ran = house.submit_many(*[{"flow": "default.one"}] * 4)
            assert [house.wait(number)["state"] for number in ran] == ["succeeded"] * 4
            expected.update((number, 0) for number in ran)
            frozen = None
            while not frozen:
                frozen, covered = freeze_with_orders(house, kind)
                expected.update((number, 0) for number in covered)
                expected.update((number, 1) for number in covered[1::2])
            try:
                entered = house.enter()
                in_flight = watch.open()
                queued = house.submit_many(*[{"flow": "default.one"}] * 3)
                assert list(in_flight.values()) == [HANDED] * 4, "not caught between order and begin"
                assert (entered["fenced"], entered["settled"], entered["drained"]) == (True, False, False)
                assert entered["safe"] != "yes"
                told = house.get(f"/v1/maintenance/{entered['id']}?until=drained&wait=200ms")
                assert (told["settled"], told["drained"]) == (False, False), "time alone settles nothing"
                assert {state for state in first_states(house, queued)} == {None}
            finally:
                go_on(house, kind, frozen)
            wait_settled(house, entered["id"])
            settled_ns = now_ns()
            house.wait_drained(entered["id"])
            check_begins(lines, [(in_flight, settled_ns)])
            for number in covered + queued:
                execution = house.execution(number)
                assert (execution["state"] == "succeeded") != (execution["held_by"] == entered["id"]), execution
                assert lines.counts()[number, 0] == (execution["state"] == "succeeded")
                outcomes[execution["state"], number in covered] += 1
            house.end(entered["id"])
            assert {house.wait(number)["state"] for number in covered + queued} == {"succeeded"}
            expected.update((number, 0) for number in queued)
            assert lines.counts() == expected, "each task began exactly once"
        taken_back = check_taken_back(house, lines)
        assert outcomes["queued", False] == 24, "what came after the hold was held"
        if kind == "agent, then killed":
            assert len(taken_back) == 32, "a new agent knows nothing of what the dead one had not begun"
