// SPDX-License-Identifier: MIT
// The boot line: each wrong option is refused in words that name it and say what it may be.
#include "servers/init/command_line.c"
#include "servers/init/text.c"

#include <stdio.h>
#include <string.h>

#include "random.h"
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
    CHECK(refused("idle=sleep", "idle=sleep", "halt or spin"));
}

TEST(command_values, "values of another shape are refused") {
    CHECK(refused("policy=", "policy=", "NAME one of fifo clock"));
    CHECK(refused("policy=lru2", "policy=lru2", "NAME one of fifo clock"));
    CHECK(refused("policy=fif", "policy=fif", "NAME one of fifo clock"));
    CHECK(refused("policy=fifo,clock", "policy=", "NAME one of fifo clock"));
    CHECK(refused("policy=:p=8", "policy=:p=8", "NAME one of fifo clock"));
    CHECK(refused("policy=ar:p=8", "policy=ar:p=8", "NAME one of fifo clock"));
    char endless[200] = "policy=fifo:";
    memset(endless + strlen(endless), 'x', 150);
    CHECK(refused(endless, "policy=fifo:xxx", "NAME one of fifo clock"));
    CHECK(refused("trace=yes", "trace=yes", "on or off"));
    CHECK(refused("store=tape", "store=tape", "disk, ram"));
    CHECK(refused("store=disk:7", "store=disk:7", "disk, ram"));
    CHECK(refused("store=ram:", "store=ram:", "disk, ram"));
    CHECK(refused("store=ram:0", "store=ram:0", "disk, ram"));
    CHECK(refused("run=", "run=", "program"));
    CHECK(refused("run=,,", "run=,,", "program"));
    CHECK(refused("run=a-name-that-is-longer-than-any-module-may-have", "run=", "program"));
}

TEST(command_programs_wrong, "a program without a name, a policy or frames is refused") {
    CHECK(refused("policy=/lru", "policy=/lru", "NAME one of"));
    CHECK(refused("policy=/", "policy=/", "NAME one of"));
    CHECK(refused("policy=index/best", "policy=index/best", "NAME one of"));
    CHECK(refused("policy=index/lru/lru", "policy=index/lru/lru", "NAME one of"));
    CHECK(refused("policy=index/:p=8", "policy=index/:p=8", "NAME one of"));
    CHECK(refused("policy=a-name-that-is-longer-than-any-module-may-have/lru", "policy=a-", "NAME"));
    CHECK(refused("frames=/64", "frames=/64", "PROGRAM/2048"));
    CHECK(refused("frames=index/", "frames=index/", "PROGRAM/2048"));
    CHECK(refused("frames=index/7", "frames=index/7", "at least 8"));
    CHECK(refused("at=9:policy=/lru", "at=9:policy=/lru", "NAME one of"));
    char text[512] = "";
    for (int i = 0; i < 9; i++) {
        sprintf(text + strlen(text), "policy=index/lru frames=index/%d ", i + 20);
    }
    CHECK(refused(text, "policy=index/lru", "8 times"));
}

TEST(command_programs, "policies and limits of programs are read in the order in which they stand") {
    CHECK(accepted("policy=clock policy=index/arc:p=8 frames=512 frames=index/64 policy=shell/ "
                   "at=9:policy=index/ at=10:policy=index/lru"));
    CHECK(line.policy_count == 3 && strcmp(line.policy[0].text, "clock") == 0);
    CHECK(strcmp(line.policy[1].text, "index/arc:p=8") == 0);
    CHECK(strcmp(line.policy[2].text, "shell/") == 0);
    CHECK(line.frames_count == 2 && line.frames[0].program[0] == 0 && line.frames[0].frames == 512);
    CHECK(strcmp(line.frames[1].program, "index") == 0 && line.frames[1].frames == 64);
    CHECK(strcmp(line.at[0].policy.text, "index/") == 0);
    CHECK(strcmp(line.at[1].policy.text, "index/lru") == 0);
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
    CHECK(line.policy_count == 0 && line.frames_count == 0);
    CHECK(line.trace == 0 && line.at_count == 0);
    CHECK(line.store == STORE_AUTO && line.store_pages == 0 && line.seed == 0);
    CHECK(accepted("/path/with=sign/kernel.elf") && accepted("  \t kernel.elf \n "));
}

TEST(command_all, "all options at once are read, and the last of two counts") {
    CHECK(accepted("build/kernel.elf policy=fifo frames=2048 run=index,words,-n,3 trace=on "
                   "seed=42 at=20000:policy=sieve at=30000:policy=clock store=ram:512 check=256 "
                   "idle=spin "
                   "policy=clock"));
    CHECK(line.policy_count == 2 && strcmp(line.policy[0].text, "fifo") == 0);
    CHECK(strcmp(line.policy[1].text, "clock") == 0);
    CHECK(line.frames_count == 1 && line.frames[0].frames == 2048 && line.trace == 1);
    CHECK(strcmp(line.run.bytes, "index words -n 3") == 0 && line.run.length == 16);
    CHECK(line.seed == 42 && line.store == STORE_RAM && line.store_pages == 512);
    CHECK(line.at_count == 2 && line.at[0].fault == 20000 && line.at[1].fault == 30000);
    CHECK(strcmp(line.at[0].policy.text, "sieve") == 0);
    CHECK(strcmp(line.at[1].policy.text, "clock") == 0);
    CHECK(accepted("policy=s3fifo:small=100:ghost=100:move=254 at=5:policy=arc:p=8"));
    CHECK(strcmp(line.policy[0].text, "s3fifo:small=100:ghost=100:move=254") == 0);
    CHECK(line.at[0].fault == 5 && strcmp(line.at[0].policy.text, "arc:p=8") == 0);
    CHECK(accepted("store=disk") && line.store == STORE_DISK);
    CHECK(accepted("store=ram") && line.store == STORE_RAM && line.store_pages == 0);
    CHECK(accepted("trace=off frames=8") && line.trace == 0 && line.frames[0].frames == 8);
}

// A line put together from pieces that mean something, and from noise.
static void line_make(char *text, size_t size, uint32_t *seed) {
    static const char *const pieces[] = {
        "policy", "frames", "run", "trace", "seed", "at", "store", "check", "=", "=", "=", ":", ",",
        " ", " ", "fifo", "sieve", "on", "ram", "disk", "8", "4294967295", "4294967296", "-1", "/",
        "index", "a-name-that-is-longer-than-any-module-may-have", "\xff", "\t",
        "at=9:policy=fifo"};
    text[0] = 0;
    for (uint32_t n = random_next(seed) % 24; n > 0; n--) {
        const char *piece = pieces[random_next(seed) % (sizeof pieces / sizeof *pieces)];
        if (strlen(text) + strlen(piece) < size) {
            strcat(text, piece);
        }
    }
}

// What the rest of init relies on, of a line that was accepted.
static void line_check(void) {
    CHECK(line.run.length > 0 && line.run.length < TEXT_BYTES);
    CHECK(strlen(line.run.bytes) == line.run.length);
    CHECK(line.frames_count <= COMMAND_RULES_MAX && line.policy_count <= COMMAND_RULES_MAX);
    for (uint32_t i = 0; i < line.frames_count; i++) {
        CHECK(line.frames[i].frames >= COMMAND_FRAMES_MIN);
        CHECK(memchr(line.frames[i].program, 0, NAME_BYTES) != NULL);
    }
    for (uint32_t i = 0; i < line.policy_count; i++) {
        CHECK(memchr(line.policy[i].text, 0, COMMAND_POLICY_BYTES) != NULL);
    }
    CHECK(line.at_count <= COMMAND_AT_MAX && line.trace <= 1);
    for (uint32_t i = 0; i < line.at_count; i++) {
        CHECK(line.at[i].fault > 0 && line.at[i].policy.text[0] != 0);
    }
}

TEST(command_random, "of 200,000 random lines each is refused in words or read into sound values") {
    uint32_t seed = 20250102, good = 0;
    for (uint32_t i = 0; i < 200000; i++) {
        char text[256];
        line_make(text, sizeof text, &seed);
        if (accepted(text)) {
            good++;
            line_check();
        } else {
            CHECK(error.length > 0 && strlen(error.bytes) == error.length);
        }
    }
    CHECK(good > 1000);
}

TEST(text_numbers, "numbers are written in full, texts that are too long are cut and end with 0") {
    field_text text;
    text_clear(&text);
    text_add_number(&text, 0);
    text_add(&text, " ");
    text_add_number(&text, UINT64_MAX);
    text_add(&text, " ");
    text_add_hex(&text, 0x00c0ffee);
    CHECK(strcmp(text.bytes, "0 18446744073709551615 0x00c0ffee") == 0);
    for (int i = 0; i < 100; i++) {
        text_add(&text, "12345");
    }
    CHECK(text.length == TEXT_BYTES - 1 && text.bytes[text.length] == 0);
}

TEST(text_words, "words are split at separators, numbers and names are checked to their end") {
    struct word rest = word_of("  one\ttwo "), head;
    CHECK(word_is(word_next(&rest, " \t"), "one") && word_is(word_next(&rest, " \t"), "two"));
    CHECK(word_next(&rest, " \t").length == 0 && rest.length == 0);
    CHECK(word_is(word_split(word_of("a=b=c"), '=', &head), "b=c") && word_is(head, "a"));
    CHECK(word_split(word_of("abc"), '=', &head).start == NULL && word_is(head, "abc"));
    uint32_t number = 7;
    CHECK(word_number(word_of("4294967295"), &number) && number == UINT32_MAX);
    CHECK(!word_number(word_of("4294967296"), &number) && !word_number(word_of(""), &number));
    char name[NAME_BYTES];
    CHECK(word_name(word_of("a-name-of-exactly-thirty-one-le"), name) && name[31] == 0);
    CHECK(!word_name(word_of("a-name-of-exactly-thirty-two-let"), name));
    CHECK(!word_name(word_of("bell\a"), name));
}
