#!/usr/bin/python3
"""Measures what DESIGN asks for, prints asked beside reached, and writes build/bench.json.

    make bench                              everything, in less than ten minutes
    make bench ROWS=50000 SECONDS=1         the same in little: about a minute
    make bench ONLY=drained                 the parts whose name contains it

ROWS is how many executions wait where the design says 1,000,000; SECONDS how long each load lasts. Every part has
a server of its own in a folder of its own, below TMPDIR, on a disk that must be a real one. build/bench.json is a
list of {name, unit, asked, reached, ok}; a figure with nothing asked for, of this machine, has asked and ok null.
"""

import bisect
import collections
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "lib"))
os.environ.setdefault("LULL_BINARY", str(ROOT / "build" / "release" / "lull"))

import house as home  # noqa: E402

BUILD = pathlib.Path(os.environ.get("LULL_BUILD", ROOT / "build" / "release"))
ROWS = int(os.environ.get("ROWS") or 1_000_000)
SECONDS = float(os.environ.get("SECONDS") or 5)
ONLY = os.environ.get("ONLY") or ""
FLOWS = {"noop": {"id": "noop", "type": "noop"},
         "true": {"id": "true", "type": "shell", "commands": ["exec /bin/true"]}}
Row = collections.namedtuple("Row", "name unit asked reached ok")


class Bench:
    def __init__(self, folder):
        self.folder, self.rows, self.files, self.subject = folder, [], 0, ""

    def say(self, name, unit, reached, at_least=None, at_most=None):
        asked = at_least if at_most is None else at_most
        ok = None if asked is None else reached >= asked if at_most is None else reached <= asked
        row = Row(name, unit, asked, round(reached, 4), ok)
        print(line_of(row), flush=True)
        # On paper a row says only what is new since the one above; in the file it stands alone.
        if name.startswith("… "):
            row = row._replace(name=f"{self.subject}, {name[2:]}")
        else:
            self.subject = name.removesuffix(", p50")
        assert row.name not in [other.name for other in self.rows], row.name
        self.rows.append(row)

    @contextlib.contextmanager
    def house(self, **more):
        self.files += 1
        with home.House(self.folder / f"house{self.files}", **more) as house:
            for name, task in FLOWS.items():
                house.apply(home.flow(name, task))
            yield house


def line_of(row):
    asked = "-" if row.asked is None else f"{row.asked:,}"
    verdict = {None: "", True: "ok", False: "SHORT"}[row.ok]
    return f"{row.name:<58} {row.unit:>8} {asked:>12} {row.reached:>14,} {verdict}"


def tool(name, *arguments):
    """Runs one of the bench's programs; its figures by name."""
    done = subprocess.run([BUILD / "bench" / name, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench/{name} {' '.join(map(str, arguments))} failed")
    return {name: float(value) for name, value in (line.split() for line in done.stdout.splitlines())}


def load(what, house, flow, connections, batch, amount):
    return tool("load", what, port_of(house), house.token, f"default.{flow}", connections, batch, amount)


def port_of(house):
    return house.url.rsplit(":", 1)[1]


def socket_of(house):
    return house.data / "agent.sock"


def fill(house):
    load("fill", house, "noop", 4, 100, ROWS)


def resident_mb(house):
    status = pathlib.Path(f"/proc/{house.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


def amount_of_rows():
    return f"{ROWS:,} queued"


# ---- the parts


def machine(bench):
    disk(bench, "first")
    bench.say("this machine: posix_spawn and wait, /bin/true", "1/s", tool("load", "spawn", min(SECONDS, 2))["rate"])


def disk(bench, when):
    """What the latencies stand on; measured beside them, since a shared disk has better and worse minutes."""
    took = tool("load", "sync", bench.folder, min(SECONDS, 2))
    bench.say(f"this disk, {when}: 4 kB and fdatasync", "1/s", took["rate"])
    bench.say("… p50", "ms", took["sync_p50_ms"])
    bench.say("… p99", "ms", took["sync_p99_ms"])


def submit(bench):
    with bench.house(agent=False) as house:
        one = load("submit", house, "noop", 32, 1, SECONDS)
        bench.say("submit, one a request, 32 connections", "1/s", one["rate"], at_least=25_000)
        bench.say("… a request takes, p99", "ms", one["request_p99_ms"])
    with bench.house(agent=False) as house:
        many = load("submit", house, "noop", 8, 100, SECONDS)
        bench.say("submit, 100 a request", "1/s", many["rate"], at_least=100_000)


def finish(bench):
    with bench.house(slots=256) as house:
        house.wait_agent()
        count = int(SECONDS * 10_000)
        load("finish", house, "noop", 4, 100, 1000)
        noop = load("finish", house, "noop", 8, 100, count)
        bench.say("submit (100 a request) → noop, 256 slots → recorded", "1/s", noop["rate"], at_least=30_000)
    with bench.house(slots=256) as house:
        house.wait_agent()
        load("finish", house, "true", 4, 100, 500)
        before = tool("load", "spawn", min(SECONDS, 2))["rate"]
        true = load("finish", house, "true", 8, 100, int(SECONDS * 1500) // 100 * 100)
        after = tool("load", "spawn", min(SECONDS, 2))["rate"]
        bench.say("… the same with /bin/true", "1/s", true["rate"])
        bench.say("… of a bare posix_spawn loop in the same run", "%", 200 * true["rate"] / (before + after),
                  at_least=70)


def latency(bench):
    disk(bench, "before latencies")
    with bench.house(agent=False) as house:
        took = tool("drill", "latency", port_of(house), house.token, socket_of(house), "default.noop", 100,
                    max(SECONDS, 2))
        bench.say("dispatch at 100/s: submit sent → agent has it, p50", "ms", took["begun_p50_ms"], at_most=0.6)
        bench.say("… p99", "ms", took["begun_p99_ms"], at_most=2)


def drained(bench):
    with bench.house(agent=False) as house:
        took = tool("drill", "drained", port_of(house), house.token, socket_of(house), "default.noop",
                    int(40 * SECONDS))
        bench.say("last attempt ends → waiting client told drained, p50", "ms", took["drained_p50_ms"], at_most=5)
        bench.say("… p99 (never before: checked each time)", "ms", took["drained_p99_ms"], at_most=50)


def enter_under(bench, house, what, batch):
    """Enters and ends again and again, while an agent claims and, if asked, callers submit."""
    programs = []
    if batch:
        agent = subprocess.Popen([BUILD / "bench" / "drill", "agent", socket_of(house), "16"], stdout=subprocess.PIPE)
        agent.stdout.readline()
        connections, seconds = (32, 10 * SECONDS) if batch == 1 else (4, 10 * SECONDS)
        callers = subprocess.Popen([BUILD / "bench" / "load", "submit", port_of(house), house.token, "default.noop",
                                    str(connections), str(batch), str(seconds)], stdout=subprocess.PIPE)
        programs = [callers, agent]
    try:
        took = tool("drill", "enter", port_of(house), house.token, int(30 * SECONDS))
        assert all(program.poll() is None for program in programs), "the load ended before the drill"
    finally:
        for program in programs:
            program.send_signal(signal.SIGTERM)
            program.wait()
            program.stdout.close()
    bench.say(f"enter → fenced, {amount_of_rows()}, {what}, p50", "ms", took["enter_p50_ms"], at_most=1)
    bench.say("… p99", "ms", took["enter_p99_ms"], at_most=10)


def claims_within_holds(house):
    """How many attempts were handed out while a hold was in force, and how many in all."""
    holds = sorted(house.rows("SELECT began_ms, ended_ms FROM hold"))
    begins = [began for began, _ in holds]
    inside = total = 0
    for (handed,) in house.rows("SELECT handed_ms FROM attempt"):
        total += 1
        at = bisect.bisect_left(begins, handed) - 1
        inside += at >= 0 and handed < holds[at][1]
    return inside, total


def queued(bench):
    disk(bench, "before holds")
    with bench.house(agent=False) as house:
        fill(house)
        bench.say(f"memory of the server, {amount_of_rows()}", "MB", resident_mb(house), at_most=64)
        enter_under(bench, house, "idle", 0)
        enter_under(bench, house, "submits of one", 1)
        enter_under(bench, house, "submits of hundreds", 100)
        inside, total = claims_within_holds(house)
        assert total > 0, "nothing was claimed: the fence was not tried"
        bench.say(f"claims after fenced (of {total:,})", "claims", inside, at_most=0)
        took = tool("drill", "release", port_of(house), house.token, socket_of(house), int(30 * SECONDS))
        bench.say(f"end → first start, {amount_of_rows()}, p50", "ms", took["started_p50_ms"], at_most=5)
        bench.say("… p99", "ms", took["started_p99_ms"])
        bench.say("memory after all that", "MB", resident_mb(house), at_most=64)
        start_again(bench, house)


def start_again(bench, house):
    for what, leave in (("a stop", house.stop), ("kill -9", house.crash)):
        leave()
        took = []
        for _ in range(5):
            began = time.monotonic()
            house.start()
            took.append(time.monotonic() - began)
            house.crash() if what == "kill -9" else house.stop()
        house.start()
        bench.say(f"start → serving, {amount_of_rows()}, after {what}, worst of 5", "s", max(took), at_most=0.2)


def gate(bench):
    took = tool("gate", 100)
    bench.say("gate decision, 100 holds", "µs", took["decision_us"], at_most=1)
    bench.say("… allocations in 2,000,000 of them", "count", took["allocations"], at_most=0)


PARTS = (machine, gate, submit, finish, latency, drained, queued)


def warn_of_others():
    load_average = os.getloadavg()[0]
    if load_average > 0.5:
        print(f"This machine has other work (load average {load_average:.1f}): the figures will be worse than they "
              "could be, the 99th percentiles most of all.\n")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="lull-bench-") as folder:
        bench = Bench(pathlib.Path(folder))
        warn_of_others()
        print(f"{'':<58} {'unit':>8} {'asked':>12} {'reached':>14}")
        for part in PARTS:
            if ONLY in part.__name__:
                part(bench)
    out = ROOT / "build" / "bench.json"
    out.write_text(json.dumps([row._asdict() for row in bench.rows], indent=1, ensure_ascii=False) + "\n")
    short = [row.name for row in bench.rows if row.ok is False]
    print(f"\n{len(bench.rows)} rows, {len(short)} short; {out.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
