# SPDX-License-Identifier: MIT
"""The papers: docs/status.md claims nothing without a test, sources say what they may be used for.

A claim is a row of a table in docs/status.md: the last cell names its tests, each in `backquotes`,
with or without test_ before it.
"""
import os
import re

from common import HERE, check

TEST_FOLDERS = ("tests", "libc", "lab", "kernel", "servers")


def existing_tests():
    """Names of all tests in the sources, TEST(name, ...) and def test_name()."""
    names = set()
    for folder in TEST_FOLDERS:
        for place, _, files in os.walk(os.path.join(HERE, folder)):
            for name in files:
                if not name.endswith((".c", ".h", ".py")):
                    continue
                with open(os.path.join(place, name), encoding="utf-8") as file:
                    text = file.read()
                names |= set(re.findall(r"^TEST\((\w+),", text, re.MULTILINE))
                names |= set(re.findall(r"^def test_(\w+)\(", text, re.MULTILINE))
    return names


def claims(text):
    """Claim and tests of each row of the tables; head and rule lines are left out."""
    lines = text.splitlines() + [""]
    for line, after in zip(lines, lines[1:]):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) > 1 and not is_rule(line) and not is_rule(after):
            yield cells[0], re.findall(r"`(?:test_)?(\w+)`", cells[-1])


def is_rule(line):
    return line.startswith("|") and set(line) <= set("|-: ")


def wrong_claims(text, names):
    rows = list(claims(text))
    wrong = [f"'{claim}' names no test" for claim, tests in rows if not tests]
    return wrong + [f"'{claim}' names {test}, which does not exist"
                    for claim, tests in rows for test in tests if test not in names]


def status_pages():
    """The text of docs/status.md and of the page about the laboratory."""
    text = ""
    for name in ("status.md", "status-lab.md"):
        with open(os.path.join(HERE, "docs", name), encoding="utf-8") as file:
            text += file.read() + "\n"
    return text


def test_status_claims():
    """each claim of the pages of status names tests, and they exist"""
    text = status_pages()
    check(len(list(claims(text))) > 10, "docs/status.md has hardly a claim")
    wrong = wrong_claims(text, existing_tests())
    check(not wrong, "; ".join(wrong))


def test_status_check_can_fail():
    """a claim without a test, or with one that is not there, is found"""
    head = "| claim | test |\n|---|---|\n"
    check(wrong_claims(head + "| a | `x` |\n", {"x"}) == [], "a right claim was refused")
    check(len(wrong_claims(head + "| a | `x`, `y` |\n", {"x"})) == 1, "a missing test passed")
    check(len(wrong_claims(head + "| a | none |\n", {"x"})) == 1, "a claim without test passed")


def test_boot_options_documented():
    """docs/boot.md has a line for each option of the boot line, and for no other"""
    with open(os.path.join(HERE, "servers", "init", "command_line.c"), encoding="utf-8") as file:
        table = file.read().split("options[] = {")[1].split("};")[0]
    with open(os.path.join(HERE, "docs", "boot.md"), encoding="utf-8") as file:
        rows = [line for line in file.read().splitlines() if line.startswith("| `")]
    known = set(re.findall(r'\{"(\w+)"', table))
    named = {re.match(r"\| `(\w+)=", line).group(1) for line in rows}
    check(named == known, f"they differ in {sorted(named ^ known)}")


def test_sources_have_license():
    """every source file begins with an SPDX line"""
    wrong = []
    for place, folders, names in os.walk(HERE):
        folders[:] = [name for name in folders if name not in ("build", ".git", "__pycache__")]
        for name in names:
            path = os.path.join(place, name)
            if name.endswith((".c", ".h", ".def", ".asm", ".ld", ".py", ".sh", ".cfg", "meson.build")
                             ) or name in ("quire", "manifest", "cross-i686.txt"):
                with open(path, encoding="utf-8") as file:
                    if "SPDX-License-Identifier: MIT" not in file.read(400):
                        wrong.append(os.path.relpath(path, HERE))
    check(not wrong, "no SPDX line: " + ", ".join(wrong))
