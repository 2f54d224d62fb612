"""A real house for tests: a server on a kernel-picked port, its agent, and a voice to speak to it.

    with House(tmp_path / "house") as house:
        house.apply(shell("hello", "echo hello"))
        assert house.run("default.hello")["state"] == "succeeded"

Everything lies below the given folder. Leaving ends the server, the agent, the runners and every command that
they started. Waiting is for events; PATIENCE only ends a test that waits for what does not come.
"""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import requests

PROGRAM = os.environ.get("LULL_BINARY", str(pathlib.Path(__file__).resolve().parents[2] / "lull"))
PATIENCE = 60  # seconds
ENDED = {"succeeded", "failed", "timed_out", "stopped", "killed", "cancelled", "lost"}


def wait_until(condition, what, patience=None, told=lambda: ""):
    """Looks until `condition` answers something true, for what has no event to wait for."""
    limit = time.monotonic() + (patience or PATIENCE)
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < limit, f"waited in vain for {what} {told()}"
        time.sleep(0.01)


def shell(name, *commands, **more):
    """The YAML of a flow with one shell task; `more` are further members of the task."""
    return flow(name, {"id": "task", "type": "shell", "commands": list(commands), **more})


def flow(name, *tasks, **more):
    """The YAML of a flow. JSON is YAML."""
    return json.dumps({"id": name, **more, "tasks": list(tasks)})


def environment(folder, **more):
    """An environment in which nothing of this machine's own Lull is found."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LULL_", "XDG_"))}
    return {**clean, "HOME": str(folder), "LULL_RUNTIME_DIR": str(folder), **more}


def processes_below(folder):
    """The living processes that work below `folder`: agents, runners, commands."""
    found, place = [], os.fsencode(str(folder))
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if not words[0]:
                continue
            is_ours = os.path.basename(words[0]) in (b"lull", b"lull-runner") and any(
                word == place or word.startswith(place + b"/") for word in words)
            if is_ours or (os.fsencode(os.readlink(entry / "cwd")) + b"/").startswith(place + b"/"):
                found.append(int(entry.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


def is_agent(pid):
    with contextlib.suppress(OSError):
        return b"agent" in pathlib.Path("/proc", str(pid), "cmdline").read_bytes().split(b"\0")[1:2]
    return False


class LocalConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=2 * PATIENCE)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class ScriptedAgent:
    """An agent that does and tells what a test wants, see src/wire/exchange.h."""

    def __init__(self, house, name="scripted", **more):
        self.connection = LocalConnection(house.data / "agent.sock")
        self.about = {"agent": name, "pool": "default", "labels": [], "slots": 4, "boot": "a-boot", "spool": "a-spool",
                      "host": "a-host", "pid": 1, "version": "1", "attempts": [], **more}
        self.session, self.got = None, 0

    def ask(self, path, body):
        """(status, document)"""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.connection.request("POST", path, data, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def hello(self, **more):
        status, document = self.ask("/v1/agent/hello", {**self.about, **more})
        if status == 200:
            self.session, self.got = document["session"], 0
        return status, document

    def exchange(self, *reports, free=0, wait_ms=0, **more):
        """One exchange as it is answered; the orders in it count as got from then on."""
        status, document = self.ask("/v1/agent/exchange", {"session": self.session, "got": self.got, "free": free,
                                                           "wait_ms": wait_ms, "reports": list(reports), **more})
        if status == 200:
            self.got = document["seq"]
        return status, document

    def take(self, free=4):
        """The attempts that it is handed, having waited for them."""
        status, document = self.exchange(free=free, wait_ms=20000)
        assert status == 200, document
        return [order["attempt"] for order in document["orders"] if order["do"] == "start"]

    def close(self):
        self.connection.close()


class House:
    def __init__(self, folder, slots=8, agent=True, arguments=(), **more):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder = self.folder.resolve()
        self.data = self.folder / "data"
        self.log_path = self.folder / "server.log"
        self.environment = environment(self.folder, **more)
        self.arguments = ["--data", str(self.data), "--listen", "127.0.0.1:0", "--slots", str(slots), *arguments]
        if os.geteuid() == 0 and "--run-as" not in self.arguments:
            self.arguments += ["--run-as", "root"]
        if not agent:
            self.arguments.append("--no-agent")
        self.process, self.url, self.token = None, None, more.get("LULL_ADMIN_TOKEN")
        self.threads = threading.local()
        self.agents = []  # those that were started here, and not by the server

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # The life of the server.

    def start(self):
        """Starts the server and waits until it is ready. The agent of an earlier start is found again."""
        self.tell_start()
        told = wait_until(self.published, "the server to say its address")
        self.url = told.strip()
        if not self.environment.get("LULL_ADMIN_TOKEN"):
            self.token = (self.data / "admin-token").read_text().strip()
        self.threads = threading.local()
        wait_until(lambda: self.ask("GET", "/v1/ready").status_code == 200, "the server to be ready")
        return self

    def tell_start(self):
        with contextlib.suppress(FileNotFoundError):
            (self.data / "url").unlink()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([PROGRAM, "serve", *self.arguments], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=self.environment, cwd=self.folder)

    def published(self):
        assert self.process.poll() is None, f"the server ended: {self.log_path.read_text()[-2000:]}"
        with contextlib.suppress(FileNotFoundError):
            told = (self.data / "url").read_text()
            return told if told.endswith("\n") else None
        return None

    def stop(self):
        """Ends the server as a service manager would."""
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0, self.log_path.read_text()[-4000:]

    def crash(self):
        self.process.kill()
        self.process.wait(PATIENCE)

    def close(self):
        """Ends all that belongs to the house; a server that ends by an error is told."""
        code = 0
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                code = self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                code = self.process.wait()
        with contextlib.suppress(RuntimeError):
            os.kill(self.agent_pid(), signal.SIGCONT)
            os.kill(self.agent_pid(), signal.SIGTERM)
        wait_until(lambda: not self.kill_left(), "the house to be empty", told=self.what_is_left)
        for agent in self.agents:
            agent.wait(PATIENCE)
        assert code == 0, f"exit code {code}: {self.log_path.read_text()[-4000:]}"

    def what_is_left(self):
        """For whoever has to find out why it did not go."""
        left = {pid: pathlib.Path("/proc", str(pid), "cmdline").read_bytes() for pid in processes_below(self.data)}
        log = self.data / "agent" / "log"
        return f"{left} {log.read_text()[-3000:] if log.exists() else ''}"

    def kill_left(self):
        """Ends what is left. Agents leave by themselves, with the helpers that a sanitizer gives them at their end."""
        for agent in self.agents:
            agent.poll()
        left = processes_below(self.data)
        for pid in left:
            if not is_agent(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        return left

    def agent_pid(self, folder=None):
        """The pid of the agent of this data folder; RuntimeError if there is none."""
        folder = folder or self.data
        for pid in processes_below(folder):
            if is_agent(pid):
                return pid
        raise RuntimeError("no agent runs")

    def start_agent(self):
        """Starts the agent of this data folder anew, as the server would; its name and slots are those it had."""
        told = self.get("/v1/agents")["items"][0]
        command = [PROGRAM, "agent", "--data", str(self.data), "--name", told["name"], "--slots", str(told["slots"])]
        if os.geteuid() == 0:
            command += ["--run-as", "root"]
        with open(self.data / "agent" / "log", "ab") as log:
            self.agents.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                env=self.environment))

    def wait_agent(self, count=1):
        """Until so many agents have said hello."""
        return wait_until(lambda: len(self.get("/v1/agents")["items"]) >= count, f"{count} agents")

    # Speaking to it.

    def session(self):
        if not hasattr(self.threads, "session"):
            self.threads.session = requests.Session()
            self.threads.session.trust_env = False
        return self.threads.session

    def ask(self, method, path, body=None, data=None, token="", headers=None, **more):
        """One request as it is answered. `body` is sent as JSON, `data` as it is; token None: none."""
        sent = dict(headers or {})
        token = self.token if token == "" else token
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            data = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        return self.session().request(method, self.url + path, data=data, headers=sent, timeout=2 * PATIENCE, **more)

    def does(self, method, path, body=None, **more):
        """The document of an answer that has to be a success."""
        answer = self.ask(method, path, body, **more)
        assert answer.status_code in (200, 201), f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json()

    def get(self, path):
        return self.does("GET", path)

    def post(self, path, body=None):
        return self.does("POST", path, {} if body is None else body)

    def refuses(self, status, kind, method, path, body=None, **more):
        """The detail of a refusal, which has to be a problem document of this status and kind."""
        return problem_of(self.ask(method, path, body, **more), status, kind)

    # What a house is for.

    def apply(self, yaml):
        return self.does("PUT", "/v1/flows", data=yaml.encode(), headers={"Content-Type": "application/yaml"})

    def submit(self, name, **more):
        return self.post("/v1/executions", {"flow": name, **more})["number"]

    def submit_many(self, *items):
        return [item["number"] for item in self.post("/v1/executions", {"items": list(items)})["items"]]

    def execution(self, number):
        return self.get(f"/v1/executions/{number}")

    def wait(self, number):
        """The execution, when it has ended."""
        limit = time.monotonic() + PATIENCE
        while True:
            execution = self.get(f"/v1/executions/{number}?until=ended&wait=20s")
            if execution["ended"]:
                return execution
            assert time.monotonic() < limit, f"waited in vain for the end of {execution}"

    def run(self, name, **more):
        return self.wait(self.submit(name, **more))

    def wait_running(self, number, task="task"):
        """Until the agent has said that a command of this task runs."""
        def is_running():
            execution = self.execution(number)
            assert not execution["ended"], execution
            attempts = next(one for one in execution["tasks"] if one["id"] == task)["attempts"]
            return attempts and attempts[-1]["state"] == "running" and execution
        return wait_until(is_running, f"{number} to run")

    def enter(self, reason="a test", **more):
        return self.post("/v1/maintenance", {"reason": reason, **more})

    def hold(self, hold):
        return self.get(f"/v1/maintenance/{hold}")

    def wait_drained(self, hold):
        limit = time.monotonic() + PATIENCE
        while True:
            told = self.get(f"/v1/maintenance/{hold}?until=drained&wait=20s")
            if told["drained"]:
                return told
            assert time.monotonic() < limit, f"waited in vain for {told} to be drained"

    def end(self, hold):
        return self.post(f"/v1/maintenance/{hold}/end")

    def log(self, number, task="task", **query):
        answer = self.ask("GET", f"/v1/executions/{number}/logs/{task}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.content

    def cli(self, *arguments, text=None, **more):
        """The program itself, as a client of this house."""
        return subprocess.run([PROGRAM, *arguments], input=text, capture_output=True, text=True, timeout=2 * PATIENCE,
                              cwd=self.folder, check=False,
                              env={**self.environment, "LULL_URL": self.url, "LULL_TOKEN": self.token, **more})

    # What it keeps.

    def store(self):
        """A read-only connection to the store."""
        return contextlib.closing(sqlite3.connect(f"file:{self.data}/lull.db?mode=ro", uri=True, timeout=PATIENCE))

    def rows(self, sql, *values):
        with self.store() as store:
            return store.execute(sql, values).fetchall()

    def contents(self):
        """Every row of every table, to be compared with an earlier or later look."""
        with self.store() as store:
            store.execute("BEGIN")
            tables = store.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
            return {name: sorted(store.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for (name,) in tables}

    def is_whole(self):
        return self.rows("PRAGMA integrity_check") == [("ok",)]


def problem_of(answer, status, kind):
    """The detail of a problem document, whose members are checked."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text[:2000]}"
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"urn:lull:error:{kind}", problem
    assert problem["status"] == status and problem["title"], problem
    return problem["detail"]
