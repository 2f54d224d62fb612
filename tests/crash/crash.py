#!/usr/bin/python3
"""Crash rounds: processes die at numbered places under work, and afterwards every account has to agree.

    crash.py [--rounds N] [--seed S] [--house K]      what `make crash ROUNDS=n SEED=s` runs

A house is a data folder that lives through FIVE rounds. In a round a server and an agent start, people submit,
enter and end maintenance, stop and kill; meanwhile server, agent or runner die by SIGKILL at the places that the
seed says (LULL_KILL, src/base/kill_point.h) and are started anew, perhaps to die again. Then all is drained and
looked at. Houses are independent of each other: --house K plays that one alone, as it was played among all.

What has to hold after each round:
  - what was answered as accepted is there, once, under the number that was answered; what was submitted with a
    key and not answered is repeated until it is, and is there once; without a key it is there at most once, a
    batch whole or not at all;
  - no task ran twice, and each that succeeded ran once: the commands' own lines are counted;
  - who was not interrupted succeeded, unless its runner died: no death of server or agent costs an attempt;
  - each hold that was answered as entered is in force after every restart, each answered as ended is not, and
    nothing started in between;
  - the store is whole, and no process is left.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))

import requests  # noqa: E402

from crash_accounts import Ledger, Look  # noqa: E402
from house import PROGRAM, House, flow, processes_below, wait_until  # noqa: E402

FIVE = 5  # rounds of a house
SUBMITS, ACTS, LONGEST = 40, 24, 3  # of a round: submits, acts of the operator, commands that only end by force
SLOTS = 6
KILLED = -signal.SIGKILL
GONE = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)

# A place that is passed once in the life of a process; one that is passed all the time; one of a new folder.
ONCE = re.compile(r"agent\.(start|hello|adopt)|spool\.|agents\.greeted|runner\.sync|migrate|first_account")
OFTEN = re.compile(r"lane\.|api\.|agents\.heard|agent\.(exchange|recorded|order|note)|submit|reports")
AT_FIRST = re.compile(r"migrate|first_account|spool\.identity")
OF_RUNNERS = re.compile(r"runner\.|spool\.(create|begin|end)\.")
OF_AGENTS = re.compile(r"agent\.|spool\.")


def kill_points():
    """Every numbered place in the source."""
    found = set()
    for file in sorted((ROOT / "src").rglob("*.c")):
        found.update(re.findall(r'KILL_POINT\("([^"]+)"\)', file.read_text()))
    return sorted(found)


def points_by_process():
    sorted_out = {"server": [], "agent": [], "runner": []}
    for point in kill_points():
        kind = "runner" if OF_RUNNERS.match(point) else "agent" if OF_AGENTS.match(point) else "server"
        sorted_out[kind].append(point)
    return sorted_out


def plan_deaths(seed, rounds):
    """For each round, where its first server and its first agent (or that agent's runners) die. All places have
    their turn, those of a new folder in the first round of a house."""
    points, rng = points_by_process(), random.Random(f"{seed}/plan")

    def deal(names):
        first, later = [], []
        for name in names:
            (first if AT_FIRST.match(name) else later).append(name)
        rng.shuffle(first)
        rng.shuffle(later)
        dealt = []
        for number in range(rounds):
            hand = first if number % FIVE == 0 and number // FIVE % 2 == 0 else later
            dealt.append(hand[0])
            hand.append(hand.pop(0))
        return dealt

    return list(zip(deal(points["server"]), deal(points["agent"] + points["runner"])))


def runners_of(house):
    """The pids of the slot runners of a house."""
    found = []
    for pid in processes_below(house.folder):
        with contextlib.suppress(OSError):
            if pathlib.Path("/proc", str(pid), "cmdline").read_bytes().startswith(b"lull-runner\0"):
                found.append(pid)
    return found


def place(rng, point):
    return f"{point}:{1 if ONCE.match(point) else rng.randint(1, 25 if OFTEN.match(point) else 3)}"


class Process:
    """One of the two that die: started anew after each death, by SIGKILL only."""

    def __init__(self, name, start, places):
        self.name, self.start, self.places = name, start, collections.deque(places)
        self.process, self.wrong, self.deaths = None, None, 0
        self.is_closing = False
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.keep, daemon=True)

    def begin(self):
        self.process = self.start(self.places.popleft() if self.places else None)
        self.thread.start()

    def keep(self):
        while True:
            code = self.process.wait()
            with self.lock:
                self.deaths += code == KILLED
                if code != KILLED and not self.is_closing:
                    self.wrong = f"the {self.name} ended by itself, with {code}"
                if self.is_closing or self.wrong:
                    return
                self.process = self.start(self.places.popleft() if self.places else None)

    def kill(self):
        with self.lock:
            self.process.kill()

    def end(self):
        """Asks it to leave; it may still die on its way."""
        with self.lock:
            self.is_closing = True
            self.process.terminate()
        self.thread.join(60)
        assert not self.thread.is_alive(), f"the {self.name} does not leave"
        assert not self.wrong, self.wrong
        # One that has just been started hears the signal before it can say how it takes it.
        code = self.process.returncode
        assert code in (0, KILLED, -signal.SIGTERM), f"the {self.name} left with {code}"


class Doomed(House):
    """A house whose processes die."""

    def __init__(self, folder, deaths):
        super().__init__(folder, slots=SLOTS, agent=False, LULL_KILL_LIST=str(deaths))
        self.lines = self.folder / "lines"
        self.server = self.agent = None
        self.is_over = False

    def start_server(self, kill):
        with contextlib.suppress(FileNotFoundError):
            (self.data / "url").unlink()
        return self.run_one(["serve", *self.arguments], kill, self.log_path)

    def start_agent(self, kill):
        self.data.mkdir(exist_ok=True)
        user = ["--run-as", "root"] if os.geteuid() == 0 else []
        return self.run_one(["agent", "--data", str(self.data), "--slots", str(SLOTS), *user], kill,
                            self.folder / "agent.log")

    def run_one(self, arguments, kill, log_path):
        environment = {**self.environment, **({"LULL_KILL": kill} if kill else {})}
        with open(log_path, "ab") as log:
            log.write(f"--- {kill}\n".encode())
            log.flush()
            return subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    env=environment, cwd=self.folder)

    def is_ready(self):
        """Looks where the server is now; it may be on its way down or up."""
        for process in (self.server, self.agent):
            assert not process.wrong, f"{process.wrong}: {self.log_path.read_text()[-3000:]}"
        assert not self.is_over
        try:
            self.url = (self.data / "url").read_text().strip()
            self.token = (self.data / "admin-token").read_text().strip()
            told = self.ask("GET", "/v1/status")
            # Another server may have been given the port of one that is dead.
            return told.status_code == 200 and told.json()["data"] == str(self.data)
        except (OSError, requests.RequestException):
            return False

    def try_to(self, method, path, body=None, **more):
        """The answer, or None if there was none. One that says it knows nothing is none."""
        try:
            answer = self.ask(method, path, body, **more)
        except GONE:
            wait_until(self.is_ready, "the server to come back")
            return None
        is_unknown = answer.status_code == 500 and "error:unknown" in answer.text
        return None if is_unknown else answer

    def insist(self, method, path, body=None, **more):
        """The document of what can be asked as often as one likes."""
        while (answer := self.try_to(method, path, body, **more)) is None:
            pass
        assert answer.status_code in (200, 201), f"{method} {path}: {answer.status_code} {answer.text[:1000]}"
        return answer.json()


def write_flows(house):
    line = f'echo "$LULL_EXECUTION $LULL_TASK $LULL_ATTEMPT" >>{house.lines}'
    tag = [{"id": "tag", "type": "string", "required": True}]

    def shell(name, *commands, **more):
        return {"id": name, "type": "shell", "commands": [line, *commands], **more}

    short = flow("short", shell("task"), inputs=tag)
    slow = flow("slow", shell("task", "sleep 0.15", "echo out"), inputs=tag)
    long = flow("long", shell("task", "sleep 600"), inputs=tag)
    graph = flow("graph", shell("a", "echo out"), {"id": "b", "type": "sleep", "duration": "PT0.05S", "needs": ["a"]},
                 shell("c", "sleep 0.05", needs=["a"]), {"id": "d", "type": "noop", "needs": ["a"]},
                 {"id": "e", "type": "log", "message": "joined", "needs": ["b", "d"]},
                 shell("f", needs=["c", "e"]), inputs=tag)
    for yaml in (short, slow, long, graph):
        house.insist("PUT", "/v1/flows", data=yaml.encode(), headers={"Content-Type": "application/yaml"})


class Submitter:
    """One of those who start work. Every item has a tag of its own, by which it is found in the store."""

    def __init__(self, house, ledger, rng, name):
        self.house, self.ledger, self.rng, self.name = house, ledger, rng, name
        self.count = self.long_count = 0

    def item(self, has_key):
        self.count += 1
        tag = f"{self.name}-{self.count}"
        kind = self.rng.choices(["short", "slow", "graph", "long"], [8, 4, 3, 1])[0]
        if kind == "long":
            self.long_count += 1
            kind = "long" if self.long_count <= LONGEST else "short"
        item = {"flow": f"default.{kind}", "inputs": {"tag": tag}, "priority": self.rng.choice([0, 0, 0, 5])}
        return {**item, "key": f"key-{tag}"} if has_key else item

    def submit(self, body, items, is_new=True):
        """Until it is answered, if it can be repeated."""
        while (answer := self.house.try_to("POST", "/v1/executions", body)) is None:
            is_new = False
            if any("key" not in item for item in items):
                self.ledger.doubtful.append([item["inputs"]["tag"] for item in items])
                return
        assert answer.status_code == 201 or (answer.status_code == 200 and not is_new), answer.text[:1000]
        told = answer.json()
        for item, accepted in zip(items, told["items"] if "items" in body else [told], strict=True):
            assert not (is_new and accepted["repeated"]), f"{item} was never sent before: {accepted}"
            self.ledger.accept(item["inputs"]["tag"], accepted["number"])

    def act(self):
        act = self.rng.choices(["key", "plain", "batch", "keyed batch", "again"], [6, 3, 1, 2, 2])[0]
        if act == "again" and self.ledger.keys:
            item = self.ledger.keys[self.rng.choice(sorted(self.ledger.keys))]
            self.submit(item, [item], is_new=False)
            return
        has_key = act in ("key", "keyed batch", "again")
        items = [self.item(has_key) for _ in range(self.rng.randint(2, 12) if "batch" in act else 1)]
        if has_key:
            self.ledger.keys.update({item["key"]: item for item in items})
        self.submit({"items": items} if "batch" in act else items[0], items)

    def submit_some(self, kind, count):
        items = [{**self.item(True), "flow": f"default.{kind}"} for _ in range(count)]
        self.submit({"items": items}, items)

    def run(self):
        for _ in range(SUBMITS):
            self.act()
            time.sleep(self.rng.random() * 0.01)


class Operator:
    """The one who enters and ends maintenance, stops and kills, and after every silence looks at the gate."""

    def __init__(self, house, ledger, rng, name):
        self.house, self.ledger, self.rng, self.name = house, ledger, rng, name
        self.count = 0
        self.entering = None        # the reason of a hold whose entering was not answered
        self.ending = None          # the id of one whose end was not answered

    def look(self):
        """The gate has to be as it was answered last; what was not answered is learnt."""
        shown = self.house.insist("GET", "/v1/maintenance")
        in_force = {hold["id"]: hold for hold in shown["holds"]}
        if self.ending is not None:
            self.ledger.holds[self.ending] = self.ending in in_force
        for hold in in_force.values():
            if hold["reason"] == self.entering:
                self.ledger.holds[hold["id"]] = True
        self.entering = self.ending = None
        wanted = sorted(hold for hold, is_entered in self.ledger.holds.items() if is_entered)
        assert sorted(in_force) == wanted, f"answered as in force: {wanted}, the gate says {sorted(in_force)}"
        assert all(hold["phase"] == "draining" and hold["fenced"] for hold in in_force.values()), shown
        assert (shown["state"] == "open") == (not wanted), shown

    def enter(self):
        self.count += 1
        self.entering = f"{self.name}-{self.count}"
        answer = self.house.try_to("POST", "/v1/maintenance", {"reason": self.entering})
        if answer is None:
            self.look()
            return
        assert answer.status_code == 201, answer.text
        self.ledger.holds[answer.json()["id"]] = True
        self.entering = None

    def end(self, hold):
        self.ending = hold
        answer = self.house.try_to("POST", f"/v1/maintenance/{hold}/end", {})
        if answer is None:
            self.look()
            return
        assert answer.status_code == 200, answer.text
        self.ledger.holds[hold] = False
        self.ending = None

    def end_all(self):
        while held := self.held():
            self.end(held[0])

    def held(self):
        return sorted(hold for hold, is_entered in self.ledger.holds.items() if is_entered)

    def interrupt(self, number, how):
        with self.ledger.lock:
            self.ledger.interrupted.add(number)
        answer = self.house.try_to("POST", f"/v1/executions/{number}/{how}", {"reason": "a round"})
        if answer is None:
            return
        # One that ended meanwhile, or is not queued any more, is refused.
        assert answer.status_code in (200, 409), answer.text
        if answer.status_code == 200:
            self.ledger.obeyed.add(number)
            if answer.json()["state"] == "cancelled":
                self.ledger.cancelled.add(number)

    def act(self):
        act = self.rng.choices(["enter", "end", "stop", "kill", "cancel", "look"], [4, 5, 2, 2, 1, 2])[0]
        if act == "enter" and len(self.held()) < 3:
            self.enter()
        elif act == "end" and self.held():
            self.end(self.rng.choice(self.held()))
        elif act in ("stop", "kill", "cancel"):
            number = self.ledger.pick(self.rng)
            if number:
                self.interrupt(number, act)
        else:
            self.look()

    def run(self):
        for _ in range(ACTS):
            self.act()
            time.sleep(self.rng.random() * 0.02)
        self.look()


class Round:
    def __init__(self, house, ledger, seed, number, points):
        self.house, self.ledger, self.number = house, ledger, number
        self.rng = random.Random(f"{seed}/{number}")
        server_point, agent_point = points
        by_process = points_by_process()
        self.server_places = [place(self.rng, server_point)]
        if self.rng.random() < 0.6:
            self.server_places.append(place(self.rng, self.rng.choice(by_process["server"])))
        # The first agent of a round finds an empty spool: there is something to adopt for the next one.
        self.agent_places = [place(self.rng, agent_point)]
        if agent_point.startswith("agent.adopt"):
            self.agent_places.insert(0, None)
        if self.rng.random() < 0.5:
            self.agent_places.append(place(self.rng, self.rng.choice(by_process["agent"])))
        self.has_doomed_runners = any(OF_RUNNERS.match(name) for name in filter(None, self.agent_places))
        self.freezes = not self.has_doomed_runners and self.rng.random() < 0.5
        self.deaths = 0

    def __str__(self):
        return f"round {self.number}: server {self.server_places}, agent {self.agent_places}"

    def play(self):
        house = self.house
        house.server = Process("server", house.start_server, self.server_places)
        house.agent = Process("agent", house.start_agent, self.agent_places)
        house.server.begin()
        house.agent.begin()
        wait_until(house.is_ready, "the server")
        write_flows(house)
        operator = Operator(house, self.ledger, random.Random(self.rng.random()), f"o{self.number}")
        submitter = Submitter(house, self.ledger, random.Random(self.rng.random()), f"s{self.number}")
        operator.look()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            tasks = [pool.submit(one.run) for one in (submitter, operator)]
            for task in tasks:
                task.result()
        # From outside, too: a new agent finds what the old one's runners do, and its runners die no more.
        if self.freezes:
            self.freeze(operator, submitter)
        else:
            house.agent.kill()
        self.drain(operator)
        operator.look()
        self.deaths = house.server.deaths + house.agent.deaths
        house.server.end()
        house.agent.end()
        wait_until(lambda: not processes_below(house.folder), "no process to be left")

    def freeze(self, operator, submitter):
        """The agent dies with orders given to runners that wake up only when another agent owns the spool."""
        house = self.house
        operator.end_all()
        if not runners_of(house):
            submitter.submit_some("short", 1)
            wait_until(lambda: runners_of(house), "a runner")
        frozen = runners_of(house)
        for pid in frozen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        submitter.submit_some("short", SLOTS)
        session = house.rows("SELECT session FROM agent")
        # What is handed is given to a runner in the same turn of the agent. There may be none: all slots are busy.
        with contextlib.suppress(AssertionError):
            wait_until(lambda: house.rows("SELECT 1 FROM attempt WHERE state = 0"), "an order", patience=0.2)
        house.agent.kill()
        # A runner that was stopped while it created a file keeps the new agent waiting, rightly.
        with contextlib.suppress(AssertionError):
            wait_until(lambda: house.rows("SELECT session FROM agent") != session, "a new agent", patience=1)
        for pid in frozen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def open_executions(self):
        return self.house.rows("SELECT e.id & 1099511627775, f.name, e.state FROM execution e JOIN flow f "
                               "ON f.id = e.flow WHERE e.ended_ms = 0")

    def drain(self, operator):
        operator.end_all()

        def is_drained():
            self.house.is_ready()
            left = self.open_executions()
            # A stop that was answered is obeyed however often server and agent die afterwards: it is not repeated.
            for number, name, _ in left:
                if name == "long" and number not in self.ledger.obeyed:
                    operator.interrupt(number, self.rng.choice(["stop", "kill"]))
            return not left
        wait_until(is_drained, "all to have ended")


class Crashes:
    """All rounds of a seed. `problems` says what went wrong, by house; a house ends with its first problem."""

    def __init__(self, seed, rounds, folder, say=lambda line: None):
        self.seed, self.rounds, self.folder, self.say = seed, rounds, pathlib.Path(folder), say
        self.plan = plan_deaths(seed, rounds)
        self.deaths = self.executions = 0
        self.problems = {}

    def houses(self):
        return range((self.rounds + FIVE - 1) // FIVE)

    def play_house(self, house_number):
        house = Doomed(self.folder / f"house-{house_number}", self.folder / f"points-{house_number}")
        ledger = Ledger()
        number = house_number * FIVE
        try:
            while number < min((house_number + 1) * FIVE, self.rounds):
                one = Round(house, ledger, self.seed, number, self.plan[number])
                began = time.monotonic()
                one.play()
                look = Look(house, ledger)
                look.everything(one.has_doomed_runners)
                self.say(f"{one}: {one.deaths} deaths, {len(look.executions)} executions, "
                         f"{time.monotonic() - began:.1f} s")
                self.deaths += one.deaths
                number += 1
            self.executions += len(look.executions)
        except Exception as problem:  # whatever it is, it is told with the seed that brought it about
            self.problems[house_number] = (f"seed {self.seed}, {self.rounds} rounds, house {house_number}, {one}: "
                                           f"{type(problem).__name__}: {problem}")
            self.say(self.problems[house_number])
        finally:
            house.is_over = True
            self.leave_nothing(house)

    @staticmethod
    def leave_nothing(house):
        for process in filter(None, (house.server, house.agent)):
            process.is_closing = True
            process.process.kill()
        for pid in processes_below(house.folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def play(self, houses=None):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for task in [pool.submit(self.play_house, number) for number in houses or self.houses()]:
                task.result()
        return self

    def places(self):
        """The places that were passed, and those where somebody died."""
        lines = set()
        for file in self.folder.glob("points-*"):
            lines.update(file.read_text().split())
        return {line for line in lines if not line.endswith("!")}, {line[:-1] for line in lines if line.endswith("!")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seed", default=str(random.randrange(10 ** 6)))
    parser.add_argument("--house", type=int, help="play this one alone")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="lull-crash-")
    print(f"seed {options.seed}, {options.rounds} rounds, in {folder}", flush=True)
    crashes = Crashes(options.seed, options.rounds, folder, lambda line: print(line, flush=True))
    crashes.play(None if options.house is None else [options.house])
    passed, deadly = crashes.places()
    everywhere = set(kill_points())
    print(f"{crashes.deaths} deaths of server and agent, {crashes.executions} executions; "
          f"{len(passed)} of {len(everywhere)} places were passed, at {len(deadly)} somebody died")
    print(f"never passed: {', '.join(sorted(everywhere - passed)) or 'none'}")
    print(f"nobody died at: {', '.join(sorted(everywhere - deadly)) or 'none'}")
    if not passed:
        print(f"{PROGRAM} has no such places: this wants a build of the variant test")
    if crashes.problems or not passed:
        print(f"{len(crashes.problems)} houses fell; what they were is in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
