"""
An agent that is silent: what it had is unknown until it speaks, and the verdict is never yes before.

Time is moved by a shim before the server's clock; waiting a minute would prove the same.
"""

import os
import signal
import struct
import subprocess

import pytest

from house import PATIENCE, shell, wait_until

LEASE_SECONDS, LOST_SECONDS = 60, 600
SHIM = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead;

__attribute__((constructor)) static void begin(void)
{
	int file = open(getenv("CLOCK_AHEAD"), O_RDONLY);
	ahead = mmap(NULL, sizeof(*ahead), PROT_READ, MAP_SHARED, file, 0);
	close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = (int)syscall(SYS_clock_gettime, clock, now);
	if (clock == CLOCK_REALTIME && ahead)
		now->tv_sec += *ahead;
	return result;
}
"""


class Clock:
    """The wall clock of a server: so many seconds ahead of everybody else's."""

    def __init__(self, folder):
        self.file, self.library = folder / "ahead", folder / "clock.so"
        self.file.write_bytes(struct.pack("=q", 0))
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-x", "c", "-o", self.library, "-"], input=SHIM.encode(),
                       check=True, timeout=PATIENCE)

    def environment(self):
        options = os.environ.get("ASAN_OPTIONS", "")
        return {"LD_PRELOAD": str(self.library), "CLOCK_AHEAD": str(self.file),
                "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0".lstrip(":")}

    def move(self, seconds):
        with open(self.file, "r+b") as file:
            file.write(struct.pack("=q", seconds))


@pytest.fixture
def clock(tmp_path):
    tmp_path.chmod(0o777)
    return Clock(tmp_path)


@pytest.fixture
def house(new_house, clock, tmp_path):
    made = new_house(**clock.environment()).start()
    made.wait_agent()
    made.apply(shell("waiter", f"echo $LULL_EXECUTION >>{tmp_path}/began",
                     f"until [ -e {tmp_path}/go ]; do sleep 0.02; done"))
    made.apply(shell("quick", f"echo $LULL_EXECUTION >>{tmp_path}/began"))
    yield made
    try:
        os.kill(made.agent_pid(), signal.SIGCONT)
    except RuntimeError:
        pass


def silence(house, clock, seconds):
    os.kill(house.agent_pid(), signal.SIGSTOP)
    clock.move(seconds)


def test_while_an_agent_is_silent_the_answer_is_not_yes(house, clock, tmp_path):
    number = house.submit("default.waiter")
    house.wait_running(number)
    hold = house.enter()
    assert hold["safe"] == "no"
    silence(house, clock, LEASE_SECONDS + 1)
    told = house.hold(hold["id"])
    assert (told["safe"], told["drained"]) == ("unknown", False)
    assert told["blockers"][0]["state"] == "unknown" and "agent" in told["blockers"][0]["clears"]
    assert len(house.get("/v1/maintenance")["silent_agents"]) == 1
    (tmp_path / "go").touch()
    told = house.get(f"/v1/maintenance/{hold['id']}?until=drained&wait=300ms")
    assert (told["safe"], told["drained"]) == ("unknown", False), "it has ended, and nobody has said so"
    os.kill(house.agent_pid(), signal.SIGCONT)
    assert house.wait_drained(hold["id"])["safe"] == "yes"
    assert house.get("/v1/maintenance")["silent_agents"] == []
    execution = house.execution(number)
    assert (execution["state"], len(execution["tasks"][0]["attempts"])) == ("succeeded", 1)


def test_what_was_handed_to_an_agent_that_fell_silent_is_not_settled_by_time(house, clock, tmp_path):
    os.kill(house.agent_pid(), signal.SIGSTOP)
    number = house.submit("default.quick")
    wait_until(lambda: house.execution(number)["tasks"][0]["attempts"], "the order to be handed out")
    hold = house.enter()
    clock.move(LEASE_SECONDS + 1)
    told = house.hold(hold["id"])
    assert (told["fenced"], told["settled"], told["drained"], told["safe"]) == (True, False, False, "unknown")
    os.kill(house.agent_pid(), signal.SIGCONT)
    house.wait_drained(hold["id"])
    house.end(hold["id"])
    assert house.wait(number)["state"] == "succeeded"
    assert (tmp_path / "began").read_text().split() == [str(number)], "exactly once"


def test_an_execution_that_is_given_up_still_counts_as_unknown(house, clock, tmp_path):
    """After ten minutes the execution goes on without its agent; the command may still run, so yes would be a lie."""
    number = house.submit("default.waiter")
    house.wait_running(number)
    hold = house.enter()
    silence(house, clock, LOST_SECONDS + 1)
    assert house.wait(number)["state"] == "lost"
    told = house.hold(hold["id"])
    assert told["safe"] == "unknown" and not told["drained"], told
    os.kill(house.agent_pid(), signal.SIGCONT)
    (tmp_path / "go").touch()
    assert house.wait_drained(hold["id"])["safe"] == "yes", "the agent has spoken"
    assert house.execution(number)["state"] == "lost"
