# SPDX-License-Identifier: MIT
"""What ./quire installs, and when it does not. A fake apt-get, sudo and dpkg write down how they
were called; QUIRE_ROOT makes the front door look for files in a folder of ours."""
import os
import re
import tempfile

from common import HERE, check, quire

FAKE = """#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
case "$(basename "$0") $*" in
sudo*) while [ "$1" = -n ]; do shift; done; exec "$@" ;;
"apt-get -q update") exit "${UPDATE_STATUS:-0}" ;;
apt-get*install*)
    for file in $CREATES; do mkdir -p "$QUIRE_ROOT$(dirname "$file")"; : > "$QUIRE_ROOT$file"; done ;;
"id -u") echo "${USER_ID:-0}" ;;
esac
"""


def files():
    """Every file that the front door looks for, from its own table."""
    with open(os.path.join(HERE, "quire"), encoding="utf-8") as file:
        return re.findall(r"^[a-z0-9:.-]+ (/usr/[^\s\"]+)\"?$", file.read(), re.MULTILINE)


class World:
    """A machine without any package, whose apt-get installs everything unless told otherwise."""

    def __init__(self, folder, creates=None, **environment):
        self.calls = os.path.join(folder, "calls")
        binaries = os.path.join(folder, "bin")
        os.makedirs(binaries)
        for name in ("apt-get", "sudo", "dpkg", "id"):
            path = os.path.join(binaries, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(FAKE)
            os.chmod(path, 0o755)
        creates = files() if creates is None else creates
        self.environment = {**os.environ, "PATH": binaries + ":/usr/bin:/bin",
                            "CALLS": self.calls, "QUIRE_ROOT": os.path.join(folder, "root"),
                            "CREATES": " ".join(creates), **environment}

    def quire(self, *arguments):
        return quire(*arguments, env=self.environment)

    def called(self):
        if not os.path.exists(self.calls):
            return []
        with open(self.calls, encoding="utf-8") as file:
            return [line.strip() for line in file if not line.startswith("id ")]


def in_world(test):
    """Give the test a function that makes worlds."""
    def run():
        with tempfile.TemporaryDirectory(prefix="quire-setup-") as folder:
            return test(lambda **options: World(tempfile.mkdtemp(dir=folder), **options))
    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@in_world
def test_setup_no_install(world):
    """--no-install calls neither apt-get nor sudo, names what is missing and fails"""
    for name in ("demo", "test", "run"):
        here = world()
        done = here.quire(name, "--no-install")
        check(done.returncode == 2, f"{name}: exit status {done.returncode}")
        check(here.called() == [], f"{name} called {here.called()}")
        check("gcc-i686-linux-gnu" in done.stderr and "musl-dev:i386" in done.stderr, done.stderr)
        check(len(done.stderr.splitlines()) == 1, f"more than one line: {done.stderr}")


@in_world
def test_setup_print(world):
    """setup --print lists the missing packages and does nothing else"""
    here = world()
    done = here.quire("setup", "--print")
    check(done.returncode == 0 and here.called() == [], f"{done.returncode} {here.called()}")
    check("qemu-system-x86" in done.stdout.split(), done.stdout)
    check("multilib" not in done.stdout, "gcc-multilib would remove the cross compiler")


@in_world
def test_setup_order(world):
    """setup says what it will install before it calls apt-get, and installs just that"""
    here = world()
    done = here.quire("setup")
    check(done.returncode == 0, done.stderr)
    calls = here.called()
    check(calls[0] == "dpkg --print-foreign-architectures", str(calls))
    check(calls[1:3] == ["dpkg --add-architecture i386", "apt-get -q update"], str(calls))
    check(len(calls) == 4 and "--no-install-recommends" in calls[3], str(calls))
    announced = re.search(r"will install with apt-get: (.*)", done.stderr).group(1)
    check(calls[3].endswith(announced), f"announced {announced}, called {calls[3]}")


@in_world
def test_setup_update_fails(world):
    """an apt-get update that fails in part is a warning, not the end"""
    done = world(UPDATE_STATUS="100").quire("setup")
    check(done.returncode == 0 and "warning" in done.stderr, done.stderr)


@in_world
def test_setup_still_missing(world):
    """a package that apt-get did not bring is named"""
    done = world(creates=[path for path in files() if "nasm" not in path]).quire("setup")
    check(done.returncode == 2 and "nasm" in done.stderr.splitlines()[-1], done.stderr)


@in_world
def test_setup_sudo(world):
    """a user who is not root gets sudo, without a terminal one that cannot ask"""
    here = world(USER_ID="1000")
    done = here.quire("setup")
    check(done.returncode == 0, done.stderr)
    asked = [call for call in here.called() if call.startswith("sudo")]
    check(asked and all(call.startswith("sudo -n ") for call in asked), str(here.called()))


@in_world
def test_setup_twice(world):
    """with everything there, setup calls nothing"""
    here = world()
    here.quire("setup")
    os.remove(here.calls)
    done = here.quire("setup")
    check(done.returncode == 0 and here.called() == [], f"{done.stderr} {here.called()}")
