"""What commands write: bytes as they were, text with marks, bounded."""

import hashlib

from house import flow, shell, wait_until

LIMIT = 1 << 20


def logs_of(house, number, query=""):
    return house.get(f"/v1/executions/{number}/logs{query}")["items"]


def test_binary_output_is_kept_byte_for_byte(busy):
    busy.apply(shell("binary", r"printf 'a\000b\377\376c\r\n'; printf '\303\274'"))
    number = busy.run("default.binary")["number"]
    wanted = b"a\0b\xff\xfec\r\n\xc3\xbc"
    assert busy.log(number) == wanted
    (told,) = logs_of(busy, number)
    assert told["text"] == "a\0b\ufffd\ufffdc\r\nü", "JSON shows marks where it is not UTF-8"
    assert (told["task"], told["try"], told["bytes"], told["cut"]) == ("task", 1, len(wanted), False)


def test_both_streams_are_one_log_in_order(busy):
    busy.apply(shell("streams", "echo out", "echo err >&2", "echo out again"))
    assert busy.log(busy.run("default.streams")["number"]) == b"out\nerr\nout again\n"


def test_output_is_read_from_an_offset_on(busy):
    busy.apply(shell("offset", "printf 0123456789"))
    number = busy.run("default.offset")["number"]
    assert busy.log(number, offset=4) == b"456789"
    assert busy.log(number, offset=10) == b"" == busy.log(number, offset=10 ** 12)
    assert busy.log(number, **{"try": 1}) == b"0123456789"
    assert "no such attempt" in busy.refuses(404, "not_found", "GET", f"/v1/executions/{number}/logs/task?try=2")


def test_megabytes_up_to_the_bound_are_whole(busy):
    busy.apply(shell("long", "seq 1 140000 | head -c 1000000"))
    execution = busy.run("default.long")
    wanted = "".join(f"{number}\n" for number in range(1, 140001)).encode()[:1000000]
    assert hashlib.sha256(busy.log(execution["number"])).digest() == hashlib.sha256(wanted).digest()
    assert execution["tasks"][0]["attempts"][0]["cut"] is False


def test_beyond_the_bound_it_is_cut_with_a_mark_and_the_command_goes_on(busy):
    busy.apply(shell("endless", "seq 1 2000000", "echo done >&2"))
    execution = busy.run("default.endless")
    (attempt,) = execution["tasks"][0]["attempts"]
    assert execution["state"] == "succeeded", "what is not kept does not hold the command up"
    total = len("".join(f"{number}\n" for number in range(1, 2000001))) + len("done\n")
    assert (attempt["cut"], attempt["output_bytes"]) == (True, total)
    log = busy.log(execution["number"])
    assert LIMIT // 2 <= len(log) <= LIMIT + 4096
    assert log.startswith(b"1\n2\n3\n")
    (told,) = logs_of(busy, execution["number"])
    assert told["cut"] is True and told["bytes"] == total
    assert b"cut" in log[-4096:] or b"cut" in log, "a reader of the raw log sees it too"


def test_output_can_be_read_while_it_is_written(busy, tmp_path):
    tmp_path.chmod(0o777)
    busy.apply(shell("live", f"echo first; until [ -e {tmp_path}/go ]; do sleep 0.02; done; echo second"))
    number = busy.submit("default.live")
    wait_until(lambda: busy.wait_running(number) and busy.log(number) == b"first\n", "the first line")
    (tmp_path / "go").touch()
    assert busy.wait(number)["state"] == "succeeded"
    assert busy.log(number) == b"first\nsecond\n"


def test_the_logs_of_a_graph_stand_in_the_order_of_its_tasks(busy):
    busy.apply(flow("graph-logs", {"id": "last", "type": "log", "message": "z", "needs": ["first"]},
                    {"id": "first", "type": "log", "message": "a"}))
    number = busy.run("default.graph-logs")["number"]
    assert [(one["task"], one["text"]) for one in logs_of(busy, number)] == [("last", "z\n"), ("first", "a\n")]
    assert [one["task"] for one in logs_of(busy, number, "?task=first")] == ["first"]


def test_a_task_that_has_not_begun_has_no_log(busy):
    busy.apply(shell("unbegun", "echo x"))
    hold = busy.enter()
    number = busy.submit("default.unbegun")
    assert logs_of(busy, number) == []
    assert busy.ask("GET", f"/v1/executions/{number}/logs/task").status_code in (200, 404)
    busy.end(hold["id"])
    assert busy.wait(number)["state"] == "succeeded"
