#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The published tables of the laboratory, made again: `./quire lab reproduce`.

Each table of docs/tables is measured anew and compared byte for byte with what is published. Numbers
of instructions have to be the same only if the versions are (manifest.json), for any change of any
code moves them; how far they moved is said. Rates, which are of a machine, are printed beside the
published ones. --write publishes what was measured: the CSV, the versions, and the same table in the
pages of docs. The exit status is 1 if a table differs or cannot be made.
"""
import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile

import door
import matrix
import vm

LAB = os.path.join(matrix.BUILD, "lab", "quire-lab")
TABLES = os.path.join(matrix.HERE, "docs", "tables")
SOURCES = ("abi", "kernel", "lab", "libc", "libsys", "programs", "servers", "meson.build",
           "cross-i686.txt", "tools/fidelity.py", "tools/matrix.py")
RATES = {"sort": 648, "zipf09": 648}  # frames of each shared trace
MARK = re.compile(r"(<!-- table: ([\w -]+) -->\n\n).*?(<!-- end of table -->)", re.S)


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def csv_of(columns, rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()


def printed(*command):
    """What a command prints; its progress goes through."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{os.path.basename(command[0])} {command[1]} ended with status "
                           f"{done.returncode}")
    return done.stdout


def shared(choice, name):
    path = os.path.join(choice.traces, name)
    if not os.path.exists(path):
        raise RuntimeError(f"there is no {name} in {choice.traces}: name its folder with --traces")
    return path


# ---- how each is measured --------------------------------------------------------------------


def exactness(choice):
    """Our counts and those of an independent implementation, for each trace, size and policy."""
    with open(shared(choice, "oracle.csv"), encoding="utf-8") as file:
        oracle = rows_of(file.read())
    sizes = {}
    for row in oracle:
        sizes.setdefault(row["trace"], set()).add(int(row["frames"]))
    policies = sorted({row["policy"].replace("belady", "min") for row in oracle})
    ours = {}
    for trace, frames in sizes.items():
        text = printed(LAB, "sim", "--policy", ",".join(policies), "--frames",
                       ",".join(map(str, sorted(frames))), shared(choice, f"{trace}.u32.xz"))
        ours |= {(trace, row["frames"], row["policy"]): int(row["misses"]) for row in rows_of(text)}
    rows = []
    for row in oracle:
        policy = row["policy"].replace("belady", "min")
        misses = ours[row["trace"], row["frames"], policy]
        rows.append((row["trace"], row["frames"], policy, misses, row["misses"],
                     misses - int(row["misses"])))
    return csv_of(("trace", "frames", "policy", "misses", "oracle", "difference"), rows)


def rates(choice):
    """References per second, as a ratio to a plain loop in the same run: the medians of three."""
    rows = []
    for trace, frames in RATES.items():
        path = shared(choice, f"{trace}.u32.xz")
        runs = [rows_of(printed(LAB, "rates", frames, path)) for _ in range(3)]
        for several in zip(*runs):
            if several[0]["policy"] != "plain-fifo":
                ratio = sorted(float(row["ratio"]) for row in several)[1]
                rows.append((trace, several[0]["policy"], f"{ratio:.2f}", several[0]["goal"],
                             several[0]["libcachesim"]))
    return csv_of(("trace", "policy", "ratio", "goal", "libcachesim"), rows)


def filters(choice):
    return [word for name in ("policy", "workload") if getattr(choice, name)
            for word in (f"--{name}", getattr(choice, name))] + ["--jobs", choice.jobs]


def matrix_table(choice):
    """Policies, workloads and frames in the guest."""
    return printed(sys.executable, os.path.join(matrix.HERE, "tools", "matrix.py"),
                   *filters(choice), *(["--frames", choice.frames] if choice.frames else []))


def fidelity(choice):
    """What a policy's host sees, and what that costs, in the guest and apart."""
    return printed(sys.executable, os.path.join(matrix.HERE, "tools", "fidelity.py"), "--most", 100,
                   *filters(choice))  # a gap is for people to judge; the same table is what counts here


# name: (how, columns that say which row it is, is it deterministic?)
KINDS = {
    "exactness": (exactness, ("trace", "frames", "policy"), True),
    "rates": (rates, ("trace", "policy"), False),
    "matrix": (matrix_table, ("workload", "percent", "policy"), True),
    "fidelity": (fidelity, ("workload", "frames", "policy"), True),
}

# ---- how each is shown in a page -------------------------------------------------------------


def markdown(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def unique(values):
    return list(dict.fromkeys(values))


def pivot(rows, down, across, corner, cell):
    """A row for each value of the columns `down`, a column for each of `across`."""
    heads = unique(row[across] for row in rows)
    sides = unique(tuple(row[name] for name in down) for row in rows)
    found = {(tuple(row[name] for name in down), row[across]): row for row in rows}
    return markdown((*corner, *(f"`{head}`" if across == "policy" else head for head in heads)),
                    [(*(f"`{name}`" if column == "policy" else name
                        for column, name in zip(down, side)),
                      *(cell(found[side, head]) if (side, head) in found else "" for head in heads))
                     for side in sides])


def show_exactness(rows, _):
    def cell(row):
        return "=" if row["difference"] == "0" else f"{int(row['difference']):+,}"
    return pivot(rows, ("trace", "frames"), "policy", ("trace", "frames"), cell)


def show_rates(rows, _):
    table = pivot(rows, ("policy",), "trace", ("policy",), lambda row: row["ratio"])
    goals = {row["policy"]: (row["goal"], row["libcachesim"]) for row in rows}
    lines = table.splitlines()
    lines[0] += " goal | libCacheSim |"
    lines[1] += "---|---|"
    for number, line in enumerate(lines[2:], 2):
        goal, other = goals[line.split("`")[1]]
        lines[number] += f" {goal if goal and float(goal) > 0 else ''} | {other} |"
    return "\n".join(lines) + "\n"


def show_matrix(rows, percent):
    def cell(row):
        faults, half, worse, worse_half = (
            float(row[name]) for name in ("faults", "faults95", "worse", "worse95"))
        text = f"{faults:,.0f}" + (f" ± {half:,.0f}" if half >= 0.5 else "")
        return f"**{text}**" if worse <= 0.01 * faults or worse <= worse_half else text
    return pivot([row for row in rows if row["percent"] == percent], ("policy",), "workload",
                 ("policy",), cell)


def show_fidelity(rows, part):
    """misses: with every reference / as seen (/ in the guest, if that is another); cost WORKLOAD:
    instructions for each fault."""
    part, _, workload = part.partition(" ")
    if part == "misses":
        def cell(row):
            figures = [row["full"], row["seen"]] + [row["guest"]] * (row["guest"] != row["seen"])
            return " / ".join(f"{int(figure):,}" for figure in figures)
        best = {row["workload"]: f"{int(row['min']):,}" for row in rows}
        return (pivot(rows, ("policy",), "workload", ("policy",), cell)
                + "| MIN | " + " | ".join(best.values()) + " |\n")
    lines = []
    for row in [row for row in rows if row["workload"] == workload]:
        spent = {name.removesuffix("_instructions"): int(row[name]) for name in row
                 if name.endswith("_instructions")}
        spent["all"] = spent["pager"] - spent["trace"]
        lines.append((f"`{row['policy']}`",
                      *(f"{spent[name] / int(row['guest']):,.0f}"
                        for name in ("policy", "checked", "scan", "scan_kernel", "all")),
                      row["read_mib"], row["written_mib"]))
    return markdown(("policy", "itself", "checked", "scans", "kernel for scans", "all", "MiB read",
                     "MiB written"), lines)


SHOW = {"exactness": show_exactness, "rates": show_rates, "matrix": show_matrix,
        "fidelity": show_fidelity}


def published(folder, name):
    try:
        with open(os.path.join(folder, f"{name}.csv"), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def page_shown(text, folder):
    """The page with its tables as the CSV files have them."""
    def table(match):
        name, _, part = match.group(2).partition(" ")
        text = published(folder, name)
        if name not in SHOW or text is None:
            raise RuntimeError(f"a page shows the table '{match.group(2)}', which {folder} has not")
        return match.group(1) + SHOW[name](rows_of(text), part) + "\n" + match.group(3)
    return MARK.sub(table, text)


def pages_show(folder, write):
    """Put the tables into the pages of docs; returns the pages that had others."""
    docs, changed = os.path.join(matrix.HERE, "docs"), []
    for name in sorted(os.listdir(docs)):
        path = os.path.join(docs, name)
        if name.endswith(".md"):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            shown = page_shown(text, folder)
            if shown != text:
                changed.append(f"docs/{name}")
                if write:
                    with open(path, "w", encoding="utf-8") as file:
                        file.write(shown)
    return changed


# ---- versions --------------------------------------------------------------------------------


def sources_digest():
    """Of all that the figures are made from."""
    total = hashlib.sha256()
    listed = subprocess.run(["git", "-C", matrix.HERE, "ls-files", "-z", "--", *SOURCES], check=True,
                            capture_output=True, text=True).stdout.split("\0")
    for name in sorted(filter(None, listed)):
        if not name.endswith(".md"):
            with open(os.path.join(matrix.HERE, name), "rb") as file:
                total.update(f"{name}\0".encode() + hashlib.sha256(file.read()).digest())
    return total.hexdigest()


def versions():
    return {"qemu": matrix.first_line(vm.QEMU, "--version"), "cpu": vm.CPU,
            "guest compiler": matrix.first_line("i686-linux-gnu-gcc", "--version"),
            "host compiler": matrix.first_line("cc", "--version"), "sources": sources_digest()}


def manifest_read(folder):
    try:
        with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def manifest_write(folder, name, now):
    manifest = manifest_read(folder) | {name: now}
    file_write(os.path.join(folder, "manifest.json"),
               json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def file_write(path, text):
    """All or nothing."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=os.path.dirname(path),
                                     delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


# ---- comparing -------------------------------------------------------------------------------


def is_cost(column):
    return column.startswith("pager") or column.endswith("_instructions")


def cost_moved(old, new):
    """By how many percent the numbers of instructions of two tables differ at most."""
    return max((100 * abs(float(row[column]) / float(old[place][column]) - 1)
                for place, row in new.items() for column in row
                if is_cost(column) and not column.endswith("95") and float(old[place][column]) > 0),
               default=0)


def compare(name, before, after, other):
    """One sentence, and whether they are the same as far as they should be. other: what it was made
    with that is not here, in words, or None."""
    _, key, exact = KINDS[name]
    old = {tuple(row[column] for column in key): row for row in rows_of(before)}
    new = {tuple(row[column] for column in key): row for row in rows_of(after)}
    if {row["policy"] for row in new.values()} != {row["policy"] for row in old.values()}:
        for row in (*old.values(), *new.values()):  # worse than the best of which policies?
            row.pop("worse", None)
            row.pop("worse95", None)
    if not exact:
        for place, row in new.items():
            print(f"  {' '.join(place)}: {row['ratio']}, published "
                  f"{old[place]['ratio'] if place in old else 'never'}")
        return f"{name}: {len(new)} rows of this machine stand above", True
    part = "" if new.keys() == old.keys() else f" of the {len(old)} published"
    if all(new[place] == old.get(place) for place in new):
        return f"{name}: {len(new)} rows{part}, the same to the byte", True
    wrong = [place for place in new if place not in old or any(
        new[place][column] != old[place].get(column) for column in new[place]
        if not (other and is_cost(column)))]
    if not wrong:
        return (f"{name}: {len(new)} rows{part}, all counts the same to the byte; instructions moved by "
                f"{cost_moved(old, new):.2f} % at most ({other})"), True
    first, place = wrong[0], " ".join(wrong[0])
    if first not in old:
        return f"{name}: {len(wrong)} of {len(new)} rows differ, the first: {place} is not published", False
    column = [column for column in new[first] if new[first][column] != old[first].get(column)][0]
    return (f"{name}: {len(wrong)} of {len(new)} rows differ, the first: {place}: {column} "
            f"{old[first].get(column)} published, {new[first][column]} now "
            f"({other or 'made with these very versions'})"), False


def other_versions(folder, name):
    """What was other when it was published, in words, or None."""
    before = manifest_read(folder).get(name)
    if before is None:
        return "published without its versions"
    now = versions()
    differ = [what for what in now if now[what] != before.get(what)]
    return ("made with other " + ", ".join(differ)) if differ else None


def one_table(choice, name):
    """True if it is as published, or published now."""
    text = KINDS[name][0](choice)
    before = published(choice.folder, name)
    if choice.write:
        file_write(os.path.join(choice.folder, f"{name}.csv"), text)
        manifest_write(choice.folder, name, versions())
        print(f"{name}: {len(rows_of(text))} rows written", flush=True)
        return True
    if before is None:
        print(f"{name}: it is not published in {choice.folder} (--write publishes it)")
        return False
    sentence, same = compare(name, before, text, other_versions(choice.folder, name))
    print(sentence, flush=True)
    return same


def options():
    parser = door.Parser(prog="./quire lab reproduce", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("table", nargs="*", metavar="TABLE", help=f"of {', '.join(KINDS)} (default: all)")
    add("--write", action="store_true", help="publish what was measured, and show it in docs")
    add("--pages", action="store_true",
        help="measure nothing: only compare the tables in docs' pages (with --write: renew them)")
    add("--folder", default=TABLES, metavar="DIR", help="published tables (default: docs/tables)")
    add("--traces", default=os.path.join(matrix.HERE, "..", "shared", "traces"), metavar="DIR",
        help="shared traces, with oracle.csv (default: ../shared/traces)")
    add("--policy", metavar="P[,P...]", help="matrix and fidelity: only rows of these")
    add("--workload", metavar="W[,W...]", help="matrix and fidelity: only rows of these")
    add("--frames", metavar="N[,N...]", help="matrix: only rows of these percentages")
    add("--jobs", type=door.number(1, 64, "a number of machines"), default=os.cpu_count() or 1,
        help="virtual machines at a time (default: one for each core)")
    choice = parser.parse_args()
    for name in choice.table:
        if name not in KINDS:
            parser.error(f"there is no table '{name}': take {', '.join(KINDS)}")
    if choice.write and (choice.policy or choice.workload or choice.frames):
        if choice.folder == TABLES:
            parser.error("a part of a table is not published in docs: leave out --write, or name a --folder")
    if not os.path.isdir(choice.folder):
        parser.error(f"there is no folder '{choice.folder}'")
    return choice


def main():
    choice = options()
    failed = []
    for name in [] if choice.pages else choice.table or list(KINDS):
        print(f"lab reproduce: measuring {name}", file=sys.stderr, flush=True)
        try:
            if not one_table(choice, name):
                failed.append(name)
        except RuntimeError as problem:
            print(f"{name}: {problem}", flush=True)
            failed.append(name)
    if choice.pages or (choice.write and choice.folder == TABLES):
        for page in pages_show(choice.folder, choice.write):
            print(f"{page}: " + ("renewed" if choice.write else "its tables are not those of "
                                 "docs/tables: ./quire lab reproduce --pages --write renews them"))
            failed += [] if choice.write else [page]
    if failed:
        print(f"lab reproduce: not as published: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(door.guard(main))
