// SPDX-License-Identifier: MIT
// The boot line: each wrong option is refused in words that name it and say what it may be.
#include "servers/init/command_line.c"
#include "servers/init/text.c"

#include <stdio.h>
#include <string.h>

#include "test.h"

static struct command_line line;
static field_text error;

static int accepted(const char *text) {
    return command_line_parse(text, &line, &error);
}

// Refused, with both in its sentence?
static int refused(const char *text, const char *option, const char *advice) {
    return !accepted(text) && strstr(error.bytes, option) != NULL &&
           strstr(error.bytes, advice) != NULL && error.length == strlen(error.bytes);
}

TEST(command_unknown, "an unknown option is named, with all there are") {
    CHECK(refused("kernel.elf frame=9", "frame=9", "frames="));
    CHECK(refused("/boot/kernel policy=fifo quiet", "quiet", "no such option"));
    CHECK(refused("policy=fifo =3", "=3", "no such option"));
    CHECK(refused("policy", "", "") == 0);  // taken for the kernel's path
    CHECK(refused("kernel policy", "policy", "one of fifo"));
}

TEST(command_numbers, "what is no number, too small or too large is refused") {
    CHECK(refused("frames=many", "frames=many", "number"));
    CHECK(refused("frames=7", "frames=7", "at least 8"));
    CHECK(refused("frames=", "frames=", "number"));
    CHECK(refused("frames=-9", "frames=-9", "number"));
    CHECK(refused("frames=12x", "frames=12x", "number"));
    CHECK(refused("frames=4294967296", "frames=", "number"));
    CHECK(refused("frames=99999999999999999999999999", "frames=", "number"));
    CHECK(refused("seed=0x10", "seed=0x10", "number"));
    CHECK(refused("check=on", "check=on", "number"));
}

TEST(command_values, "values of another shape are refused") {
    CHECK(refused("policy=", "policy=", "one of fifo clock"));
    CHECK(refused("policy=lru2", "policy=lru2", "one of fifo clock"));
    CHECK(refused("policy=fif", "policy=fif", "one of fifo clock"));
    CHECK(refused("policy=fifo,clock", "policy=", "one of fifo clock"));
    CHECK(refused("trace=yes", "trace=yes", "on or off"));
    CHECK(refused("store=tape", "store=tape", "disk, ram"));
    CHECK(refused("store=disk:7", "store=disk:7", "disk, ram"));
    CHECK(refused("store=ram:", "store=ram:", "disk, ram"));
    CHECK(refused("store=ram:0", "store=ram:0", "disk, ram"));
    CHECK(refused("run=", "run=", "program"));
    CHECK(refused("run=,,", "run=,,", "program"));
    CHECK(refused("run=a-name-that-is-longer-than-any-module-may-have", "run=", "program"));
}

TEST(command_at_wrong, "at= without a fault, an action or a policy is refused") {
    static const char *const wrong[] = {"at=", "at=9", "at=9:", "at=9:policy", "at=9:policy=",
                                        "at=:policy=fifo", "at=0:policy=fifo", "at=x:policy=fifo",
                                        "at=9:frames=12", "at=9:=fifo",
                                        "at=9:policy=best"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK(refused(wrong[i], wrong[i], "NUMBER:policy=NAME"));
    }
    char text[512] = "";
    for (int i = 0; i < 9; i++) {
        sprintf(text + strlen(text), "at=%d:policy=fifo ", i + 1);
    }
    CHECK(refused(text, "at=9", "8 times"));
}

TEST(command_long, "a very long option is cut in the sentence, and nothing is overwritten") {
    char text[512];
    memset(text, 'x', sizeof text);
    text[1] = '=';
    text[sizeof text - 1] = 0;
    CHECK(refused(text, "x=xxxx", "no such option"));
    CHECK(error.length < TEXT_BYTES);
    memcpy(text, "run=p,", 6);
    CHECK(refused(text, "run=p,", "program"));
}

TEST(command_defaults, "an empty line runs the shell, and leaves the rest to the system") {
    CHECK(accepted(""));
    CHECK(strcmp(line.run.bytes, "shell") == 0 && line.run.length == 5);
    CHECK(line.policy[0] == 0 && line.frames == 0 && line.trace == 0 && line.at_count == 0);
    CHECK(line.store == STORE_AUTO && line.store_pages == 0 && line.seed == 0);
    CHECK(accepted("/path/with=sign/kernel.elf") && accepted("  \t kernel.elf \n "));
}

TEST(command_all, "all options at once are read, and the last of two counts") {
    CHECK(accepted("build/kernel.elf policy=fifo frames=2048 run=index,words,-n,3 trace=on "
                   "seed=42 at=20000:policy=sieve at=30000:policy=clock store=ram:512 check=256 "
                   "policy=clock"));
    CHECK(strcmp(line.policy, "clock") == 0 && line.frames == 2048 && line.trace == 1);
    CHECK(strcmp(line.run.bytes, "index words -n 3") == 0 && line.run.length == 16);
    CHECK(line.seed == 42 && line.store == STORE_RAM && line.store_pages == 512);
    CHECK(line.at_count == 2 && line.at[0].fault == 20000 && line.at[1].fault == 30000);
    CHECK(strcmp(line.at[0].policy, "sieve") == 0 && strcmp(line.at[1].policy, "clock") == 0);
    CHECK(accepted("store=disk") && line.store == STORE_DISK);
    CHECK(accepted("store=ram") && line.store == STORE_RAM && line.store_pages == 0);
    CHECK(accepted("trace=off frames=8") && line.trace == 0 && line.frames == 8);
}
