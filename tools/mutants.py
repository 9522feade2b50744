# SPDX-License-Identifier: MIT
"""Small mistakes that could be made in a source of the kernel, found by its text. Builds nothing.

    for mutant in mutants.of("kernel/frame.c", text):
        mutant.kind, mutant.line      what was done, and where (lines count from 1)
        mutant.apply(text)            the source with the mistake; it has as many lines

Kinds, of C: relation (< for <=, == for !=), constant (one more or less), statement (a call or an
assignment is gone), logic (&& for ||), check (an `if` is never true), arguments (two are swapped).
Of assembly: jump (a conditional jump is gone). Text that a compiler refuses is counted as such.
"""
import dataclasses
import random
import re

RELATIONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
LOGIC = {"&&": "||", "||": "&&"}
BLANK = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
NAME_OF_TYPE = r"(?:const |static |struct |enum |volatile |extern |return|typedef |goto |case )"
PLACE = r"[A-Za-z_*][\w.>\[\]()+*-]*"
KINDS = {
    "relation": re.compile(r"(?<=\s)(<=|>=|==|!=|<|>)(?=\s)"),
    "constant": re.compile(r"(?<![\w.\"])(0x[0-9a-fA-F]+|[0-9]+)(?=u?(?:ll)?\b)(?!\.)"),
    "statement": re.compile(rf"^ +(?!{NAME_OF_TYPE})((?:{PLACE} [-+|&^]?= [^;]*|{PLACE}\([^;{{}}]*\)"
                            rf"|{PLACE}(?:\+\+|--));)", re.MULTILINE),
    "logic": re.compile(r"(&&|\|\|)"),
    "check": re.compile(r"\bif \(([^\n;]*)\) \{$", re.MULTILINE),
    "arguments": re.compile(r"\b\w+\((\w[\w.>-]*), (\w[\w.>-]*)(?=[,)])"),
}
JUMP = re.compile(r"^\s+j(?!mp)[a-z]+\s+\w+", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Mutant:
    file: str    # relative to the project's folder
    line: int
    kind: str
    begin: int   # where it stands in the text
    end: int
    now: str     # what stands there instead

    def apply(self, text):
        return text[:self.begin] + self.now + text[self.end:]


def _blanked(match):
    return re.sub(r"[^\n]", " ", match[0])


def _readable(text):
    """The text without comments, strings and preprocessor lines, every character in its place."""
    return re.sub(r"^#[^\n]*(?:\\\n[^\n]*)*", _blanked, BLANK.sub(_blanked, text), flags=re.MULTILINE)


def _instead(kind, match):
    """Begin, end and the new text of each mistake of a kind at a match."""
    begin, end = match.span(1)
    if kind in ("relation", "logic"):
        yield begin, end, (RELATIONS | LOGIC)[match[1]]
    elif kind == "constant":
        value = int(match[1], 0) if match[1] == "0" or match[1][:2] == "0x" else int(match[1])
        yield begin, end, str(value + 1)
        if value > 0:
            yield begin, end, str(value - 1)
    elif kind == "statement":
        yield begin, end, ";" + "\n" * match[1].count("\n")
    elif kind == "check":
        yield begin, end, f"0 && ({match[1]})"
    elif match[1] != match[2]:
        yield begin, match.end(2), f"{match[2]}, {match[1]}"


def _of_c(text):
    code = _readable(text)
    body = re.search(r"\)\s*\{$", code, re.MULTILINE)  # declarations before it are left alone
    for kind, pattern in KINDS.items():
        for match in pattern.finditer(code, body.start() if body else len(code)):
            before = code[code.rfind("\n", 0, match.start()) + 1:match.start(1)]
            if kind == "arguments" and not before.startswith(" "):
                continue  # parameters of a definition
            for change in _instead(kind, match):
                yield kind, *change


def _of_assembly(text):
    for match in JUMP.finditer(text):
        yield "jump", match.start(), match.end(), ""


def of(file, text):
    """All mutants of a source."""
    found = (_of_assembly if file.endswith(".asm") else _of_c)(text)
    return [Mutant(file, text.count("\n", 0, begin) + 1, kind, begin, end, now)
            for kind, begin, end, now in found]


def sample(mutants, count, seed):
    """So many of them, as the seed says: of each kind in turn, while there are any."""
    dice = random.Random(seed)
    kinds = {}
    for mutant in mutants:
        kinds.setdefault(mutant.kind, []).append(mutant)
    for some in kinds.values():
        dice.shuffle(some)
    chosen = []
    while len(chosen) < count and any(kinds.values()):
        for some in kinds.values():
            if some and len(chosen) < count:
                chosen.append(some.pop())
    return chosen
