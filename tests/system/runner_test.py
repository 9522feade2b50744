# SPDX-License-Identifier: MIT
"""The test framework itself: a check that fails must be seen, whatever the compiler does."""
import os
import tempfile

from common import HERE, check, command

SOURCE = r'''
#include "test.h"
static int seven(int value) { CHECK(value == 7); return value; }
TEST(b_passes, "a check that holds") { CHECK(seven(7)); CHECK_EQUAL(1, 1); CHECK_TEXT("a", "a"); }
TEST(a_fails, "a check in a function fails") { test_case("case 3"); seven(8); CHECK(0); }
TEST(c_numbers, "both numbers are shown") { CHECK_EQUAL(-5 + 2, 1 << 20); }
TEST(c_texts, "the text is shown") { CHECK_TEXT("left\nright", "other"); }
TEST(d_skips, "a skipped test says why") { SKIP("no disk"); CHECK(0); }
TEST(e_case, "the case of the test before is gone") { CHECK(1 > 2); }
'''

WANTED = """TAP version 13
ok 1 - b_passes: a check that holds
not ok 2 - a_fails: a check in a function fails: t.c:3: [case 3] value == 7
not ok 3 - c_numbers: both numbers are shown: t.c:6: -5 + 2 == 1 << 20 (-3, not 1048576)
not ok 4 - c_texts: the text is shown: t.c:7: "left\\nright" is "other" (it is: left right)
ok 5 - d_skips: a skipped test says why # SKIP no disk
not ok 6 - e_case: the case of the test before is gone: t.c:9: 1 > 2
1..6
"""


def build(folder, source, *options):
    with open(os.path.join(folder, "t.c"), "w", encoding="utf-8") as file:
        file.write(source)
    done = command(["gcc", "-std=gnu2x", "-Wall", "-Wextra", "-Wpedantic", "-Werror", *options,
                    "-I", os.path.join(HERE, "tests"), "-o", "t", "t.c",
                    os.path.join(HERE, "tests", "run.c"),
                    os.path.join(HERE, "tests", "host", "main.c")], cwd=folder)
    check(done.returncode == 0, done.stderr)
    return os.path.join(folder, "t")


def test_runner_reports():
    """passes, failures with file and line, skips come in the order of the source, at -O0 and -O2"""
    with tempfile.TemporaryDirectory() as folder:
        for options in ([], ["-O2"], ["-O1", "-fsanitize=address,undefined"]):
            done = command([build(folder, SOURCE, *options)])
            check(done.stdout == WANTED, f"{options}: {done.stdout}{done.stderr}")
            check(done.returncode == 1, f"exit status {done.returncode}")


def test_runner_chooses():
    """a beginning of names chooses tests, --list names them, and no test at all is a failure"""
    with tempfile.TemporaryDirectory() as folder:
        path = build(folder, SOURCE)
        done = command([path, "b_"])
        check(done.stdout == "TAP version 13\nok 1 - b_passes: a check that holds\n1..1\n",
              done.stdout)
        check(done.returncode == 0, f"exit status {done.returncode}")
        names = [line.split("\t")[0] for line in command([path, "--list"]).stdout.splitlines()]
        check(names == ["b_passes", "a_fails", "c_numbers", "c_texts", "d_skips", "e_case"],
              str(names))
        done = command([path, "nothing"])
        check(done.returncode != 0 and "1..0" in done.stdout, done.stdout)
