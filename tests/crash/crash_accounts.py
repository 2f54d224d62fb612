"""The accounts of a house of crash rounds: what people were answered, the store, and the lines of the commands."""

import collections
import re
import threading


class Ledger:
    """What people were answered, over all rounds of a house."""

    def __init__(self):
        self.lock = threading.Lock()
        self.numbers = {}           # of what was accepted, by tag
        self.doubtful = []          # groups of tags that were never answered and cannot be asked for again
        self.keys = {}              # the item, by key
        self.interrupted = set()    # numbers that somebody tried to stop, kill or cancel
        self.obeyed = set()         # those where it was answered that it is so
        self.cancelled = set()      # numbers that were answered as cancelled
        self.holds = {}             # True: answered as entered; False: answered as ended
        self.excused = set()        # numbers that a runner's death may have cost
        self.seen = set()           # numbers of the rounds before

    def accept(self, tag, number):
        with self.lock:
            known = self.numbers.setdefault(tag, number)
        assert known == number, f"{tag} was accepted as {known} and then as {number}"

    def pick(self, rng):
        with self.lock:
            return rng.choice(list(self.numbers.values())[-12:]) if self.numbers else None


class Look:
    """The accounts, side by side."""

    def __init__(self, house, ledger):
        self.house, self.ledger = house, ledger
        self.found = collections.defaultdict(list)  # numbers by tag
        self.executions = {}
        for number, name, state, inputs, started in house.rows(
                "SELECT e.id & 1099511627775, f.name, e.state, e.inputs, e.started_ms FROM execution e JOIN flow f "
                "ON f.id = e.flow"):
            self.executions[number] = (name, state, started)
            self.found[re.search(r'"tag": ?"([^"]+)"', inputs).group(1)].append(number)

    def accepted(self):
        ledger, found = self.ledger, self.found
        for tag, number in ledger.numbers.items():
            assert found.get(tag) == [number], f"{tag} was accepted as {number}, the store has {found.get(tag)}"
        known = set(ledger.numbers)
        for group in ledger.doubtful:
            counts = {len(found.get(tag, [])) for tag in group}
            assert counts in ({0}, {1}), f"{group} is there {counts} times"
            known.update(group)
        assert set(found) <= known, f"nobody submitted {set(found) - known}"

    def ran_once(self, states):
        ran = collections.Counter()
        if self.house.lines.exists():
            for line in self.house.lines.read_text().splitlines():
                execution, task, _ = line.split()
                ran[int(execution), task] += 1
        twice = {key: count for key, count in ran.items() if count > 1}
        assert not twice, f"ran more than once: {twice}"
        shells = {"graph": ["a", "c", "f"]}
        for number, (name, state, _) in self.executions.items():
            lines = {task for task in shells.get(name, ["task"]) if ran[number, task]}
            if states[state] == "succeeded":
                assert len(lines) == len(shells.get(name, ["task"])), f"{number} succeeded, only {lines} ran"
            if number in self.ledger.cancelled:
                assert states[state] == "cancelled" and not lines, f"{number} was cancelled: {states[state]} {lines}"
        assert not set(number for number, _ in ran) - set(self.executions), "something ran that is not in the store"

    def none_suffered(self, states):
        for number, (name, state, _) in self.executions.items():
            allowed = {"succeeded"}
            if number in self.ledger.interrupted:
                allowed |= {"stopped", "killed", "cancelled"}
            if name == "long":
                allowed.discard("succeeded")
            if number in self.ledger.excused:
                allowed.add("lost")
            assert states[state] in allowed, f"{name} {number} is {states[state]}"

    def held_back(self):
        """What started while a hold was in force started against its word."""
        for hold, began, ended in self.house.rows("SELECT id, began_ms, ended_ms FROM hold"):
            assert ended, f"hold {hold} is still in force"
            for number, (_, _, started) in self.executions.items():
                assert not began < started < ended, f"{number} started at {started}, hold {hold}: {began} to {ended}"

    def everything(self, has_doomed_runners):
        new = set(self.executions) - self.ledger.seen
        self.ledger.seen |= new
        if has_doomed_runners:
            self.ledger.excused |= new
        states = ["queued", "running", "stopping", "killing", "succeeded", "failed", "timed_out", "stopped", "killed",
                  "cancelled", "lost"]
        assert self.house.is_whole(), "the integrity check fails"
        self.accepted()
        self.ran_once(states)
        self.none_suffered(states)
        self.held_back()
