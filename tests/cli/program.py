"""Running the program under test as a person would, against a fake server."""

import json
import os
import subprocess

from fake_server import FakeServer

PROGRAM = os.environ["LULL_BINARY"]
PATIENCE = 30  # seconds: ends a test that waits for what does not come


def environment(folder, **more):
    """An environment in which nothing of this machine's own Lull is found."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LULL_", "XDG_"))}
    return {**clean, "HOME": str(folder), "LULL_RUNTIME_DIR": str(folder), **more}


class Desk:
    """A fake server and a way to call the program on it."""

    def __init__(self, folder):
        self.folder, self.server = folder, FakeServer()

    def environment(self):
        return environment(self.folder, LULL_URL=self.server.url, LULL_TOKEN="a-token")

    def run(self, *arguments, text="", **more):
        return subprocess.run([PROGRAM, *arguments], input=text, capture_output=True, text=True, timeout=PATIENCE,
                              cwd=self.folder, env={**self.environment(), **more})

    def does(self, *arguments, **more):
        """The output of a command that has to succeed."""
        done = self.run(*arguments, **more)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def does_bytes(self, *arguments):
        return subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=PATIENCE, cwd=self.folder, check=True,
                              env=self.environment()).stdout

    def fails(self, exit_code, *arguments, **more):
        """What a command that has to fail says of it."""
        done = self.run(*arguments, **more)
        assert done.returncode == exit_code, done
        assert done.stdout == "", done
        return done.stderr

    def sent(self):
        """The last body that the server got."""
        return json.loads(self.server.asked[-1].body)
