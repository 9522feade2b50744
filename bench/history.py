# SPDX-License-Identifier: MIT
"""Figures of before: releases in bench/history, files of --json, git revisions measured anew.

bench/history/releases.jsonl has a line for each release, the oldest first:
    {"version": "0.1.0", "rows": [{"name", "median", "p99", "entries", "cr3_loads", "lines"}, ...]}
"""
import argparse
import dataclasses
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RELEASES = os.path.join(HERE, "bench", "history", "releases.jsonl")


@dataclasses.dataclass
class Figures:
    name: str   # what the column is called
    rows: dict  # {name: median}


def body(found):
    return {"rows": [dataclasses.asdict(row) for row in found.values()]}


def figures(name, text):
    """Figures from the text of a JSON object; raises RuntimeError if it is none of ours."""
    try:
        rows = {row["name"]: row["median"] for row in json.loads(text)["rows"]}
    except (ValueError, KeyError, TypeError):
        raise RuntimeError(f"{name} has no figures: give a file that ./quire bench --json wrote") \
            from None
    if not rows or not all(isinstance(median, int) for median in rows.values()):
        raise RuntimeError(f"{name} has no figures: give a file that ./quire bench --json wrote")
    return Figures(name, rows)


def releases():
    """[(version, line)], the oldest first."""
    with open(RELEASES, encoding="utf-8", errors="replace") as file:
        lines = [line for line in file if line.strip()]
    try:
        return [(str(json.loads(line)["version"]), line) for line in lines]
    except (ValueError, KeyError, TypeError):
        raise RuntimeError(f"{RELEASES} has a line that is no release's figures") from None


def version():
    with open(os.path.join(HERE, "meson.build"), encoding="utf-8") as file:
        return re.search(r"version: '([^']+)'", file.read())[1]


def last_release():
    if not releases():
        raise RuntimeError("bench/history holds no release yet")
    name, line = releases()[-1]
    return figures(name, line)


def from_file(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return figures(os.path.basename(path), file.read())


def from_revision(revision, commit):
    """Build a revision in a folder of its own and measure it."""
    print(f"quire: bench: {revision} is built and measured apart first; this takes a minute or two",
          file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="quire-then-") as folder:
        place = os.path.join(folder, "quire")
        subprocess.run(["git", "clone", "-q", "--shared", "--no-checkout", HERE, place], check=True)
        subprocess.run(["git", "-C", place, "checkout", "-q", commit], check=True)
        done = subprocess.run([os.path.join(place, "quire"), "bench", "--no-install", "--json", "-"],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["it said nothing"]
            raise RuntimeError(f"{revision} cannot be measured: {said[-1]}")
        return figures(revision, done.stdout)


def commit_of(text):
    try:
        done = subprocess.run(["git", "-C", HERE, "rev-parse", "--verify", "--quiet",
                               "--end-of-options", text + "^{commit}"],
                              capture_output=True, text=True)
    except FileNotFoundError:  # a machine that only runs the system need not have it
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def source(text):
    """A parser of what to compare with: returns a function that fetches its figures."""
    if not text:
        return last_release
    if os.path.isfile(text):
        return lambda: from_file(text)
    commit = commit_of(text)
    if commit is None:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no file and no revision: give a file that --json wrote, or a git revision")
    return lambda: from_revision(text, commit)


def check_new():
    """Fails if this version has its line already."""
    if version() in [name for name, _ in releases()]:
        raise RuntimeError(f"bench/history has figures of {version()} already: a release's figures "
                           "stay; count the version in meson.build up first")


def add(found):
    with open(RELEASES, "a", encoding="utf-8") as file:
        file.write(json.dumps({"version": version()} | body(found)) + "\n")
