"""What the demo's story is told with: paper to write on, a house (a server with its agent), and a caller."""

import contextlib
import json
import os
import pathlib
import pwd
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 40         # for what should come at once or within seconds
LOOK_SECONDS = 0.1
CALLER_SECONDS = 0.15         # between two submits of the caller in the background
PAGE = 200


class Failed(Exception):
    """Something did not go as it has to; the text says what."""


def until(what, is_so):
    """Looks again and again until it is so; what it was then."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = is_so()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Failed(f"waited {PATIENCE_SECONDS} s, and it is not so: {what}")
        time.sleep(LOOK_SECONDS)


def birth(pid):
    """When a process began, in clock ticks since boot; None if there is none. With its id it names a process."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


class Paper:
    """Writes the story; in colour where a terminal reads it."""

    def __init__(self):
        self.is_coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self.started = time.monotonic()

    def paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.is_coloured else text

    def put(self, text=""):
        print(text, flush=True)

    def chapter(self, title, *lines):
        self.put()
        self.put(self.paint("1", f"{title}  ") + self.paint("2", f"[{time.monotonic() - self.started:.0f} s]"))
        for line in lines:
            self.put(self.paint("2", f"  {line}"))

    def command(self, words, background=False):
        self.put(self.paint("36", f"  $ {shlex.join(words)}{' &' if background else ''}"))

    def output(self, text):
        for line in text.rstrip("\n").splitlines():
            self.put(f"    {line}".rstrip())

    def fact(self, ok, text):
        self.put(f"  {self.paint('32', 'ok') if ok else self.paint('31;1', 'NO')}  {text}")
        return ok


class House:
    """One server with its agent in a temporary folder, and the command line that talks to it."""

    def __init__(self, program, paper):
        self.program, self.paper = program, paper
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lull-demo-"))
        self.data, self.out = self.folder / "data", self.folder / "out"
        self.lines = self.out / "lines"
        self.server = None
        # The commands of flows run as another user, who has to get to their folders.
        self.folder.chmod(0o711)
        self.out.mkdir()
        if os.geteuid() == 0:
            # Where the user is missing, the server says so.
            with contextlib.suppress(KeyError):
                user = pwd.getpwnam("lull-run")
                os.chown(self.out, user.pw_uid, user.pw_gid)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LULL_")}
        self.environment = {**clean, "LULL_RUNTIME_DIR": str(self.folder)}

    def spawn(self, *words, **more):
        return subprocess.run([self.program, *words], env=self.environment, cwd=ROOT, text=True, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_SECONDS, **more)

    def shown(self, *words):
        """Shows a command, runs it, shows what it says; its output."""
        self.paper.command(["lull", *words])
        return self.told(*words)

    def told(self, *words):
        done = self.spawn(*words)
        self.paper.output(done.stdout)
        if done.returncode:
            raise Failed(f"`lull {shlex.join(words)}` ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def asked(self, *words):
        """What a command answers as JSON, without showing it."""
        done = self.spawn(*words, "--json")
        if done.returncode:
            raise Failed(f"`lull {shlex.join(words)}` ended with {done.returncode}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def get(self, path):
        """An answer of the API."""
        token = (self.data / "admin-token").read_text().strip()
        url = (self.data / "url").read_text().strip()
        request = urllib.request.Request(url + path, headers={"Authorization": f"Bearer {token}"})
        # No proxy stands between this machine and itself.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=PATIENCE_SECONDS) as answer:
            return json.load(answer)

    def executions(self):
        """All that the store has: {number: execution}."""
        found, cursor = {}, ""
        while cursor is not None:
            page = self.get(f"/v1/executions?limit={PAGE}" + (f"&before={cursor}" if cursor else ""))
            found.update((item["number"], item) for item in page["items"])
            cursor = page["next"]
        return found

    def start(self):
        """Starts the server and waits until it serves and its agent is there."""
        words = ["serve", "--data", str(self.data), "--listen", "127.0.0.1:0"]
        self.paper.command(["lull", *words], background=True)
        log = self.folder / "server.log"
        with log.open("a") as file:
            at = file.tell()
            self.server = subprocess.Popen([self.program, *words], env=self.environment, cwd=self.folder,
                                           stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)

        def serves():
            if self.server.poll() is not None:
                raise Failed(f"the server ended with {self.server.returncode}:\n{log.read_text()[at:]}")
            done = self.spawn("agent", "list", "--json")
            return done.returncode == 0 and any(not agent["silent"] for agent in json.loads(done.stdout)["items"])
        until("the server serves and has its agent", serves)
        self.paper.output("\n".join(line for line in log.read_text()[at:].splitlines() if " serves " in line))

    def end(self, number):
        """Ends the server with a signal."""
        name = {signal.SIGTERM: "-TERM", signal.SIGKILL: "-9"}[number]
        self.paper.command(["kill", name, str(self.server.pid)])
        self.server.send_signal(number)
        self.server.wait(PATIENCE_SECONDS)
        self.server = None

    def told_lines(self):
        """What the commands wrote: a list of (execution, task, process, word)."""
        if not self.lines.exists():
            return []
        # The last line counts once it is whole.
        whole = self.lines.read_text().rpartition("\n")[0].splitlines()
        parts = [line.split() for line in whole]
        bad = [line for line, part in zip(whole, parts) if len(part) != 4]
        if bad:
            raise Failed(f"a command wrote a line that is none: {bad[0]!r}")
        return [(int(part[0]), part[1], int(part[2]), part[3]) for part in parts]

    def processes(self):
        """What lives of this house: {pid: command line}. Runners and commands included."""
        mark, found = os.fsencode(self.folder), {}
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes()
                if line and (mark in line or mark in os.fsencode(os.readlink(entry / "cwd"))):
                    found[int(entry.name)] = line.replace(b"\0", b" ").decode(errors="replace").strip()
        return found

    def sweep(self):
        """Ends whatever lives, by force, and removes the folder. For a story that broke off."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (left := self.processes()) and time.monotonic() < deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if self.server:
                self.server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Caller(threading.Thread):
    """
    Somebody who submits all the time, whatever becomes of the server. Each submit has a key of its own and is
    repeated with it until it is answered, so that an answer that got lost starts nothing twice.
    """

    def __init__(self, house):
        super().__init__(daemon=True)
        self.house, self.numbers, self.refusals, self.failure = house, [], [], None
        self.is_over = threading.Event()

    @staticmethod
    def words(house, key):
        return ["run", "examples.tick", "--input", f"lines={house.lines}", "--key", key]

    def submit(self, key):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            done = self.house.spawn(*self.words(self.house, key), "--json")
            if done.returncode == 0:
                self.numbers.append(json.loads(done.stdout)["number"])
                return
            self.refusals.append(done.stderr.strip())
            if time.monotonic() > deadline:
                raise Failed(f"the caller got no answer: {done.stderr.strip()}")
            time.sleep(LOOK_SECONDS)

    def run(self):
        count = 0
        try:
            while not self.is_over.wait(CALLER_SECONDS):
                count += 1
                self.submit(f"caller-{count}")
        except Exception as failure:  # whatever it is, the story has to tell it
            self.failure = failure

    def finish(self):
        self.is_over.set()
        self.join()
        if self.failure:
            raise Failed(f"the caller: {self.failure}")
