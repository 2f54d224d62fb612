"""Flows over the API: revisions, lists, what deleting leaves."""

import pytest

from house import House, flow, shell

NOOP = {"id": "a", "type": "noop"}
YAML = {"Content-Type": "application/yaml"}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with House(tmp_path_factory.mktemp("flows"), agent=False) as made:
        yield made


def test_every_change_is_a_revision_and_no_change_is_none(house):
    first, second = flow("changing", NOOP), flow("changing", NOOP, {"id": "b", "type": "noop", "needs": ["a"]})
    answer = house.ask("PUT", "/v1/flows", data=first.encode(), headers=YAML)
    assert answer.status_code == 201
    assert answer.json() == {"flow": "default.changing", "revision": 1, "change": "created"}
    before = house.contents()
    answer = house.ask("PUT", "/v1/flows", data=first.encode(), headers=YAML)
    assert answer.status_code == 200
    assert answer.json() == {"flow": "default.changing", "revision": 1, "change": "unchanged"}
    assert house.contents() == before
    assert house.apply(second) == {"flow": "default.changing", "revision": 2, "change": "updated"}
    assert house.apply(first) == {"flow": "default.changing", "revision": 3, "change": "updated"}
    assert house.rows("SELECT source FROM revision WHERE flow = (SELECT id FROM flow WHERE name = 'changing')"
                      " ORDER BY revision") == [(first,), (second,), (first,)]


def test_a_flow_is_shown_as_it_was_said(house):
    yaml = """
id: whole
namespace: ops.database
description: Dumps the database.
labels: { team: storage }
inputs:
  - { id: day, type: string, required: true, description: which day }
  - { id: count, type: integer, default: 3 }
env: { LANG: C }
tasks:
  - { id: dump, type: shell, commands: [ echo dump ], timeout: 15m, labels: [ linux, big ], pool: far }
  - { id: say, type: log, message: hello, needs: [ dump ] }
"""
    house.apply(yaml)
    shown = house.get("/v1/flows/ops.database.whole")
    assert (shown["flow"], shown["namespace"], shown["id"]) == ("ops.database.whole", "ops.database", "whole")
    assert (shown["revision"], shown["description"]) == (1, "Dumps the database.")
    assert shown["labels"] == {"team": "storage"}
    assert shown["inputs"] == [
        {"id": "day", "type": "string", "required": True, "default": None, "description": "which day"},
        {"id": "count", "type": "integer", "required": False, "default": "3", "description": None}]
    assert shown["tasks"] == [
        {"id": "dump", "type": "shell", "needs": [], "pool": "far", "labels": ["big", "linux"], "timeout": "PT15M"},
        {"id": "say", "type": "log", "needs": ["dump"], "pool": "default", "labels": [], "timeout": None}]
    assert (shown["source"], shown["applied_by"]) == (yaml, "admin")


def test_validating_stores_nothing(house):
    before = house.contents()
    answer = house.ask("POST", "/v1/flows/validate", data=flow("never", NOOP).encode(), headers=YAML)
    assert (answer.status_code, answer.json()) == (200, {"valid": True, "flow": "default.never", "tasks": 1})
    assert house.contents() == before


def test_lists_go_page_by_page_and_miss_none(house):
    wanted = sorted(f"paged.f{number}" for number in range(25))
    for name in wanted:
        house.apply(flow(name.split(".")[1], NOOP, namespace="paged"))
    found, after, pages = [], None, 0
    while pages == 0 or after:
        page = house.get("/v1/flows?limit=7" + (f"&after={after}" if after else ""))
        assert len(page["items"]) <= 7
        found += [item["flow"] for item in page["items"]]
        after, pages = page["next"], pages + 1
    assert found == sorted(found), "in the order of their names"
    assert len(found) == len(set(found)), "none twice"
    assert [name for name in found if name.startswith("paged.")] == wanted
    assert pages >= 4


def test_a_deleted_flow_starts_nothing_new_and_what_was_accepted_goes_on(busy):
    busy.apply(shell("leaving", "echo went on"))
    hold = busy.enter()
    number = busy.submit("default.leaving")
    assert busy.does("DELETE", "/v1/flows/default.leaving") == {"flow": "default.leaving", "change": "deleted"}
    assert "there is no flow" in busy.refuses(404, "not_found", "POST", "/v1/executions", {"flow": "default.leaving"})
    assert "there is no flow" in busy.refuses(404, "not_found", "GET", "/v1/flows/default.leaving")
    assert "default.leaving" not in [item["flow"] for item in busy.get("/v1/flows")["items"]]
    busy.end(hold["id"])
    assert busy.wait(number)["state"] == "succeeded"
    assert busy.log(number) == b"went on\n"
    assert busy.apply(shell("leaving", "echo again"))["change"] == "created", "and it may come back"
    assert busy.run("default.leaving")["revision"] == 2


def test_an_execution_runs_the_revision_that_it_was_accepted_with(busy):
    busy.apply(shell("moving", "echo old"))
    hold = busy.enter()
    old = busy.submit("default.moving")
    busy.apply(shell("moving", "echo new", "echo newer"))
    new = busy.submit("default.moving")
    busy.end(hold["id"])
    assert (busy.wait(old)["revision"], busy.log(old)) == (1, b"old\n")
    assert (busy.wait(new)["revision"], busy.log(new)) == (2, b"new\nnewer\n")


def test_who_applied_and_deleted_stands_in_the_audit(house):
    house.apply(flow("audited", NOOP))
    house.does("DELETE", "/v1/flows/default.audited")
    rows = house.rows("SELECT account_name, act, subject FROM audit WHERE subject = 'default.audited' ORDER BY id")
    assert rows == [("admin", "flow.apply", "default.audited"), ("admin", "flow.delete", "default.audited")]
