"""A slot runner on a leash: makes its folders, sends it run orders, reads its notes and its files.

The shapes are those of src/spool/run_order.h and src/spool/attempt_file.h.
"""

import collections
import fcntl
import os
import pathlib
import select
import signal
import socket
import struct
import subprocess
import time

RUNNER = os.environ["LULL_RUNNER"]
PATIENCE_SECONDS = 20
BEGAN, OUTPUT, ENDED, EXISTS, FENCED, REFUSED = range(1, 7)
BY_ITSELF, BY_TIMEOUT, BY_STOP, BY_KILL, BY_FAILURE = range(1, 6)
SIGNAL_STOP, SIGNAL_KILL = signal.SIGRTMIN, signal.SIGRTMIN + 1

END = struct.Struct("=qqqiiii256sQ")
HEAD = struct.Struct("=8s48s320s128sqqqQ")
NOTE = struct.Struct("=iiqqq")
OUTPUT_AT, END_AT = 2048, 1024

Note = collections.namedtuple("Note", "kind at turn kept end")
End = collections.namedtuple("End", "ended output kept by exit signal cut detail checksum")
Head = collections.namedtuple("Head", "magic attempt flow task pid turn began checksum")


def text(field):
    return field.split(b"\0")[0].decode()


def unpack_end(data):
    end = End(*END.unpack(data))
    return end._replace(detail=text(end.detail))


def wait_for(condition, what):
    """Looks until `condition` answers something true; what it looks at has no event to wait for."""
    limit = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < limit:
        answer = condition()
        if answer:
            return answer
        select.select([], [], [], 0.005)
    raise AssertionError(f"waited in vain for {what}")


def processes_of(attempt):
    """Every live process that carries the attempt's number."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            environment = pathlib.Path("/proc", entry, "environ").read_bytes()
        except OSError:
            continue
        if f"LULL_ATTEMPT={attempt}".encode() in environment.split(b"\0"):
            found.append(int(entry))
    return found


class Folder:
    """An agent's folder, laid out as src/spool/spool.h says."""

    def __init__(self, path, generation=1):
        self.path = pathlib.Path(path)
        self.boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        self.files = self.path / "spool" / self.boot
        self.files.mkdir(parents=True, exist_ok=True)
        self.work = self.path / "scratch"
        self.work.mkdir(exist_ok=True)
        self.path.chmod(0o711)
        self.work.chmod(0o711)
        self.set_generation(generation)

    def set_generation(self, generation):
        file = os.open(self.path / "spool" / "generation", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.lockf(file, fcntl.LOCK_EX)
        os.pwrite(file, b"%020d\n" % generation, 0)
        os.close(file)

    def head(self, attempt):
        head = Head(*HEAD.unpack((self.files / attempt).read_bytes()[:HEAD.size]))
        return head._replace(attempt=text(head.attempt), flow=text(head.flow), task=text(head.task))

    def end(self, attempt):
        """The end record; None as long as it is blank."""
        data = (self.files / attempt).read_bytes()[END_AT:END_AT + END.size]
        return unpack_end(data) if any(data) else None

    def output(self, attempt):
        return (self.files / attempt).read_bytes()[OUTPUT_AT:]


def encode(attempt, arguments, environment=(), files=(), timeout_ms=0, user=None):
    def number(value):
        return struct.pack("=q", value)

    def data(value):
        value = value if isinstance(value, bytes) else value.encode()
        return number(len(value)) + value + b"\0"

    def many(values):
        return number(len(values)) + b"".join(data(value) for value in values)

    environment = ["LULL_ATTEMPT=" + attempt, "PATH=/usr/bin:/bin", *environment]
    record = data(attempt) + data("main/ops.test") + data("task") + many(arguments) + many(environment)
    record += number(len(files)) + b"".join(data(name) + data(content) for name, content in files)
    record += number(timeout_ms)
    uid, gid, *groups = user or (0, 0)
    record += number(1 if user else 0) + number(uid) + number(gid) + number(len(groups))
    record += b"".join(number(group) for group in groups)
    return struct.pack("=I", len(record)) + record


class Runner:
    """A runner process and our end of its socket."""

    def __init__(self, folder, generation=1, environment=None):
        self.folder = folder
        ours, theirs = socket.socketpair()
        self.socket = ours
        self.socket.settimeout(PATIENCE_SECONDS)
        self.process = subprocess.Popen([RUNNER, str(folder.path), folder.boot, str(generation)], stdin=theirs,
                                        env=environment or {}, start_new_session=True)
        theirs.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.leave()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def leave(self):
        """What a runner sees of an agent's death."""
        self.socket.close()

    def order(self, attempt, command, **more):
        arguments = ["/bin/sh", "-e", "-c", command] if isinstance(command, str) else command
        self.socket.sendall(encode(attempt, arguments, **more))

    def note(self):
        data = self.socket.recv(NOTE.size + END.size, socket.MSG_WAITALL)
        if not data:
            return None
        kind, _, at, turn, kept = NOTE.unpack(data[:NOTE.size])
        return Note(kind, at, turn, kept, unpack_end(data[NOTE.size:]))

    def until(self, kind):
        while True:
            note = self.note()
            assert note is not None, "the runner went away"
            if note.kind == kind:
                return note

    def run(self, attempt, command, **more):
        """Runs an attempt to its end; answers the end and the output."""
        self.order(attempt, command, **more)
        began = self.note()
        assert began.kind == BEGAN, began
        end = self.until(ENDED).end
        return end, self.folder.output(attempt)

    def tell(self, signal_number, turn):
        """Stop or kill, as an agent sends it."""
        import ctypes
        library = ctypes.CDLL(None, use_errno=True)
        assert library.sigqueue(self.process.pid, int(signal_number), ctypes.c_void_p(turn)) == 0
