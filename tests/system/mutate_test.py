# SPDX-License-Identifier: MIT
"""The mutation tool: it makes the mistakes that it says, and tells found ones from those that are
not. The sample itself is none of the test run."""
from common import check, quire, takes

import mutants
import mutate

SOURCE = """#include "space.h"
#define LEAST 4u

static uint32_t last;

error_t space_put(struct space *space, uint32_t page, uint32_t rights) {
    const char *text = "0 < 1";  // && 2
    if (page < 3 && rights != 0) {
        return put(space, page);
    }
    last = 0x10;
    drop(space);
    return E_ADDRESS;
}
"""
MISTAKES = {
    "relation": ["    if (page <= 3 && rights != 0) {", "    if (page < 3 && rights == 0) {"],
    "constant": ["    if (page < 4 && rights != 0) {", "    if (page < 2 && rights != 0) {",
                 "    if (page < 3 && rights != 1) {", "    last = 17;", "    last = 15;"],
    "statement": ["    ;", "    ;"],
    "logic": ["    if (page < 3 || rights != 0) {"],
    "check": ["    if (0 && (page < 3 && rights != 0)) {"],
    "arguments": ["        return put(page, space);"],
}


def test_mutate_mistakes():
    """each kind of mistake is made where it can be, not in comments, strings and declarations"""
    made = mutants.of("space.c", SOURCE)
    for kind, lines in MISTAKES.items():
        found = [mutant.apply(SOURCE).split("\n")[mutant.line - 1]
                 for mutant in made if mutant.kind == kind]
        check(found == lines, f"{kind}: {found}")
    check({mutant.kind for mutant in made} == set(MISTAKES), "there are kinds beside these")
    check(all(mutant.apply(SOURCE).count("\n") == SOURCE.count("\n") for mutant in made),
          "a mistake moves the lines behind it")
    jumps = mutants.of("a.asm", "a:      jmp b\n        jne b\n        ret\n")
    check([mutant.line for mutant in jumps] == [2], f"jumps: {jumps}")


def test_mutate_sample():
    """a seed chooses the same mutants again, another one others; kinds take turns"""
    made = mutants.of("space.c", SOURCE)
    check(mutants.sample(made, 6, 1) == mutants.sample(made, 6, 1), "a seed does not repeat")
    check(len({tuple(mutants.sample(made, 6, seed)) for seed in range(9)}) > 1, "seeds change nothing")
    kinds = {mutant.kind for mutant in mutants.sample(made, 6, 1)}
    check(len(kinds) == 6, f"six mutants are of {len(kinds)} kinds only")
    check(len(mutants.sample(made, 99, 1)) == len(made), "not all of them can be had")


def test_mutate_wrong():
    """a source that is none of the kernel's, and a suite that does not exist, are refused"""
    for words, said in ((["--files", "libsys/ipc.h"], "no source of the kernel"),
                        (["--suites", "none"], "no guest suite 'none'"), (["--count", "0"], "range")):
        done = quire("mutate", *words)
        check(done.returncode and said in done.stderr, f"{words}: {done.stderr}")


# Kind, what stands in the line, and the suite that must find it.
PLANTED = [("statement", "task_die(caller->task, CAUSE_FAULT);", "fault"),
           ("relation", "if (count > TAG_ITEMS_MAX ||", "answer"),
           ("jump", "jb reply_slow", "leave"),
           ("logic", "caller->token != token ||", "pass")]


def planted(kind, words):
    """The first mutant of this kind in a line of the kernel that holds these words."""
    for name in mutate.kernel_files():
        text = mutate.read(mutate.in_tree(name))
        for mutant in mutants.of(name, text):
            if mutant.kind == kind and words in text.split("\n")[mutant.line - 1]:
                return mutant
    raise AssertionError(f"the kernel has no line with '{words}' any more: plant another mistake")


@takes(15)
def test_mutate_finds():
    """mistakes in the kernel are found by the suites, refused by the compiler, or no change at all"""
    for kind, words, suite in PLANTED:
        suites = mutate.Suites([suite])
        suites.prepare()
        outcome, found = mutate.Trial(suites, native=False)(planted(kind, words))
        check(outcome == mutate.KILLED and found.startswith(suite), f"{words}: {outcome} {found}")
    suites = mutate.Suites(["pass"])
    suites.prepare()
    trial = mutate.Trial(suites, native=False)
    fault = planted(*PLANTED[0][:2])
    for now, expected in (("}", mutate.REFUSED), (PLANTED[0][1] + ";", mutate.SAME),
                          (";", mutate.SURVIVED)):  # this suite lets no task fault
        outcome, found = trial(mutants.dataclasses.replace(fault, now=now))
        check(outcome == expected, f"'{now}': {outcome} {found}")
