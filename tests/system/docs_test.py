# SPDX-License-Identifier: MIT
"""The shape of the papers: links lead somewhere, pages are short and say why, all are named."""
import glob
import os
import re

from common import HERE, check, quire

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def papers():
    return sorted(glob.glob(os.path.join(HERE, "*.md")) +
                  glob.glob(os.path.join(HERE, "docs", "**", "*.md"), recursive=True))


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def test_docs_links():
    """every link of the papers to a file leads to one that is there"""
    broken = []
    for path in papers():
        for target in LINK.findall(re.sub(r"```.*?```", "", read(path), flags=re.DOTALL)):
            place = os.path.normpath(os.path.join(os.path.dirname(path), target))
            if "://" not in target and not os.path.exists(place):
                broken.append(f"{os.path.relpath(path, HERE)} -> {target}")
    check(not broken, "; ".join(broken))


def test_docs_shape():
    """a page has less than 200 lines and says why it is this and not something else"""
    wrong = []
    for path in papers():
        name, text = os.path.relpath(path, HERE), read(path)
        if len(text.splitlines()) >= 200:
            wrong.append(f"{name} has {len(text.splitlines())} lines")
        concept = name.startswith("docs" + os.sep) and name.count(os.sep) == 1
        status = name.startswith(os.path.join("docs", "status"))
        if concept and not status and "## Why this and not" not in text:
            wrong.append(f"{name} does not say why")
        if name.count(os.sep) == 2 and not all(re.search(rf"\*\*{part}\*\*", text) for part in (
                "Summary.", "What was (found|measured).", "Alternatives.", "Consequences.")):
            wrong.append(f"{name} is no decision record")
    check(not wrong, "; ".join(wrong))


def test_docs_complete():
    """the README names every folder and the overview every page of docs"""
    readme, overview = read(os.path.join(HERE, "README.md")), read(
        os.path.join(HERE, "docs", "overview.md"))
    folders = [name for name in sorted(os.listdir(HERE)) if name != "build" and
               os.path.isdir(os.path.join(HERE, name)) and not name.startswith(".")]
    folders += [f"servers/{name}" for name in sorted(os.listdir(os.path.join(HERE, "servers")))
                if os.path.isdir(os.path.join(HERE, "servers", name))]
    missing = [name for name in folders if f"]({name}" not in readme and name != "servers"]
    pages = [os.path.basename(path) for path in papers() if os.path.dirname(path).endswith("docs")]
    missing += [name for name in pages if name != "overview.md" and f"]({name})" not in overview]
    check(not missing, "not named: " + ", ".join(missing))


def test_docs_tables():
    """the tables in the pages are those of docs/tables"""
    done = quire("lab", "reproduce", "--pages")
    check(done.returncode == 0 and not done.stdout, done.stdout + done.stderr)


def test_docs_shell_commands():
    """the shell's page names every command of its table, and no other"""
    source = read(os.path.join(HERE, "programs", "shell.c"))
    commands = set(re.findall(r'\{"(\w+)"', source.split("commands[] = {")[1].split("};")[0]))
    page = read(os.path.join(HERE, "docs", "shell.md")).split("## Commands")[1].split("## Keys")[0]
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named = set(re.findall(r"`([a-z]+)", " ".join(rows)))
    check(named == commands, f"they differ in {sorted(named ^ commands)}")


def test_docs_front_commands():
    """every ./quire command that the README and CONTRIBUTING show exists"""
    known = set(re.findall(r"\./quire (\w+)", quire("help").stdout))
    shown = set()
    for path in papers():
        shown |= set(re.findall(r"\./quire ([a-z]+)", read(path)))
    check(shown <= known, f"unknown: {sorted(shown - known)}")
