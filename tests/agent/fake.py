"""A server that speaks src/wire/exchange.h and nothing else, and an agent to go with it."""

import base64
import http.server
import json
import os
import pathlib
import signal
import socketserver
import subprocess
import threading
import time

import rig

BINARY = os.environ.get("LULL_BINARY", "")
PATIENCE_SECONDS = rig.PATIENCE_SECONDS
# Another one each run: other agents on this machine have attempts, too.
EXECUTION = (1 << 40) + int.from_bytes(os.urandom(4), "big") * 100


def attempt_name(number, task=0, attempt=1):
    return f"{EXECUTION + number}.{task}.{attempt}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fake = self.server.fake
        self.token = self.headers.get("Authorization")
        answer = {"/v1/agent/hello": fake.hello, "/v1/agent/exchange": fake.exchange}[self.path](body, self)
        if answer is None:
            self.close_connection = True
            return
        status, document = answer
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass

    def address_string(self):
        return "agent"


class Listener(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def get_request(self):
        connection, _ = super().get_request()
        with self.fake.changed:
            self.fake.connections.append(connection)
        return connection, ("agent", 0)

    def handle_error(self, *_):
        pass                            # A client that vanished is part of the play.


class Server:
    """Records what agents tell and hands out what a test wants. Every change wakes whoever waits."""

    def __init__(self, path):
        self.path = str(path)
        self.changed = threading.Condition()
        self.listener = None
        self.connections = []
        self.session = 0
        self.sequence = 0
        self.orders = []                # of this session, oldest first
        self.hellos = []
        self.forget = []
        self.reports = []               # as they were recorded
        self.outputs = {}
        self.ends = {}
        self.waiting = 0                # counts exchanges: a newer one ends the older one
        self.open = 0
        self.most_open = 0
        self.free = None
        self.frees = set()              # all that were told: two exchanges can overtake each other
        self.refuse = []                # statuses to answer exchanges with, before anything is recorded
        self.lose_answers = 0           # so many exchanges are recorded and then not answered
        self.refuse_hello = []
        self.authorizations = set()

    # The life of the server.

    def up(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listener = Listener(self.path, Handler)
        self.listener.fake = self
        threading.Thread(target=self.listener.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def down(self):
        listener, self.listener = self.listener, None
        if not listener:
            return
        listener.shutdown()
        listener.server_close()
        with self.changed:
            self.session += 1000        # what still waits belongs to nobody
            self.changed.notify_all()
            for connection in self.connections:
                try:
                    connection.shutdown(2)
                except OSError:
                    pass
            self.connections.clear()

    __enter__ = up

    def __exit__(self, *_):
        self.down()

    # What agents call.

    def hello(self, body, handler):
        with self.changed:
            self.authorizations.add(handler.token)
            if self.refuse_hello:
                return self.refuse_hello.pop(0), {"title": "not now"}
            self.session += 1
            self.sequence = 0
            self.orders.clear()
            self.hellos.append(body)
            self.changed.notify_all()
            return 200, {"session": self.session, "lease_ms": 60000, "forget": self.forget}

    def exchange(self, body, handler):
        with self.changed:
            if body["session"] != self.session:
                return 409, {"title": "say hello"}
            if self.refuse:
                return self.refuse.pop(0), {"title": "not now"}
            for report in body["reports"]:
                self.record(report)
            self.waiting += 1
            turn, self.free = self.waiting, body["free"]
            self.frees.add(self.free)
            self.orders = [order for order in self.orders if order["seq"] > body["got"]]
            self.changed.notify_all()
            if self.lose_answers:
                self.lose_answers -= 1
                return None
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            self.changed.wait_for(lambda: self.orders or self.waiting != turn or body["session"] != self.session,
                                  body["wait_ms"] / 1000)
            self.open -= 1
            if body["session"] != self.session:
                return 409, {"title": "say hello"}
            return 200, {"seq": self.sequence, "orders": list(self.orders)}

    def record(self, report):
        self.reports.append(report)
        name = report["attempt"]
        if report["is"] == "output":
            data = report["text"].encode() if "text" in report else base64.b64decode(report["base64"])
            output = self.outputs.setdefault(name, bytearray())
            assert report["offset"] <= len(output), "a gap in the output"
            assert name not in self.ends or report["offset"] + len(data) <= len(output), "output after the end"
            output[report["offset"]:] = data + output[report["offset"] + len(data):]
        elif report["is"] == "ended":
            self.ends.setdefault(name, []).append(report)

    # What tests call.

    def order(self, **order):
        with self.changed:
            self.sequence += 1
            self.orders.append({"seq": self.sequence, **order})
            self.changed.notify_all()

    def start(self, name, *commands, **more):
        task = {"type": "shell", "commands": list(commands)} if commands else {}
        self.order(do="start", attempt=name, tenant="main", flow="ops.test",
                   execution=int(name.split(".")[0]) - (1 << 40), task="task", **{**task, **more})

    def wait(self, condition, what):
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE_SECONDS), f"waited in vain for {what}: {self.reports}"

    def wait_hello(self, count=1):
        self.wait(lambda: len(self.hellos) >= count, f"hello number {count}")
        return self.hellos[-1]

    def wait_began(self, name):
        self.wait(lambda: any(report["attempt"] == name and report["is"] == "began" for report in self.reports),
                  f"{name} to begin")

    def wait_end(self, name):
        self.wait(lambda: name in self.ends, f"the end of {name}")
        return self.ends[name][0]

    def output(self, name):
        return bytes(self.outputs.get(name, b""))

    def of(self, name):
        """The reports of one attempt, by kind."""
        return [report["is"] for report in self.reports if report["attempt"] == name]


class Agent:
    """An agent process on a data folder."""

    def __init__(self, data, slots=4, kill=None, arguments=(), environment=None):
        self.data = pathlib.Path(data)
        self.data.mkdir(exist_ok=True)
        self.log_path = self.data / "agent.log"
        command = [BINARY, "agent", "--data", str(self.data), "--name", "test", "--slots", str(slots), *arguments]
        if os.geteuid() == 0 and "--run-as" not in arguments:
            command += ["--run-as", "root"]
        inherited = {"PATH": os.environ["PATH"], **(environment or {})}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                inherited[name] = os.environ[name]
        if kill:
            inherited["LULL_KILL"] = kill
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=inherited,
                                            start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.end_runners()

    def end_runners(self):
        """Runners outlive their agent, and so would those of a failed test."""
        for pid in self.runners():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def runners(self):
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                words = pathlib.Path("/proc", entry, "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0] == b"lull-runner" and words[1] == str(self.data / "agent").encode():
                found.append(int(entry))
        return found

    def spool(self):
        """The names of the attempts in the spool."""
        return sorted(path.name for path in (self.data / "agent" / "spool").glob("*-*/*"))

    def work(self):
        """The scratch folders of attempts; those that runners keep for the next one are empty."""
        folders = list((self.data / "agent" / "scratch").iterdir())
        for folder in folders:
            assert not folder.name.startswith("spare-") or list(folder.iterdir()) == []
        return sorted(folder.name for folder in folders if not folder.name.startswith("spare-"))

    def log(self):
        return self.log_path.read_text()

    def tell(self, number):
        self.process.send_signal(number)

    def wait(self):
        return self.process.wait(PATIENCE_SECONDS)

    def crash(self):
        self.process.kill()
        self.process.wait()
