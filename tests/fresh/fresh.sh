#!/bin/sh
# SPDX-License-Identifier: MIT
# Does the project work on a bare machine? Makes a minimal Debian 12 in a folder, copies only the
# project and its neighbour ../shared into it, and runs the front door's commands there, each in a
# machine of its own. Prints the seconds that each took. Not part of ./quire test: it downloads
# some 150 MB for each command. Needs root and debootstrap; the mirror is the one that apt uses.
#
#   tests/fresh/fresh.sh FOLDER [COMMAND...]        (default: demo test)
#
# The exit status is 0 only if every command's was. FOLDER/base is kept for the next time.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
[ $# -ge 1 ] || { sed -n '3,11s/^# \{0,1\}//p' "$0"; exit 2; }
[ "$(id -u)" = 0 ] || { echo "fresh.sh: chroot needs root" >&2; exit 2; }
command -v debootstrap > /dev/null || { echo "fresh.sh: install debootstrap" >&2; exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- demo test

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
if [ ! -e "$folder/base/.complete" ]; then
    rm -rf "$folder/base"
    debootstrap --variant=minbase bookworm "$folder/base" "$mirror" > "$folder/debootstrap.log"
    touch "$folder/base/.complete"
fi

root=
release() {
    if [ -n "$root" ]; then
        for place in proc dev/pts dev; do
            umount "$root/$place" 2> /dev/null || true
        done
    fi
}
trap release EXIT

# What git would hand over, committed or not; nothing that was built.
copy_project() {
    mkdir -p "$root/project/main"
    (cd "$here" && git ls-files -z --cached --others --exclude-standard |
        tar -c --null -T - -f -) | tar -x -C "$root/project/main" -f -
    [ ! -d "$here/../shared" ] || cp -a "$here/../shared" "$root/project/shared"
}

result=0
for command in "$@"; do
    root="$folder/$command"
    release  # what an interrupted run left mounted must not be removed
    rm -rf --one-file-system "$root"
    cp -a "$folder/base" "$root"
    copy_project
    mount -t proc proc "$root/proc"
    mount --bind /dev "$root/dev"
    mount --bind /dev/pts "$root/dev/pts"
    echo "fresh.sh: ./quire $command" >&2
    begin=$(date +%s)
    status=0
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
        sh -c "cd /project/main && ./quire $command" < /dev/null > "$folder/$command.log" 2>&1 ||
        status=$?
    seconds=$(($(date +%s) - begin))
    begin=$(date +%s)
    again=0
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
        sh -c "cd /project/main && ./quire $command" < /dev/null > "$folder/$command-2.log" 2>&1 ||
        again=$?
    release
    echo "./quire $command: $seconds s, exit status $status;" \
        "second run: $(($(date +%s) - begin)) s, exit status $again ($folder/$command.log)"
    [ "$status" = 0 ] && [ "$again" = 0 ] || result=1
done
exit "$result"
