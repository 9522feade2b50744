# SPDX-License-Identifier: MIT
"""Helper commands for gdb on a running Quire; ./quire debug loads them. They only read memory.

  quire-threads        every thread: task, state, priority, where it is
  quire-waits          who waits for whom: callers, the ports they queue at, the servers they wait for
  quire-tasks          every task: number, rank, state, CPU time
  quire-frames         how many frames of each type, and what each pool owns
  quire-log [LINES]    the end of the kernel's log
  quire-load NAME      symbols of a server or program, e.g. quire-load pager
"""
import glob
import os

import gdb

NAMES = {1: "init", 2: "pager", 3: "block", 4: "console", 5: "tracer"}
BUILD = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "build")


def value(text):
    return gdb.parse_and_eval(text)


def short(enumerator):
    """THREAD_READY -> ready"""
    return str(enumerator).split("_", 1)[-1].lower()


def each(first, link):
    while first != 0:
        yield first
        first = first[link]


def tasks():
    return each(value("task_list"), "next")


def task_name(task):
    badge = int(task["badge"])
    return f"{NAMES.get(badge, 'program')} ({badge})"


def threads():
    for task in tasks():
        yield from each(task["threads"], "task_next")


def place(thing):
    return int(thing - value("objects.table"))


def slot(thing):
    return place(thing["object"])


def state_of(thread):
    return short(thread["state"].cast(gdb.lookup_type("enum thread_state")))


class Command(gdb.Command):
    """A command whose help is its function's docstring."""

    def __init__(self, name, function):
        self.__doc__ = function.__doc__
        self.function = function
        super().__init__(name, gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        self.function(argument)


def show_threads(_):
    """Every thread: object slot, task, state, priority, eip and esp."""
    current = value("current_thread")
    for thread in threads():
        registers = thread["registers"]
        print(f"{'*' if thread == current else ' '} {slot(thread):5} "
              f"{task_name(thread['task']):16} {state_of(thread):10} priority "
              f"{int(thread['priority']):2}  eip {int(registers['eip']):#010x} "
              f"esp {int(registers['esp']):#010x}")


def show_waits(_):
    """Who waits for whom: the port a caller queues at, or the server that has its call."""
    for thread in threads():
        who, state = f"{task_name(thread['task'])} thread {slot(thread)}", state_of(thread)
        label = int(thread["tag"]) & 0xffff
        if state == "sending":
            print(f"{who} queues at port {place(thread['port'])} with label {label:#x}")
        elif state == "waiting":
            print(f"{who} waits for {task_name(thread['served_by'])} to answer label {label:#x}")
        elif state == "receiving":
            port = f"port {place(thread['port'])}" if thread["port"] != 0 else "its event"
            print(f"{who} receives from {port}")


def show_tasks(_):
    """Every task: number, rank, ceiling, state, threads, CPU time in ticks."""
    states = {field.enumval: field.name.removeprefix("TASK_STATE_").lower()
              for field in gdb.lookup_static_symbol("TASK_STATE_NEW").type.fields()}
    for task in tasks():
        print(f"{task_name(task):16} rank {int(task['rank']):2} ceiling {int(task['ceiling']):2} "
              f"{states.get(int(task['state']), '?'):6} {int(task['thread_count'])} threads, "
              f"{int(task['billed'])} ticks billed")


def show_frames(_):
    """Frames of each type and owner; the free ones must agree with the kernel's own count."""
    state = value("frames")
    kinds, owners = {}, {}
    size, count = state["table"].dereference().type.sizeof, int(state["count"])
    memory = gdb.selected_inferior().read_memory(int(state["table"]), size * count).tobytes()
    for place in range(0, size * count, size):
        pool = int.from_bytes(memory[place:place + 2], "little")
        kinds[memory[place + 2]] = kinds.get(memory[place + 2], 0) + 1
        owners[pool] = owners.get(pool, 0) + 1
    kind = gdb.lookup_type("enum frame_type")
    for number, frames in sorted(kinds.items()):
        print(f"{short(gdb.Value(number).cast(kind)):8} {frames:8}")
    print("by pool: " + ", ".join(f"{pool or 'none'}: {frames}"
                                  for pool, frames in sorted(owners.items())))
    print(f"the kernel says: total {int(state['total'])}, free {int(state['free'])}, "
          f"free and low {int(state['free_low'])}")


def show_log(argument):
    """quire-log [LINES]: the end of the kernel's log (default: 20 lines)."""
    size, end = int(value("sizeof('log.c'::ring)")), int(value("'log.c'::ring_end"))
    data = gdb.selected_inferior().read_memory(int(value("&'log.c'::ring")), size).tobytes()
    end %= size
    text = (data[end:] + data[:end]).strip(b"\0").decode("utf-8", "replace")
    print("\n".join(text.splitlines()[-int(argument or 20):]))


def load_symbols(argument):
    """quire-load NAME: add the symbols of a server, program or test, e.g. quire-load pager."""
    for pattern in ("servers/{0}/{0}", "programs/{0}", "tests/*/{0}"):
        for path in glob.glob(os.path.join(BUILD, pattern.format(argument.strip()))):
            gdb.execute(f"add-symbol-file {path}")
            return
    print(f"the build made no '{argument}'; servers, programs and tests have symbols")


gdb.execute("set confirm off")
gdb.execute("set pagination off")
for command_name, function in (("quire-threads", show_threads), ("quire-waits", show_waits),
                               ("quire-tasks", show_tasks), ("quire-frames", show_frames),
                               ("quire-log", show_log), ("quire-load", load_symbols)):
    Command(command_name, function)
print("\n".join((__doc__ or "").splitlines()[2:]))
