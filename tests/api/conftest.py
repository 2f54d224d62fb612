"""Houses for the API's tests."""

import pytest

from house import House


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """A house without an agent: nothing in it changes by itself."""
    with House(tmp_path_factory.mktemp("quiet"), agent=False) as house:
        yield house


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """A house with an agent of eight slots."""
    folder = tmp_path_factory.mktemp("busy")
    folder.chmod(0o755)
    with House(folder) as house:
        house.wait_agent()
        yield house


@pytest.fixture
def new_house(tmp_path):
    """Makes houses with settings of their own, and ends them."""
    made = []

    def make(name="house", **settings):
        made.append(House(tmp_path / name, **settings))
        return made[-1]

    yield make
    for house in made:
        house.close()
