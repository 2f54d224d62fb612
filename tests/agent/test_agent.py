"""The agent against a server that only speaks the exchange: what it takes, what it tells, what it survives."""

import os
import pwd
import re
import signal
import subprocess

import pytest

import fake
import rig
from fake import attempt_name

NAME = attempt_name(1)


@pytest.fixture
def data(tmp_path):
    return tmp_path


@pytest.fixture
def server(data):
    with fake.Server(data / "agent.sock") as started:
        yield started


@pytest.fixture
def agent(data, server):
    with fake.Agent(data) as started:
        server.wait_hello()
        yield started


def fifo(path):
    os.mkfifo(path)
    return path


def test_hello_says_who_the_agent_is(data, server):
    with fake.Agent(data, slots=7, arguments=("--pool", "big", "--label", "linux", "--label", "ssd")) as agent:
        hello = server.wait_hello()
        assert (hello["agent"], hello["pool"], hello["labels"], hello["slots"]) == ("test", "big", ["linux", "ssd"], 7)
        assert hello["pid"] == agent.process.pid and hello["attempts"] == [] and len(hello["spool"]) == 32
        assert hello["boot"] == open("/proc/sys/kernel/random/boot_id").read().strip()
        server.wait(lambda: server.free == 7, "an exchange with seven free slots")


def test_the_identity_of_the_spool_stays(data, server):
    with fake.Agent(data):
        first = server.wait_hello(1)["spool"]
    with fake.Agent(data):
        assert server.wait_hello(2)["spool"] == first


def test_the_token_travels_with_every_request(data, server):
    with fake.Agent(data, environment={"LULL_TOKEN": "secret"}):
        server.wait_hello()
        assert server.authorizations == {"Bearer secret"}


def test_a_shell_task_is_carried_out_and_told(agent, server):
    server.start(NAME, "echo hello", "echo world; exit 3")
    end = server.wait_end(NAME)
    assert (end["result"], end["exit"], end["output_bytes"]) == ("failed", 3, 12)
    assert server.output(NAME) == b"hello\nworld\n"
    assert 0 < end["began_ms"] <= end["at_ms"]
    rig.wait_for(lambda: agent.spool() == [], "the file to be deleted")
    assert agent.work() == []


def test_what_needs_no_process_has_none(agent, server):
    server.start(attempt_name(1), type="noop")
    server.start(attempt_name(2), type="log", message="said\nthis")
    server.start(attempt_name(3), type="sleep", duration_ms=30)
    ends = [server.wait_end(attempt_name(number)) for number in (1, 2, 3)]
    assert [end["result"] for end in ends] == ["succeeded"] * 3
    assert server.output(attempt_name(2)) == b"said\nthis\n"
    assert ends[2]["at_ms"] - ends[2]["began_ms"] >= 29
    assert agent.runners() == []


def test_a_sleep_ends_by_its_timeout_or_a_stop(agent, server):
    server.start(attempt_name(1), type="sleep", duration_ms=3_600_000, timeout_ms=20)
    server.start(attempt_name(2), type="sleep", duration_ms=3_600_000)
    server.start(attempt_name(3), type="sleep", duration_ms=3_600_000)
    server.wait_began(attempt_name(3))
    server.order(do="stop", attempt=attempt_name(2))
    server.order(do="kill", attempt=attempt_name(3))
    results = [server.wait_end(attempt_name(number))["result"] for number in (1, 2, 3)]
    assert results == ["timed_out", "stopped", "killed"]


def test_the_environment_is_clean_and_inputs_have_their_prefix(agent, server):
    server.start(NAME, "/usr/bin/env", env={"A": "b c", "PATH": "/bin:/usr/bin", "LULL_FLOW": "no"},
                 inputs={"PATH": "/evil", "LD_PRELOAD": "evil.so", "DAY": "mon\nday"})
    assert server.wait_end(NAME)["result"] == "succeeded"
    lines = server.output(NAME).decode().splitlines()
    # The mark tells this agent's attempts from those of others on the machine.
    assert [line for line in lines if re.fullmatch(rf"LULL_MARK={re.escape(NAME)}@\S+", line)]
    lines = [line for line in lines if not line.startswith("LULL_MARK=")]
    assert sorted(lines) == sorted([
        f"LULL_ATTEMPT={NAME}", f"LULL_EXECUTION={int(NAME.split('.')[0]) - (1 << 40)}",
        "LULL_FLOW=ops.test", "LULL_TASK=task", "LULL_TENANT=main",
        "PATH=/bin:/usr/bin", "HOME=" + os.path.expanduser("~"), "LANG=C.UTF-8", "A=b c", "INPUT_PATH=/evil",
        "INPUT_LD_PRELOAD=evil.so", "INPUT_DAY=mon", "day"])


def test_a_big_input_and_a_big_script_go_by_file(agent, server):
    big = "v" * 150_000
    filler = "\n".join(": " + "x" * 60_000 for _ in range(1))
    server.start(NAME, filler, filler, 'wc -c <"$INPUT_BIG_FILE"; echo "${INPUT_BIG-unset} $INPUT_SMALL"',
                 inputs={"BIG": big, "SMALL": "s"})
    assert server.wait_end(NAME)["result"] == "succeeded"
    assert server.output(NAME).split() == [b"150000", b"unset", b"s"]


@pytest.mark.parametrize("command, output", [
    ("/bin/echo a  b\tc", b"a b c\n"), ("/bin/echo 'a  b'", b"a  b\n"), ("/bin/echo $LULL_TASK", b"task\n"),
    ("/bin/echo a; /bin/echo b", b"a\nb\n"), ("/bin/echo *", b"*\n"), ("/bin/echo a #b", b"a\n"),
    ("echo relative", b"relative\n"), ("/bin/echo ~root", b"/root\n")])
def test_a_plain_command_means_what_the_shell_makes_of_it(agent, server, command, output):
    server.start(NAME, command)
    assert server.wait_end(NAME)["result"] == "succeeded"
    assert server.output(NAME) == output


def test_output_arrives_while_the_command_runs_and_before_its_end(agent, server, data):
    go = fifo(data / "go")
    server.start(NAME, f"echo early; cat {go}")
    server.wait(lambda: server.output(NAME) == b"early\n", "live output")
    assert "ended" not in server.of(NAME)
    go.write_text("late\n")
    server.wait_end(NAME)
    assert server.output(NAME) == b"early\nlate\n"
    assert server.of(NAME)[0] == "began" and server.of(NAME)[-1] == "ended"


def test_output_that_is_no_text_arrives_as_it_was(agent, server, data):
    content = bytes(range(256)) * 2000 + "äöü€😀".encode() * 30_000
    (data / "content").write_bytes(content)
    server.start(NAME, f"cat {data / 'content'}")
    end = server.wait_end(NAME)
    assert server.output(NAME) == content and end["output_bytes"] == len(content) and not end.get("cut")


def test_output_above_the_bound_is_cut_and_counted(agent, server):
    server.start(NAME, "yes | head -c 2000000")
    end = server.wait_end(NAME)
    assert end["cut"] and end["output_bytes"] == 2_000_000
    assert server.output(NAME).endswith(b"y\n\n[lull: output cut after 1048576 bytes]\n")


def test_stop_and_kill_reach_what_runs(agent, server):
    for number in (1, 2):
        server.start(attempt_name(number), "trap '' TERM; sleep 1000 & wait" if number == 2 else "sleep 1000")
        server.wait_began(attempt_name(number))
    server.order(do="stop", attempt=attempt_name(1))
    server.order(do="kill", attempt=attempt_name(2))
    assert server.wait_end(attempt_name(1))["result"] == "stopped"
    end = server.wait_end(attempt_name(2))
    assert (end["result"], end["signal"]) == ("killed", signal.SIGKILL)
    assert rig.processes_of(attempt_name(1)) == rig.processes_of(attempt_name(2)) == []


def test_a_stop_right_behind_the_start_is_not_lost(agent, server):
    with server.changed:
        for number in range(1, 5):
            server.start(attempt_name(number), "sleep 1000")
            server.order(do="stop", attempt=attempt_name(number))
    for number in range(1, 5):
        assert server.wait_end(attempt_name(number))["result"] == "stopped"


def test_the_timeout_of_a_task_holds(agent, server):
    server.start(NAME, "sleep 1000", timeout_ms=40)
    assert server.wait_end(NAME)["result"] == "timed_out"


def test_an_order_repeated_within_a_session_is_carried_out_once(agent, server, data):
    """The server repeats what `got` does not cover; here it never believes what the agent got."""
    trace = data / "trace"
    server.start(NAME, f"echo ran >>{trace}")
    server.wait_end(NAME)
    with server.changed:
        server.orders.insert(0, {"seq": 1, "do": "start", "attempt": NAME, "tenant": "main", "flow": "ops.test",
                                 "execution": 1, "task": "task", "type": "shell",
                                 "commands": [f"echo again >>{trace}"]})
        server.changed.notify_all()
    server.start(attempt_name(2), type="noop")
    server.wait_end(attempt_name(2))
    assert trace.read_text() == "ran\n"


def test_the_same_attempt_ordered_again_is_told_and_not_begun_again(agent, server, data):
    go, trace = fifo(data / "go"), data / "trace"
    server.start(NAME, f"echo ran >>{trace}; cat {go}")
    server.wait_began(NAME)
    # A round later the agent knows that its report was recorded.
    server.start(attempt_name(2), type="noop")
    server.wait_end(attempt_name(2))
    server.start(NAME, f"echo again >>{trace}")
    server.wait(lambda: server.of(NAME).count("began") == 2, "the attempt to be told again")
    go.write_text("")
    server.wait_end(NAME)
    assert trace.read_text() == "ran\n"


def test_no_more_than_the_slots_run_and_two_exchanges_are_open(agent, server, data):
    gates = [fifo(data / f"go{number}") for number in range(6)]
    with server.changed:
        for number, go in enumerate(gates):
            server.start(attempt_name(number), f"cat {go}")
    for number in range(4):
        server.wait_began(attempt_name(number))
    server.wait(lambda: 0 in server.frees, "no free slot")
    assert server.of(attempt_name(4)) == []
    for go in gates:
        go.write_text("")
    for number in range(6):
        server.wait_end(attempt_name(number))
    assert server.most_open <= 2
    server.wait(lambda: server.free == 4, "all slots free again")


def test_what_has_not_begun_is_taken_back(agent, server, data):
    gates = [fifo(data / f"go{number}") for number in range(4)]
    with server.changed:
        for number, go in enumerate(gates):
            server.start(attempt_name(number), f"cat {go}")
        server.start(attempt_name(9), f"touch {data / 'never'}")
    server.wait_began(attempt_name(3))
    server.order(do="take_back", attempt=attempt_name(9))
    server.order(do="take_back", attempt=attempt_name(0))
    server.wait(lambda: server.of(attempt_name(9)) == ["taken_back"], "the attempt to be taken back")
    for go in gates:
        go.write_text("")
    server.wait_end(attempt_name(0))
    assert "taken_back" not in server.of(attempt_name(0)) and not (data / "never").exists()


def test_reports_are_repeated_until_they_are_recorded(agent, server):
    with server.changed:
        server.refuse += [503, 500, 429]
        server.start(NAME, "echo once")
    assert server.wait_end(NAME)["result"] == "succeeded"
    assert server.output(NAME) == b"once\n" and len(server.hellos) == 1


def test_a_lost_answer_costs_nothing(agent, server):
    """Recorded and not answered: the same is told again, on a new connection or after a new hello."""
    server.lose_answers = 3
    server.start(NAME, "echo once; exit 2")
    server.wait(lambda: NAME in server.ends or len(server.hellos) > 1, "the end or a hello")
    if NAME not in server.ends and NAME not in [known["attempt"] for known in server.hellos[-1]["attempts"]]:
        # The order went down with the answer, and a server gives out again what hello does not list.
        server.start(NAME, "echo once; exit 2")
    assert server.wait_end(NAME)["exit"] == 2
    assert server.output(NAME) == b"once\n"
    rig.wait_for(lambda: agent.spool() == [], "the file to be deleted")


def test_an_ended_session_leads_to_a_new_hello(agent, server):
    with server.changed:
        server.session += 10
        server.changed.notify_all()
    server.wait_hello(2)
    server.start(NAME, "true")
    server.wait_end(NAME)


def test_a_refused_hello_is_said_again(data, server):
    server.refuse_hello = [409, 503, 401]
    with fake.Agent(data) as agent:
        server.wait_hello()
        assert agent.log().count("hello: the server answered") == 1


def test_attempts_run_on_while_no_server_answers(agent, server, data):
    go = fifo(data / "go")
    server.start(NAME, f"echo before; cat {go}; exit 5")
    server.wait_began(NAME)
    server.down()
    go.write_text("after\n")
    rig.wait_for(lambda: rig.processes_of(NAME) == [], "the attempt to end")
    server.up()
    hello = server.wait_hello(2)
    assert hello["attempts"] == [{"attempt": NAME, "phase": "ended"}]
    assert server.wait_end(NAME)["exit"] == 5
    assert server.output(NAME) == b"before\nafter\n"


def test_what_the_server_forgot_is_killed_and_deleted(agent, server):
    server.start(NAME, "sleep 1000")
    server.wait_began(NAME)
    server.down()
    server.forget = [NAME]
    server.reports.clear()
    server.up()
    server.wait_hello(2)
    rig.wait_for(lambda: agent.spool() == [] and rig.processes_of(NAME) == [], "the attempt to be gone")
    server.forget = []
    server.start(attempt_name(2), type="noop")
    server.wait_end(attempt_name(2))
    assert server.of(NAME) == []


def test_a_runner_killed_in_the_middle_loses_the_attempt_and_leaves_nothing(agent, server, data):
    marks = data / "marks"
    server.start(NAME, f"echo out; (setsid sleep 1000 & setsid env -i sleep 1000 &); echo on >{marks}; sleep 1000")
    rig.wait_for(marks.exists, "the command to be under way")
    server.wait(lambda: server.output(NAME) == b"out\n", "its output")
    (runner,) = agent.runners()
    os.kill(runner, signal.SIGKILL)
    end = server.wait_end(NAME)
    assert end["result"] == "lost" and end["began_ms"] > 0
    assert rig.processes_of(NAME) == [] and server.output(NAME) == b"out\n"
    rig.wait_for(lambda: agent.spool() == agent.work() == [], "file and folder to be gone")
    server.start(attempt_name(2), "true")
    assert server.wait_end(attempt_name(2))["result"] == "succeeded"


@pytest.mark.parametrize("how", ["crash", "leave"])
def test_an_agents_end_costs_no_attempt(data, server, how):
    gates = [fifo(data / f"go{number}") for number in range(3)]
    trace = data / "trace"
    with fake.Agent(data) as first:
        server.wait_hello()
        for number, go in enumerate(gates):
            server.start(attempt_name(number), f"echo {number} >>{trace}; cat {go}; exit {number}")
            server.wait_began(attempt_name(number))
        if how == "crash":
            first.crash()
        else:
            first.tell(signal.SIGTERM)
            assert first.wait() == 0
        gates[0].write_text("ended alone\n")
        rig.wait_for(lambda: rig.processes_of(attempt_name(0)) == [], "the first to end without an agent")
        with fake.Agent(data) as second:
            hello = server.wait_hello(2)
            phases = {known["attempt"]: known["phase"] for known in hello["attempts"]}
            assert phases == {attempt_name(0): "ended", attempt_name(1): "begun", attempt_name(2): "begun"}
            server.wait(lambda: server.free == 2, "the adopted ones to hold their slots")
            gates[1].write_text("ended adopted\n")
            server.order(do="kill", attempt=attempt_name(2))
            assert server.wait_end(attempt_name(0))["result"] == "succeeded"
            assert server.wait_end(attempt_name(1))["exit"] == 1
            assert server.wait_end(attempt_name(2))["result"] == "killed"
            assert server.output(attempt_name(0)) == b"ended alone\n"
            assert server.output(attempt_name(1)) == b"ended adopted\n"
            rig.wait_for(lambda: second.spool() == [] and second.work() == [], "the spool to be empty")
            rig.wait_for(lambda: len(second.runners()) == 0, "the old runners to go")
    assert all(len(ends) == 1 for ends in server.ends.values())
    assert sorted(trace.read_text().split()) == ["0", "1", "2"]


def test_agent_and_runner_killed_together_lose_the_attempt_and_leave_nothing(data, server):
    marks = data / "marks"
    with fake.Agent(data) as first:
        server.wait_hello()
        server.start(NAME, f"(setsid sleep 1000 &); echo on >{marks}; sleep 1000")
        server.wait_began(NAME)
        rig.wait_for(marks.exists, "the command to be under way")
        (runner,) = first.runners()
        first.crash()
        os.kill(runner, signal.SIGKILL)
        assert len(rig.processes_of(NAME)) == 3
        with fake.Agent(data):
            assert server.wait_hello(2)["attempts"] == [{"attempt": NAME, "phase": "begun"}]
            assert server.wait_end(NAME)["result"] == "lost"
            assert rig.processes_of(NAME) == []


def test_an_attempt_of_another_boot_is_lost_unless_it_had_ended(data, server):
    folder = rig.Folder(data / "agent")
    with rig.Runner(folder) as runner:
        runner.run(attempt_name(1), "echo done; exit 4")
        runner.order(attempt_name(2), "sleep 1000")
        runner.until(rig.BEGAN)
        turn = folder.head(attempt_name(2)).turn
        begun = (folder.files / attempt_name(2)).read_bytes()
        runner.tell(rig.SIGNAL_KILL, turn)
        runner.until(rig.ENDED)
    (folder.files / attempt_name(2)).write_bytes(begun)
    (folder.files / attempt_name(3)).write_bytes(b"")
    folder.files.rename(folder.files.parent / "12345678-0000-0000-0000-000000000000")
    with fake.Agent(data) as agent:
        hello = server.wait_hello()
        assert sorted(known["attempt"] for known in hello["attempts"]) == [attempt_name(1), attempt_name(2)]
        assert server.wait_end(attempt_name(1))["exit"] == 4
        assert server.wait_end(attempt_name(2))["result"] == "lost"
        assert server.output(attempt_name(1)) == b"done\n"
        rig.wait_for(lambda: agent.spool() == [], "the spool to be empty")


def test_a_runner_of_a_dead_agent_that_has_not_spooled_never_begins(data, server):
    """Killed right after it gave the order away, the agent's runner is raced by the next agent's fence."""
    with fake.Agent(data, kill="agent.give.after:1") as first:
        server.wait_hello()
        server.start(NAME, f"echo ran >>{data / 'trace'}")
        first.wait()
        with fake.Agent(data) as second:
            hello = server.wait_hello(2)
            if not hello["attempts"]:
                # Not in the spool when the new agent had raised the generation: it must never begin.
                rig.wait_for(lambda: second.runners() == [], "the fenced runner to go")
                assert not (data / "trace").exists()
            else:
                server.wait_end(NAME)
                assert (data / "trace").read_text() == "ran\n"


POINTS = ["agent.give.before:1", "agent.give.after:1", "agent.exchange.before:1", "agent.exchange.before:2",
          "agent.exchange.before:3", "agent.recorded.before:2", "agent.recorded.after:2", "agent.settle.before:1",
          "agent.settle.after:1", "agent.hello.before:1", "agent.hello.after:1", "agent.start.before:1",
          "agent.start.after:1", "spool.raise.before:1", "spool.raise.after:1",
          "runner.enter.before:1", "spool.create.after:1", "spool.begin.after:1", "runner.begin.after:1",
          "runner.launch.before:1", "runner.launch.after:1", "runner.clean.before:1", "runner.end.before:1",
          "spool.end.before:1", "spool.end.after:1", "runner.end.after:1"]


@pytest.mark.parametrize("point", POINTS)
def test_wherever_something_dies_a_command_runs_at_most_once_and_is_told(data, server, point):
    """The test's server does what a real one does after a hello: gives out again what was not listed."""
    trace = data / "trace"
    agents = [fake.Agent(data, kill=point)]
    try:
        heard, ordered = 0, False
        while NAME not in server.ends:
            rig.wait_for(lambda: NAME in server.ends or len(server.hellos) > heard
                         or agents[-1].process.poll() is not None, "a hello, the end or a death")
            if NAME in server.ends:
                break
            if len(server.hellos) > heard:
                heard = len(server.hellos)
                listed = [known["attempt"] for known in server.hellos[-1]["attempts"]]
                if not ordered or NAME not in listed:
                    server.start(NAME, f"echo ran >>{trace}; echo out")
                    ordered = True
            elif agents[-1].process.poll() is not None:
                agents.append(fake.Agent(data))
            assert len(agents) < 4
        end = server.wait_end(NAME)
        assert end["result"] in ("succeeded", "lost")
        runs = trace.read_text() if trace.exists() else ""
        assert runs == "ran\n" or (runs == "" and end["result"] == "lost")
        assert rig.processes_of(NAME) == []
        if end["result"] == "succeeded":
            assert server.output(NAME) == b"out\n"
    finally:
        for agent in agents:
            agent.__exit__()


def test_a_drain_takes_nothing_new_and_finishes_what_runs(agent, server, data):
    go = fifo(data / "go")
    server.start(NAME, f"cat {go}; exit 6")
    server.wait_began(NAME)
    agent.tell(signal.SIGQUIT)
    server.wait(lambda: 0 in server.frees, "an exchange that asks for nothing")
    server.start(attempt_name(2), f"touch {data / 'never'}")
    server.wait(lambda: server.of(attempt_name(2)) == ["taken_back"], "the new one to be given back")
    go.write_text("done\n")
    assert agent.wait() == 0
    assert server.ends[NAME][0]["exit"] == 6 and server.output(NAME) == b"done\n"
    assert not (data / "never").exists() and agent.spool() == []


def test_a_drain_without_a_server_ends_when_all_is_on_the_disk(agent, server, data):
    go = fifo(data / "go")
    server.start(NAME, f"cat {go}; exit 6")
    server.wait_began(NAME)
    server.down()
    agent.tell(signal.SIGQUIT)
    go.write_text("done\n")
    assert agent.wait() == 0
    assert agent.spool() == [NAME]
    server.up()
    with fake.Agent(data):
        assert server.wait_end(NAME)["exit"] == 6


def test_an_idle_agent_drains_at_once(agent):
    agent.tell(signal.SIGQUIT)
    assert agent.wait() == 0


def test_one_folder_has_one_agent(agent, data):
    with fake.Agent(data) as second:
        assert second.wait() == 8
        assert f"agent {agent.process.pid} already runs on {data}" in second.log()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_runs_attempts_as_another_user(data, server):
    data.chmod(0o711)
    data.parent.chmod(0o711)
    data.parent.parent.chmod(0o711)
    with fake.Agent(data, arguments=("--run-as", "nobody")):
        server.wait_hello()
        server.start(NAME, "id -un; touch here; cat \"$INPUT_BIG_FILE\" | wc -c; pwd", inputs={"BIG": "x" * 200_000})
        assert server.wait_end(NAME)["result"] == "succeeded"
        assert server.output(NAME).decode().split() == ["nobody", "200000", f"{data}/agent/scratch/{NAME}"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_needs_a_user_for_attempts(data):
    try:
        pwd.getpwnam("lull-run")
        pytest.skip("there is a user lull-run")
    except KeyError:
        pass
    result = subprocess.run([fake.BINARY, "agent", "--data", str(data), "--name", "test"], capture_output=True,
                            text=True)
    assert result.returncode != 0 and "useradd --system lull-run" in result.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_data_folder_that_the_user_cannot_pass_is_refused(data):
    closed = data / "closed"
    closed.mkdir(mode=0o700)
    with fake.Agent(closed, arguments=("--run-as", "nobody")) as agent:
        assert agent.wait() != 0
        assert "cannot pass" in agent.log() and "chmod o+x" in agent.log()


def test_many_small_tasks_are_each_told_once(data, server):
    with fake.Agent(data, slots=64):
        server.wait_hello()
        with server.changed:
            for number in range(500):
                server.start(attempt_name(number), type="noop")
        for number in range(500):
            assert server.wait_end(attempt_name(number))["result"] == "succeeded"
        assert all(len(ends) == 1 for ends in server.ends.values())
