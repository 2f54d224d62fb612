"""Crash rounds, as crash.py plays them, by a seed of their own; every place in the source has its turn."""

import pytest

from crash import FIVE, Crashes, kill_points

SEED, ROUNDS = "lull", 40


@pytest.fixture(scope="module")
def crashes(tmp_path_factory):
    return Crashes(SEED, ROUNDS, tmp_path_factory.mktemp("crash")).play()


@pytest.mark.parametrize("house", range(ROUNDS // FIVE))
def test_nothing_is_lost_doubled_or_let_through(crashes, house):
    assert house not in crashes.problems, crashes.problems[house]


def test_every_place_is_passed(crashes):
    passed, _ = crashes.places()
    assert passed == set(kill_points())


def test_rounds_are_deadly(crashes):
    _, deadly = crashes.places()
    assert crashes.deaths > 2 * ROUNDS
    assert len(deadly) > len(kill_points()) * 2 // 3, sorted(set(kill_points()) - deadly)
