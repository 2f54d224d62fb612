"""The slot runner with real processes: what it records, what it kills, what it never begins."""

import fcntl
import os
import pathlib
import pwd
import shutil
import signal

import pytest

import rig
from rig import BEGAN, BY_FAILURE, BY_ITSELF, BY_KILL, BY_STOP, BY_TIMEOUT, ENDED, EXISTS, FENCED, OUTPUT, REFUSED

# Another one each run: other agents on this machine have attempts, too.
EXECUTION = (1 << 40) + int.from_bytes(os.urandom(4), "big")
ATTEMPT = f"{EXECUTION}.0.1"


@pytest.fixture
def folder(tmp_path):
    return rig.Folder(tmp_path / "agent")


@pytest.fixture
def runner(folder):
    with rig.Runner(folder) as started:
        yield started


def fifo(tmp_path, name="fifo"):
    path = tmp_path / name
    os.mkfifo(path)
    return path


def read_fifo(path):
    """Blocks until a process opens the other end, and answers what it wrote."""
    with open(path) as file:
        return file.read()


def test_output_of_both_channels_is_kept_in_the_order_of_writing(runner):
    end, output = runner.run(ATTEMPT, "echo one; echo two >&2; printf three")
    assert output == b"one\ntwo\nthree"
    assert (end.by, end.exit, end.signal, end.output, end.kept, end.cut) == (BY_ITSELF, 0, 0, 13, 13, 0)


def test_the_exit_code_is_recorded(runner):
    end, _ = runner.run(ATTEMPT, "exit 7")
    assert (end.by, end.exit, end.signal) == (BY_ITSELF, 7, 0)


def test_a_failing_command_ends_the_script(runner):
    end, output = runner.run(ATTEMPT, "echo before\nfalse\necho after")
    assert (end.exit, output) == (1, b"before\n")


def test_the_signal_that_ended_a_command_is_recorded(runner):
    end, _ = runner.run(ATTEMPT, "kill -SEGV $$")
    assert (end.by, end.exit, end.signal) == (BY_ITSELF, 0, signal.SIGSEGV)


def test_one_runner_carries_out_many_attempts(runner, folder):
    for number in range(1, 50):
        attempt = f"{EXECUTION}.0.{number}"
        end, output = runner.run(attempt, ["/bin/echo", str(number)])
        assert (end.exit, output) == (0, b"%d\n" % number)
        assert folder.head(attempt).turn == number


def test_what_cannot_be_executed_ends_as_in_a_shell(runner, tmp_path):
    end, output = runner.run(ATTEMPT, ["/nonexistent/program"])
    assert (end.by, end.exit) == (BY_ITSELF, 127) and b"No such file" in output
    plain = tmp_path / "plain"
    plain.write_text("echo hello")
    end, output = runner.run(f"{EXECUTION}.0.2", [str(plain)])
    assert end.exit == 126 and b"Permission denied" in output


def test_a_script_without_an_interpreter_is_the_shells(runner, tmp_path):
    script = tmp_path / "script"
    script.write_text("echo script $1")
    script.chmod(0o755)
    end, output = runner.run(ATTEMPT, [str(script), "argument"])
    assert (end.exit, output) == (0, b"script argument\n")


def test_the_environment_is_the_orders_and_nothing_else(folder):
    with rig.Runner(folder, environment={"SECRET": "token", "LD_PRELOAD": ""}) as runner:
        _, output = runner.run(ATTEMPT, ["/usr/bin/env"], environment=["A=b", "INPUT_DAY=monday"])
    assert sorted(output.decode().split()) == ["A=b", "INPUT_DAY=monday", f"LULL_ATTEMPT={ATTEMPT}",
                                               "PATH=/usr/bin:/bin"]


def test_a_command_starts_from_a_clean_slate(runner, folder):
    _, output = runner.run(ATTEMPT, ["/usr/bin/python3", "-c", """if True:
        import os, signal
        print(os.getcwd())
        print(os.getsid(0) == os.getpid())
        print(oct(os.umask(0)))
        print(sorted(os.listdir('/proc/self/fd'))[:3], len(os.listdir('/proc/self/fd')))
        print(os.readlink('/proc/self/fd/0'))
        print([line.split()[1] for line in open('/proc/self/status') if line.startswith('SigBlk')])
        print(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, signal.getsignal(signal.SIGHUP) == signal.SIG_DFL)
        """])
    assert output.decode().splitlines() == [str(folder.work / ATTEMPT), "True", "0o22", "['0', '1', '2'] 4",
                                            "/dev/null", "['0000000000000000']", "True True"]


def test_the_scratch_folder_is_removed_without_following_links(runner, folder, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept")
    end, _ = runner.run(ATTEMPT, f"""
        ln -s {precious} link; touch file; mkdir -p a/b/c locked/inner; touch a/b/c/file locked/inner/file
        chmod 000 locked/inner locked; touch -- "-rf" ".hidden"
        i=0; while [ $i -lt 300 ]; do mkdir deep; cd -P deep; touch file; i=$((i+1)); done
        """)
    assert end.exit == 0 and end.detail == ""
    assert not (folder.work / ATTEMPT).exists()
    assert (precious / "file").read_text() == "kept"


def test_a_scratch_folder_that_was_used_is_no_other_attempts(runner, folder):
    for number, command in enumerate(["touch file", "mkdir -p .a/b", "chmod 755 .", "touch .x; rm .x", "true"], 1):
        _, output = runner.run(f"{EXECUTION}.0.{number}", f"ls -A | wc -l; stat -c %a .; pwd; {command}")
        assert output.decode().split() == ["0", "700", str(folder.work / f"{EXECUTION}.0.{number}")]
    assert [path.name for path in folder.work.iterdir()] == [f"spare-{runner.process.pid}"]
    runner.leave()
    runner.process.wait(rig.PATIENCE_SECONDS)
    assert list(folder.work.iterdir()) == []


def test_files_of_the_order_are_in_the_scratch_folder(runner):
    big = "x" * 300_000
    _, output = runner.run(ATTEMPT, 'wc -c <"$INPUT_BIG_FILE"; stat -c %a "$INPUT_BIG_FILE"',
                           files=[(".input", big)], environment=["INPUT_BIG_FILE=.input"])
    assert output.split() == [b"300000", b"600"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_command_runs_as_the_user_of_the_order(runner, folder):
    user = pwd.getpwnam("nobody")
    folder.path.parent.parent.chmod(0o711)
    _, output = runner.run(ATTEMPT, "id -u; id -g; id -G; stat -c %U .; touch made; cat .input",
                           user=(user.pw_uid, user.pw_gid, user.pw_gid, 12345), files=[(".input", "read me")])
    uid, gid, *rest = output.split()
    assert (int(uid), int(gid)) == (user.pw_uid, user.pw_gid)
    assert rest[-3:] == [b"nobody", b"read", b"me"] and b"12345" in rest and b"0" not in rest
    assert not (folder.work / ATTEMPT).exists()


def test_output_is_bounded_and_the_whole_is_counted(runner):
    end, output = runner.run(ATTEMPT, "head -c 3000000 /dev/zero")
    mark = b"\n[lull: output cut after 1048576 bytes]\n"
    assert (end.exit, end.output, end.cut) == (0, 3_000_000, 1)
    assert output == bytes(1 << 20) + mark and end.kept == len(output)


def test_output_at_the_bound_is_not_cut(runner):
    end, output = runner.run(ATTEMPT, "head -c 1048576 /dev/zero")
    assert (end.cut, end.output, len(output)) == (0, 1 << 20, 1 << 20)


def test_output_is_told_of_while_the_command_runs(runner, folder, tmp_path):
    go = fifo(tmp_path)
    runner.order(ATTEMPT, f"echo early; cat {go}")
    note = runner.until(OUTPUT)
    assert note.kept == 6 and folder.output(ATTEMPT) == b"early\n" and folder.end(ATTEMPT) is None
    go.write_text("late\n")
    assert runner.until(ENDED).end.output == 11


def test_a_command_that_closes_its_output_is_waited_for(runner, tmp_path):
    go = fifo(tmp_path)
    runner.order(ATTEMPT, f"exec >&- 2>&-; read line <{go}; exit 3")
    assert runner.until(BEGAN).turn == 1
    go.write_text("go\n")
    assert runner.until(ENDED).end.exit == 3


TREE = """
import os, signal, sys
def settle(name):
    if sys.argv[2] == 'deaf':
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(sys.argv[1], 'a') as file:
        file.write(name + '\\n')
    while True:
        signal.pause()
if os.fork() == 0:                       # a child
    settle('child')
if os.fork() == 0:                       # double-forked, in a session of its own
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            settle('daemon')
        os._exit(0)
    os._exit(0)
if os.fork() == 0:                       # in another process group, stopped
    os.setpgid(0, 0)
    with open(sys.argv[1], 'a') as file:
        file.write('stopped\\n')
    os.kill(os.getpid(), signal.SIGSTOP)
    settle('never')
settle('parent')
"""


def start_tree(runner, tmp_path, attempt=ATTEMPT, mode="tame", **more):
    marks = tmp_path / "marks"
    runner.order(attempt, ["/usr/bin/python3", "-c", TREE, str(marks), mode], **more)
    turn = runner.until(BEGAN).turn
    rig.wait_for(lambda: marks.exists() and len(marks.read_text().split()) >= 4, "the whole tree")
    assert len(rig.processes_of(attempt)) == 4
    return turn


def test_stop_reaches_every_process_of_the_tree(runner, tmp_path):
    turn = start_tree(runner, tmp_path)
    runner.tell(rig.SIGNAL_STOP, turn)
    end = runner.until(ENDED).end
    assert (end.by, end.signal) == (BY_STOP, signal.SIGTERM)
    assert rig.processes_of(ATTEMPT) == []


def test_stop_leaves_the_command_the_time_to_clean_up(runner, tmp_path):
    ready, go = fifo(tmp_path, "ready"), fifo(tmp_path, "go")
    runner.order(ATTEMPT, f"""trap 'read line <{go}; echo cleaned; exit 5' TERM
        sleep 1000 & echo >{ready}; wait""")
    turn = runner.until(BEGAN).turn
    read_fifo(ready)
    runner.tell(rig.SIGNAL_STOP, turn)
    go.write_text("go\n")
    end = runner.until(ENDED).end
    assert (end.by, end.exit) == (BY_STOP, 5)
    assert runner.folder.output(ATTEMPT).endswith(b"cleaned\n")


def test_kill_leaves_nothing_alive(runner, tmp_path):
    turn = start_tree(runner, tmp_path, mode="deaf")
    runner.tell(rig.SIGNAL_KILL, turn)
    end = runner.until(ENDED).end
    assert (end.by, end.signal) == (BY_KILL, signal.SIGKILL)
    assert rig.processes_of(ATTEMPT) == []


def test_kill_goes_over_a_stop_that_was_not_heard(runner, tmp_path):
    turn = start_tree(runner, tmp_path, mode="deaf")
    runner.tell(rig.SIGNAL_STOP, turn)
    runner.tell(rig.SIGNAL_KILL, turn)
    assert runner.until(ENDED).end.by == BY_KILL


def test_kill_gets_the_better_of_a_command_that_keeps_forking(runner, tmp_path):
    ready = fifo(tmp_path)
    runner.order(ATTEMPT, ["/usr/bin/python3", "-c", """if True:
        import os, sys, time
        open(sys.argv[1], 'w').close()
        while True:
            if os.fork() == 0:
                os.setsid()
                if os.fork():
                    os._exit(0)
            else:
                time.sleep(0.002)
                os._exit(0)
        """, str(ready)])
    turn = runner.until(BEGAN).turn
    read_fifo(ready)
    runner.tell(rig.SIGNAL_KILL, turn)
    runner.until(ENDED)
    assert rig.processes_of(ATTEMPT) == []


def test_an_order_for_an_earlier_attempt_harms_no_later_one(runner, tmp_path):
    runner.run(ATTEMPT, "true")
    go = fifo(tmp_path)
    runner.order(f"{EXECUTION}.0.2", f"cat {go}")
    assert runner.until(BEGAN).turn == 2
    runner.tell(rig.SIGNAL_KILL, 1)
    runner.tell(rig.SIGNAL_STOP, 1)
    go.write_text("untouched\n")
    end = runner.until(ENDED).end
    assert (end.by, end.exit) == (BY_ITSELF, 0)


def test_the_timeout_stops_a_command(runner, tmp_path):
    end, _ = runner.run(ATTEMPT, "sleep 1000", timeout_ms=50)
    assert (end.by, end.signal) == (BY_TIMEOUT, signal.SIGTERM)


def test_what_a_command_leaves_behind_is_killed_when_it_ends(runner, tmp_path):
    ready = fifo(tmp_path)
    runner.order(ATTEMPT, f"""
        (trap '' TERM HUP; setsid sh -c 'sleep 1000; :' & setsid sleep 1000 & echo >{ready})
        exit 4""")
    read_fifo(ready)
    end = runner.until(ENDED).end
    assert (end.by, end.exit) == (BY_ITSELF, 4)
    assert rig.processes_of(ATTEMPT) == []


def test_an_attempt_in_the_spool_is_never_begun_again(runner, tmp_path):
    trace = tmp_path / "trace"
    runner.run(ATTEMPT, f"echo ran >>{trace}")
    runner.order(ATTEMPT, f"echo again >>{trace}")
    assert runner.note().kind == EXISTS
    assert trace.read_text() == "ran\n"


def test_a_fenced_runner_begins_nothing_and_goes(folder, tmp_path):
    with rig.Runner(folder) as runner:
        runner.run(ATTEMPT, "true")
        folder.set_generation(2)
        runner.order(f"{EXECUTION}.0.2", f"touch {tmp_path / 'ran'}")
        assert runner.note().kind == FENCED
        assert runner.note() is None
        assert runner.process.wait(rig.PATIENCE_SECONDS) == 0
    assert not (tmp_path / "ran").exists() and not (folder.files / f"{EXECUTION}.0.2").exists()


def test_a_runner_waits_for_the_agent_that_raises_the_generation(folder, tmp_path):
    with rig.Runner(folder) as runner, open(folder.path / "spool" / "generation", "r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        runner.order(ATTEMPT, f"touch {tmp_path / 'ran'}")
        rig.wait_for(lambda: any("->" in line and f" {runner.process.pid} " in line
                                 for line in pathlib.Path("/proc/locks").read_text().splitlines()),
                     "the runner to wait for the lock")
        os.pwrite(file.fileno(), b"%020d\n" % 2, 0)
        fcntl.lockf(file, fcntl.LOCK_UN)
        assert runner.note().kind == FENCED
    assert not (tmp_path / "ran").exists()


def test_a_runner_without_an_agent_finishes_its_attempt(folder, tmp_path):
    go = fifo(tmp_path)
    with rig.Runner(folder) as runner:
        runner.order(ATTEMPT, f"cat {go}; exit 9")
        runner.until(BEGAN)
        runner.leave()
        go.write_text("finished\n")
        assert runner.process.wait(rig.PATIENCE_SECONDS) == 0
    assert folder.end(ATTEMPT).exit == 9 and folder.output(ATTEMPT) == b"finished\n"


def test_an_idle_runner_without_an_agent_goes(folder):
    with rig.Runner(folder) as runner:
        runner.leave()
        assert runner.process.wait(rig.PATIENCE_SECONDS) == 0


def test_a_runner_outlives_polite_signals(runner, tmp_path):
    go = fifo(tmp_path)
    runner.order(ATTEMPT, f"cat {go}")
    runner.until(BEGAN)
    for polite in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        runner.process.send_signal(polite)
    go.write_text("still here\n")
    assert runner.until(ENDED).end.exit == 0


def test_the_lock_names_the_runner_while_the_attempt_lives(runner, folder, tmp_path):
    go = fifo(tmp_path)
    runner.order(ATTEMPT, f"cat {go}")
    runner.until(BEGAN)
    assert folder.head(ATTEMPT).pid == runner.process.pid
    with open(folder.files / ATTEMPT, "r+b") as file:
        with pytest.raises(OSError):
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        go.write_text("")
        runner.until(ENDED)
        fcntl.lockf(file, fcntl.LOCK_EX)


def test_a_full_disk_loses_output_but_not_the_result(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or os.system(f"mount -t tmpfs -o size=256k tmpfs {disk} 2>/dev/null") != 0:
        pytest.skip("cannot mount a small disk")
    try:
        folder = rig.Folder(disk / "agent")
        with rig.Runner(folder) as runner:
            end, output = runner.run(ATTEMPT, "head -c 600000 /dev/zero; exit 3")
            assert (end.exit, end.output, end.cut) == (3, 600_000, 1)
            assert end.kept < 600_000 and folder.end(ATTEMPT) == end
            (disk / "ballast").write_bytes(b"")
            with open(disk / "ballast", "ab", buffering=0) as ballast, pytest.raises(OSError):
                while True:
                    ballast.write(bytes(512))
            runner.order(f"{EXECUTION}.0.2", "true")
            note = runner.note()
            assert note.kind == REFUSED and "No space left" in note.end.detail
            assert not (folder.files / f"{EXECUTION}.0.2").exists()
    finally:
        os.system(f"umount -l {disk}")


def test_a_scratch_folder_that_cannot_be_made_fails_the_attempt(runner, folder):
    runner.run(f"{EXECUTION}.0.2", "true")
    shutil.rmtree(folder.work)
    runner.order(ATTEMPT, "true")
    assert runner.note().kind == BEGAN
    end = runner.until(ENDED).end
    assert end.by == BY_FAILURE and "scratch folder" in end.detail


def test_a_record_that_is_no_order_ends_the_runner(folder):
    with rig.Runner(folder) as runner:
        runner.socket.sendall(b"\x10\0\0\0" + b"\xff" * 16)
        assert runner.process.wait(rig.PATIENCE_SECONDS) == 1
