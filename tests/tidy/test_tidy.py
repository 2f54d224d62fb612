"""Each rule of tools/tidy fires on its bad sample, where it should and nowhere else; a good one passes."""

import pathlib
import re
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
TIDY = HERE.parent.parent / "tools" / "tidy"
SAMPLES = sorted(folder.name for folder in (HERE / "bad").iterdir())


def tidy(root):
    """What tools/tidy finds below root: {(path, line, rule)}."""
    done = subprocess.run([sys.executable, TIDY, root], capture_output=True, text=True, check=False)
    found = {tuple(line.split(": ")[0].rsplit(":", 1)) + (line.split(": ")[1],) for line in done.stdout.splitlines()}
    assert done.stderr == ""
    assert done.returncode == (1 if found else 0)
    return {(path, int(line), rule) for path, line, rule in found}


def marked(root, rule):
    """The lines that a sample marks as bad."""
    return {(file.relative_to(root).as_posix(), number, rule)
            for file in root.rglob("*.[ch]")
            for number, line in enumerate(file.read_text().splitlines(), 1) if "/* bad" in line}


def write(root, path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


@pytest.mark.parametrize("rule", SAMPLES)
def test_a_bad_sample_is_found_where_it_is_marked(rule):
    root = HERE / "bad" / rule
    expected = marked(root, rule)
    assert expected
    assert tidy(root) == expected


def test_a_good_sample_passes():
    assert tidy(HERE / "good") == set()


@pytest.mark.parametrize("lines, found", [(75, set()), (76, {("src/base/long.c", 2, "function")})])
def test_a_function_has_at_most_75_lines(tmp_path, lines, found):
    write(tmp_path, "src/base/long.c", "static void walk(void)\n{\n" + "\tstep();\n" * lines + "}\n")
    assert tidy(tmp_path) == found


@pytest.mark.parametrize("lines, found", [(600, set()), (601, {("src/base/long.h", 600, "file")})])
def test_a_file_has_at_most_600_lines(tmp_path, lines, found):
    write(tmp_path, "src/base/long.h", "int x;\n" * lines)
    assert tidy(tmp_path) == found


@pytest.mark.parametrize("spaces, found", [(108, set()), (109, {("tests/unit/wide.c", 1, "width")})])
def test_a_line_has_at_most_120_columns_and_a_tab_counts_8(tmp_path, spaces, found):
    write(tmp_path, "tests/unit/wide.c", "\t" + " " * spaces + "x++;\n")
    assert tidy(tmp_path) == found


def test_white_space_at_the_end_and_a_missing_end_of_line_are_found(tmp_path):
    write(tmp_path, "docs/page.md", "one \ntwo\nthree")
    assert tidy(tmp_path) == {("docs/page.md", 1, "space"), ("docs/page.md", 3, "space")}


@pytest.mark.parametrize("word", ["TO" "DO", "FIX" "ME"])
def test_what_is_left_undone_is_found(tmp_path, word):
    write(tmp_path, "tools/do", f"#!/bin/sh\n# {word}: the rest\n")
    assert tidy(tmp_path) == {("tools/do", 2, "leftover")}


def test_what_is_built_or_not_text_is_not_looked_at(tmp_path):
    write(tmp_path, "build/gen/x.c", "int x; \n")
    write(tmp_path, "web/node_modules/x/x.js", "x; \n")
    write(tmp_path, "web/picture.png", "x \n")
    assert tidy(tmp_path) == set()


def test_every_rule_that_tidy_names_is_tested_here():
    rules = re.search(r"^Rules: ([a-z, ]+)\.", TIDY.read_text(), re.MULTILINE).group(1).split(", ")
    tested = set(SAMPLES) | {"function", "file", "width", "space", "leftover"}
    assert set(rules) == tested
