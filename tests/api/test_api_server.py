"""Starting, signing in, and what a server refuses to start on."""

import os
import socket
import sqlite3
import stat
import subprocess

import pytest

from house import PATIENCE, PROGRAM, flow, shell

NOOP = {"id": "task", "type": "noop"}


def serve(house, *arguments, **more):
    """A server that has to refuse to start: its exit code and what it says."""
    told = subprocess.run([PROGRAM, "serve", *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False,
                          stdin=subprocess.DEVNULL, env={**house.environment, **more}, cwd=house.folder)
    return told.returncode, told.stderr


def test_health_and_ready_are_open_to_all(quiet):
    assert quiet.ask("GET", "/v1/health", token=None).json() == {"status": "ok"}
    assert quiet.ask("GET", "/v1/ready", token=None).json() == {"ready": True}
    head = quiet.ask("HEAD", "/v1/health", token=None)
    assert (head.status_code, head.content) == (200, b"")


def test_the_first_start_makes_the_admin_and_a_token_that_nobody_else_can_read(new_house):
    house = new_house(agent=False).start()
    mode = stat.S_IMODE((house.data / "admin-token").stat().st_mode)
    assert mode == 0o600
    assert house.get("/v1/me") == {"account": "admin", "role": "host_administrator", "tenant": "main"}
    first = house.token
    house.stop()
    house.start()
    assert house.token == first and house.get("/v1/me")["account"] == "admin", "the same one after a restart"
    for name in ("lull.db", "url", "lock"):
        assert stat.S_IMODE((house.data / name).stat().st_mode) & 0o077 == 0, f"{name} is the owner's alone"
    assert first.encode() not in (house.data / "lull.db").read_bytes(), "the store knows no token, only its digest"


def test_signing_in_with_the_password_from_the_environment(new_house):
    house = new_house(agent=False, LULL_ADMIN_PASSWORD="correct horse").start()
    answer = house.ask("POST", "/v1/sign-in", {"account": "admin", "password": "correct horse"}, token=None)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["account"], told["role"]) == ("admin", "host_administrator") and told["expires"] and told["token"]
    assert house.does("GET", "/v1/me", token=told["token"])["account"] == "admin"
    wrong = {"account": "admin", "password": "correct horsf"}
    assert "is wrong" in house.refuses(401, "unauthentic", "POST", "/v1/sign-in", wrong, token=None)
    for name in ("server.log", "data/lull.db"):
        assert b"correct horse" not in (house.folder / name).read_bytes()
    house.stop()
    house.start()
    assert house.does("GET", "/v1/me", token=told["token"])["account"] == "admin", "a session outlives a restart"


def test_an_account_without_a_password_cannot_sign_in(quiet):
    for password in ("", "x"):
        answer = quiet.ask("POST", "/v1/sign-in", {"account": "admin", "password": password}, token=None)
        assert answer.status_code in (400, 401)


def test_the_token_from_the_environment_counts_and_no_file_is_written(new_house):
    token = "a-token-of-my-own-making"
    house = new_house(agent=False, LULL_ADMIN_TOKEN=token).start()
    assert house.get("/v1/me")["account"] == "admin"
    assert not (house.data / "admin-token").exists()
    house.stop()
    house.environment["LULL_ADMIN_TOKEN"] = house.token = "another-token-of-mine"
    house.start()
    assert house.get("/v1/me")["account"] == "admin"
    assert "not valid" in house.refuses(401, "unauthentic", "GET", "/v1/me", token=token), "the older one has ended"
    house.stop()
    house.environment["LULL_ADMIN_TOKEN"] = house.token = token
    house.start()
    assert house.get("/v1/me")["account"] == "admin", "and may come back"


def test_secrets_of_the_server_reach_no_command(new_house):
    house = new_house(LULL_ADMIN_TOKEN="a-token-of-my-own-making", LULL_ADMIN_PASSWORD="correct horse").start()
    house.wait_agent()
    house.apply(shell("spy", "cat /proc/$PPID/environ /proc/self/environ | tr '\\0' '\\n'"))
    said = house.log(house.run("default.spy")["number"])
    assert b"a-token" not in said and b"correct" not in said
    assert b"LULL_ADMIN" not in open(f"/proc/{house.agent_pid()}/environ", "rb").read()


@pytest.mark.parametrize("more, words", [
    ({"LULL_ADMIN_TOKEN": "short"}, "LULL_ADMIN_TOKEN must have 16 to 512 characters"),
    ({"LULL_ADMIN_PASSWORD": "x" * 2000}, "LULL_ADMIN_PASSWORD"), ({"LULL_ADMIN_PASSWORD": ""}, "LULL_ADMIN_PASSWORD")])
def test_bad_secrets_are_refused_at_start(new_house, more, words):
    house = new_house(agent=False)
    code, said = serve(house, *house.arguments, **more)
    assert code == 2 and words in said, (code, said)


def test_a_second_server_on_the_same_folder_is_refused(new_house):
    house = new_house(agent=False).start()
    before = house.contents()
    code, said = serve(house, *house.arguments)
    assert code == 8, said
    assert f"another lull serve, pid {house.process.pid}, uses the data folder {house.data}" in said
    assert "stop it, or give another folder by --data" in said
    assert house.get("/v1/me")["account"] == "admin" and house.contents() == before
    assert (house.data / "url").read_text().strip() == house.url, "clients still find the first one"


def test_a_store_of_a_newer_program_is_refused_and_left_alone(new_house):
    house = new_house(agent=False).start()
    house.stop()
    with sqlite3.connect(house.data / "lull.db") as store:
        store.execute("INSERT INTO migration (number, name, checksum) VALUES (9999, 'of_the_future', 1)")
    before = house.contents()
    code, said = serve(house, *house.arguments)
    assert code != 0
    assert "the store was made by a newer lull (its schema is 9999" in said and "start the newer program" in said
    assert house.contents() == before


def test_a_store_whose_past_was_changed_is_refused(new_house):
    house = new_house(agent=False).start()
    house.stop()
    with sqlite3.connect(house.data / "lull.db") as store:
        store.execute("UPDATE migration SET checksum = checksum + 1 WHERE number = 1")
    code, said = serve(house, *house.arguments)
    assert code != 0 and "migration 1 of the store differs from this program's" in said


def test_a_file_that_is_no_store_is_refused_and_kept(new_house):
    house = new_house(agent=False)
    house.data.mkdir()
    (house.data / "lull.db").write_bytes(b"somebody's notes, long enough to be no empty file" * 100)
    before = (house.data / "lull.db").read_bytes()
    code, said = serve(house, *house.arguments)
    assert code != 0 and "lull.db" in said, said
    assert (house.data / "lull.db").read_bytes() == before


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0"])
def test_a_listener_beyond_loopback_needs_to_be_spelt_out(new_house, listen):
    house = new_house(agent=False)
    code, said = serve(house, "--data", str(house.data), "--listen", listen, "--no-agent")
    assert code == 2 and "there is no TLS" in said and "say --insecure" in said, said
    assert not (house.data / "url").exists()


def test_spelt_out_it_listens_beyond_loopback(new_house):
    house = new_house(agent=False)
    house.arguments[house.arguments.index("--listen") + 1] = "0.0.0.0:0"
    house.arguments.append("--insecure")
    house.start()
    assert house.get("/v1/me")["account"] == "admin"


@pytest.mark.parametrize("listen", ["nowhere", "127.0.0.1", "127.0.0.1:99999", "example.com:80", ":7460"])
def test_addresses_that_are_none(new_house, listen):
    house = new_house(agent=False)
    code, said = serve(house, "--data", str(house.data), "--listen", listen, "--no-agent")
    assert code == 2 and "write 127.0.0.1:7460" in said, said


def test_an_address_in_use_is_told(new_house):
    house = new_house(agent=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        code, said = serve(house, "--data", str(house.data), "--listen", address, "--no-agent")
    assert code == 8 and address.rsplit(":", 1)[1] in said, (code, said)


def test_a_server_that_stops_answers_what_waits(new_house):
    house = new_house().start()
    house.wait_agent()
    house.apply(shell("sleeper", "sleep 600"))
    number = house.submit("default.sleeper")
    house.wait_running(number)
    port = int(house.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(f"GET /v1/executions/{number}?until=ended&wait=60s HTTP/1.1\r\nHost: localhost\r\n"
                           f"Authorization: Bearer {house.token}\r\n\r\n".encode())
        house.execution(number)
        house.stop()
        said = b"".join(iter(lambda: connection.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 "), "an answer and no cut connection"
    house.start()
    assert house.post(f"/v1/executions/{number}/kill")["state"] in ("killing", "killed")
    assert house.wait(number)["state"] == "killed", "the server that came after can end what the first one started"


def test_the_command_line_finds_the_server_and_its_token_by_itself(new_house):
    house = new_house(agent=False).start()
    house.apply(flow("noop", NOOP))
    environment = {name: value for name, value in house.environment.items() if name not in ("LULL_URL", "LULL_TOKEN")}
    told = subprocess.run([PROGRAM, "flow", "list", "--json"], env=environment, capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    assert told.returncode == 0 and "default.noop" in told.stdout, told
    assert os.path.samefile(house.get("/v1/status")["data"], house.data)
