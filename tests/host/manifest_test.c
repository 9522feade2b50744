// SPDX-License-Identifier: MIT
// The manifest: each wrong line is refused by its number, and the right one is read right.
#include "servers/init/manifest.c"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define TAIL "programs rank=0 ceiling=8 frames=99 each=24\ninit frames=5\n"

static struct manifest manifest;
static field_text error;

static int accepted(const char *text) {
    return manifest_parse(text, (uint32_t)strlen(text), &manifest, &error);
}

static int refused(const char *text, const char *line, const char *advice) {
    return !accepted(text) && strstr(error.bytes, line) != NULL &&
           strstr(error.bytes, advice) != NULL;
}

TEST(manifest_words, "unknown statements, keys and values are refused with their line") {
    CHECK(refused("\n\nstart x\n" TAIL, "line 3", "begins with"));
    CHECK(refused("server a rank=1 frames=2 restart=never size=3\n" TAIL, "line 1", "there are"));
    CHECK(refused("server a rank\n" TAIL, "line 1", "there are"));
    CHECK(refused("server a rank=32 frames=1 restart=never\n", "line 1", "rank="));
    CHECK(refused("server a rank=x frames=1 restart=never\n", "line 1", "rank="));
    CHECK(refused("server a rank=1 rank=2 frames=1 restart=never\n", "line 1", "twice"));
    CHECK(refused("server a rank=1 frames=all restart=never\n", "line 1", "frames="));
    CHECK(refused("server a rank=1 frames=1 restart=often\n", "line 1", "restart="));
    CHECK(refused("server a rank=1 frames=1 restart=never device=tape\n", "line 1", "device="));
    CHECK(refused("#\nprograms rank=0 ceiling=99 frames=1\n", "line 2", "ceiling="));
}

TEST(manifest_incomplete, "missing keys and missing lines are refused") {
    CHECK(refused("server\n", "line 1", "server needs"));
    CHECK(refused("server a rank=1 frames=1\n", "line 1", "server needs"));
    CHECK(refused("server a rank=1 restart=never each=2 frames=1\n", "line 1", "server needs"));
    CHECK(refused("programs rank=0 frames=99\n", "line 1", "programs need"));
    CHECK(refused("programs rank=0 ceiling=8 frames=99\n", "line 1", "programs need"));
    CHECK(refused("programs rank=0 ceiling=8 frames=rest each=24\n", "line 1", "programs need"));
    CHECK(refused("programs rank=0 ceiling=8 frames=99 each=23\n", "line 1", "each="));
    CHECK(refused("programs rank=0 ceiling=8 frames=99 each=100\n", "line 1", "each="));
    CHECK(refused("programs rank=0 ceiling=8 frames=99 each=x\n", "line 1", "each="));
    CHECK(refused("init frames=0\n", "line 1", "init needs"));
    CHECK(refused("init frames=5\n", "", "lacks"));
    CHECK(refused("", "", "lacks"));
    CHECK(refused("# nothing", "", "lacks"));
}

TEST(manifest_ceilings_and_shares, "a ceiling or share that is none is refused, others are kept") {
    static const char *const none[] = {"0", "101", "4294967296", "99999999999999999999", "-1", "x",
                                       "", "1x", "0x10"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        static const char *const lines[] = {
            "server a rank=1 frames=1 restart=never share=%s\n" TAIL,
            "programs rank=0 ceiling=8 frames=99 each=24 share=%s\n", "program a share=%s\n" TAIL};
        for (size_t j = 0; j < sizeof lines / sizeof lines[0]; j++) {
            char text[256];
            snprintf(text, sizeof text, lines[j], none[i]);
            CHECK(refused(text, "line 1", "share= needs a number from 1 to 100"));
        }
    }
    CHECK(refused("program a ceiling=32\n" TAIL, "line 1", "ceiling="));
    CHECK(refused("program a ceiling=x\n" TAIL, "line 1", "ceiling="));
    CHECK(refused("server a rank=9 frames=1 restart=never ceiling=8\n" TAIL, "line 1", "lower"));
    CHECK(refused("program a\n" TAIL, "line 1", "own line"));
    CHECK(refused("program a share=1 rank=2\n" TAIL, "line 1", "own line"));
    CHECK(refused("program\n" TAIL, "line 1", "own line"));
    CHECK(refused("program a share=1\nprogram a ceiling=1\n" TAIL, "line 2", "twice"));
    CHECK(refused("program a share=1 share=2\n" TAIL, "line 1", "twice"));
    CHECK(refused("init frames=5 share=5\n", "line 1", "init needs"));
    char many[512] = "";
    for (char name = 'a'; name < 'j'; name++) {
        sprintf(many + strlen(many), "program %c share=1\n", name);
    }
    CHECK(refused(many, "line 9", "more programs"));
    CHECK(accepted("server a rank=9 frames=1 restart=never ceiling=12 share=100\n"
                   "server b rank=9 frames=1 restart=never\n"
                   "program index share=3\nprogram hello ceiling=0\n" TAIL));
    CHECK(manifest.server[0].cpu.ceiling == 12 && manifest.server[0].cpu.share == 100);
    CHECK(manifest.server[1].cpu.ceiling == 9 && manifest.server[1].cpu.share == SHARE_DEFAULT);
    struct manifest_cpu index = manifest_program_cpu(&manifest, "index");
    struct manifest_cpu hello = manifest_program_cpu(&manifest, "hello");
    struct manifest_cpu other = manifest_program_cpu(&manifest, "other");
    CHECK(index.share == 3 && index.ceiling == 8);
    CHECK(hello.share == SHARE_DEFAULT && hello.ceiling == 0);
    CHECK(other.share == SHARE_DEFAULT && other.ceiling == 8);
}

TEST(manifest_twice, "a server, or the rest of the frames, is given once only") {
    CHECK(refused("server a rank=1 frames=1 restart=never\n"
                  "server a rank=1 frames=1 restart=never\n", "line 2", "twice"));
    CHECK(refused("server a rank=1 frames=rest restart=never\n"
                  "server b rank=1 frames=rest restart=never\n", "line 2", "only one"));
    char text[1024] = "";
    for (char name = 'a'; name < 'j'; name++) {
        sprintf(text + strlen(text), "server %c rank=1 frames=1 restart=never\n", name);
    }
    CHECK(refused(text, "line 9", "more servers"));
}

TEST(manifest_right, "a right manifest is read right, with comments and without a last newline") {
    CHECK(accepted("# all\n  server pager rank=30 frames=rest restart=never # most\n"
                   "server\tblock frames=12 restart=never device=disk rank=28\r\n" TAIL));
    CHECK(manifest.server_count == 2 && manifest.program_rank == 0);
    CHECK(manifest.program_cpu.ceiling == 8 && manifest.program_frames == 99);
    CHECK(manifest.program_each == 24);
    CHECK(manifest.init_frames == 5);
    CHECK(strcmp(manifest.server[0].name, "pager") == 0 && manifest.server[0].rank == 30);
    CHECK(manifest.server[0].frames == MANIFEST_REST && manifest.server[0].device == DEVICE_NONE);
    const struct manifest_server *block = manifest_find(&manifest, "block");
    CHECK(block == &manifest.server[1] && block->frames == 12 && block->device == DEVICE_DISK);
    CHECK(manifest_find(&manifest, "bloc") == NULL);
    CHECK(accepted("init frames=5\nprograms rank=0 ceiling=8 frames=99 each=24"));
}

TEST(manifest_cut, "a manifest cut at any byte is read or refused, and never read past") {
    static const char text[] = "server pager rank=30 frames=rest restart=never # x\n" TAIL;
    for (uint32_t length = 0; length < sizeof text; length++) {
        char *copy = malloc(length + (length == 0));  // the sanitizer watches its end
        memcpy(copy, text, length);
        struct manifest got;
        CHECK(manifest_parse(copy, length, &got, &error) || error.length > 0);
        free(copy);
    }
}
