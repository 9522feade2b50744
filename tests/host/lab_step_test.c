// SPDX-License-Identifier: MIT
// The step mode: its text to the letter, its counts against the simulator's, its page's form.
#include <stdlib.h>
#include <string.h>

#include "html.h"
#include "lab.h"
#include "markup.h"
#include "random.h"
#include "sim_replay.h"
#include "step.h"
#include "test.h"

static struct step_reference list[STEP_REFERENCES_MAX];

static uint32_t read_all(const char *text) {
    char error[200];
    int count = step_read(text, list, 0, error, sizeof(error));
    CHECK(count > 0);
    return (uint32_t)count;
}

static struct policy_choice choice_of(const char *name) {
    struct policy_choice choice = {0};
    if (strcmp(name, "min") != 0) {
        CHECK(policy_choose(&choice, name, 32) == NULL);
    }
    return choice;
}

// What `write` makes of a run, to be freed.
static char *written(void (*write)(FILE *to, const struct step_run *run),
                     const struct step_run *run) {
    char *text = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);
    write(to, run);
    fclose(to);
    CHECK_EQUAL(strlen(text), length);
    return text;
}

static void check_text(const char *policy, uint32_t frames, const char *references,
                       const char *wanted) {
    struct step_run run = step_run(choice_of(policy), policy, frames, list, read_all(references));
    char *text = written(step_text, &run);
    CHECK_TEXT(text, wanted);
    free(text);
    step_run_free(&run);
}

// ---- rejections ------------------------------------------------------------------------------

static void check_refused(const char *text, const char *why) {
    char error[200];
    test_case(text);
    CHECK(step_read(text, list, 0, error, sizeof(error)) == -1);
    CHECK(strstr(error, why) != NULL);
    test_case(NULL);
}

TEST(step_read_rejects, "what is no page number is named, and what is too long is refused") {
    check_refused("1,2,x", "'x' is no page number");
    check_refused("-1", "'-1' is no page number");
    check_refused("1 2ww 3", "'2ww' is no page number");
    check_refused("3r", "'3r'");
    check_refused("3 ww", "'3'");
    check_refused("w 3", "'w'");
    check_refused("4294967296", "'4294967296'");
    check_refused("99999999999999999999", "'99999999999999999999'");
    check_refused("1;2", "'1;2'");
    check_refused("1.5", "'1.5'");
    char *text = calloc(STEP_REFERENCES_MAX + 2, 2);
    for (uint32_t i = 0; i <= STEP_REFERENCES_MAX; i++) {
        memcpy(text + 2 * i, "1,", 2);
    }
    check_refused(text, "more than 4096 references");
    free(text);
}

TEST(step_read, "numbers stand between commas and blanks, w marks a write, 0x is hexadecimal") {
    CHECK_EQUAL(read_all("1,2w 0x10\n4294967295,\t,7\r\n"), 5);
    CHECK(list[0].page == 1 && !list[0].write && list[1].page == 2 && list[1].write);
    CHECK(list[2].page == 16 && list[3].page == UINT32_MAX && list[4].page == 7);
    CHECK_EQUAL(read_all("3 w,4\n5\tw"), 3);
    CHECK(list[0].write && !list[1].write && list[2].page == 5 && list[2].write);
    char error[200];
    CHECK_EQUAL(step_read(" , \n", list, 0, error, sizeof(error)), 0);
}

// ---- text ------------------------------------------------------------------------------------

#define BELADY "1,2,3,4,1,2,5,1,2,3,4,5"

TEST(step_belady_anomaly, "FIFO has 9 faults with 3 frames, 10 with 4; MIN has 7 and 6") {
    static const struct {
        const char *policy;
        uint32_t frames, faults;
    } wanted[] = {{"fifo", 3, 9}, {"fifo", 4, 10}, {"min", 3, 7}, {"min", 4, 6}, {"lru", 3, 10},
                  {"lru", 4, 8}};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        struct step_run run = step_run(choice_of(wanted[i].policy), wanted[i].policy,
                                       wanted[i].frames, list, read_all(BELADY));
        CHECK_EQUAL(run.faults, wanted[i].faults);
        step_run_free(&run);
    }
}

TEST(step_text_clock, "the text of CLOCK shows frames, bits, hand, victims and reasons") {
    check_text("clock", 3, "1,2w,3,1,4,2,5",
        "clock, 3 frames, 7 references to 5 pages\n"
        "*: came now, d: dirty, r: reference bit, >: hand, lists: oldest first,\n"
        "next: leaves next if none is used before\n"
        "\n"
        "step  page    result faults  next  f1   f2   f3\n"
        "   1  1       miss        1     -  >1*  .    .\n"
        "      1 comes into a free frame\n"
        "      ring: >1\n"
        "   2  2w      miss        2     -  >1   2d*  .\n"
        "      2 comes into a free frame\n"
        "      ring: >1 2d\n"
        "   3  3       miss        3     1  >1   2d   3*\n"
        "      3 comes into a free frame\n"
        "      ring: >1 2d 3\n"
        "   4  1       hit         3     2  >1r  2d   3\n"
        "      its bit is set now\n"
        "      ring: >1r 2d 3\n"
        "   5  4       miss        4     3  1    4*   >3\n"
        "      1 was used: its bit is cleared; 2 leaves: the hand finds its bit clear; it\n"
        "      is dirty, so it is written out; 4 comes into its frame\n"
        "      ring: 1 4 >3\n"
        "   6  2       miss        5     1  >1   4    2*\n"
        "      3 leaves: the hand finds its bit clear; 2 comes into its frame\n"
        "      ring: >1 4 2\n"
        "   7  5       miss        6     4  5*   >4   2\n"
        "      1 leaves: the hand finds its bit clear; 5 comes into its frame\n"
        "      ring: 5 >4 2\n"
        "\n"
        "6 faults in 7 references (85.7 %)\n");
}

TEST(step_text_arc, "the text of ARC shows its lists, ghosts and the target that they move") {
    check_text("arc", 2, "1,1,2,3,2",
        "arc, 2 frames, 5 references to 3 pages\n"
        "*: came now, d: dirty, (n): ghost, lists: oldest first,\n"
        "next: leaves next if none is used before\n"
        "\n"
        "step  page    result faults  next  f1  f2\n"
        "   1  1       miss        1     -  1*  .\n"
        "      1 comes into a free frame, in T1\n"
        "      T1: 1 | T2: - | B1: - | B2: - | p 0\n"
        "   2  1       hit         1     -  1   .\n"
        "      1: T1 -> T2\n"
        "      T1: - | T2: 1 | B1: - | B2: - | p 0\n"
        "   3  2       miss        2     2  1   2*\n"
        "      2 comes into a free frame, in T1\n"
        "      T1: 2 | T2: 1 | B1: - | B2: - | p 0\n"
        "   4  3       miss        3     3  1   3*\n"
        "      2 leaves: it is the oldest of T1, which is as large as p allows (or T2 is\n"
        "      empty); it stays as a ghost in B1; 3 comes into its frame, in T1\n"
        "      T1: 3 | T2: 1 | B1: (2) | B2: - | p 0\n"
        "   5  2       miss        4     2  2*  3\n"
        "      2 was a ghost in B1; p: 0 -> 1; 1 leaves: it is the oldest of T2, for T1\n"
        "      is smaller than p allows; it stays as a ghost in B2; 2 comes into its\n"
        "      frame, in T2\n"
        "      T1: 3 | T2: 2 | B1: - | B2: (1) | p 1\n"
        "\n"
        "4 faults in 5 references (80.0 %)\n");
}

TEST(step_text_min, "the text of MIN shows the next use of each page") {
    check_text("min", 2, "1,2,3w,1,2",
        "min, 2 frames, 5 references to 3 pages\n"
        "*: came now, d: dirty, =: next use, next: leaves next if none is used before\n"
        "\n"
        "step  page    result faults  next  f1         f2\n"
        "   1  1       miss        1     -  1=4*       .\n"
        "      1 comes into a free frame\n"
        "   2  2       miss        2     2  1=4        2=5*\n"
        "      2 comes into a free frame\n"
        "   3  3w      miss        3     3  1=4        3d=never*\n"
        "      2 leaves: its next use is farthest away, at step 5; 3 comes into its frame\n"
        "   4  1       hit         3     3  1=never    3d=never\n"
        "      nothing changes but the next use\n"
        "   5  2       miss        4     2  1=never    2=never*\n"
        "      3 leaves: it is never used again; it is dirty, so it is written out; 2\n"
        "      comes into its frame\n"
        "\n"
        "4 faults in 5 references (80.0 %)\n");
}

static void check_width(const char *text) {
    while (*text != 0) {
        size_t length = strcspn(text, "\n");
        CHECK(length <= 80);
        CHECK(length == 0 || text[length - 1] != ' ');
        text += length + (text[length] != 0);
    }
}

// ---- all policies ----------------------------------------------------------------------------

static uint32_t random_list(uint32_t *seed, uint32_t count, int writes) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t pages = 1 + random_next(seed) % 24;
        list[i] = (struct step_reference){100 + random_next(seed) % pages,
                                          writes && random_next(seed) % 3 == 0};
    }
    return count;
}

static uint32_t sim_misses(struct policy_choice choice, uint32_t frames, uint32_t count) {
    uint32_t *page = sim_allocate(count, sizeof(*page));
    struct sim_trace trace;
    for (uint32_t i = 0; i < count; i++) {
        page[i] = list[i].page;
    }
    sim_trace_number(&trace, page, count);
    uint32_t misses = choice.kind == NULL
                          ? sim_replay_min(&trace, frames).misses
                          : sim_replay(&trace, choice.kind, frames, NULL, NULL).misses;
    sim_trace_free(&trace);
    return misses;
}

// The page of the reference is where the step says, no page is twice, victims were there.
static void check_frames(const struct step_run *run) {
    for (uint32_t i = 0; i < run->count; i++) {
        const struct step *step = &run->step[i];
        CHECK(step->place < run->frames && step->frame[step->place].there);
        CHECK_EQUAL(step->frame[step->place].page, step->reference.page);
        CHECK(!step->evicted || run->step[i - 1].frame[step->place].page == step->victim);
        CHECK(step->why[0] != 0 && strstr(step->why, "the policy's order") == NULL);
        for (uint32_t n = 0; n < run->frames; n++) {
            for (uint32_t m = 0; m < n; m++) {
                CHECK(!step->frame[n].there || !step->frame[m].there ||
                      step->frame[n].page != step->frame[m].page);
            }
        }
    }
}

static void check_run(const char *name, uint32_t frames, uint32_t count, int writes) {
    struct step_run run = step_run(choice_of(name), name, frames, list, count);
    test_case(name);
    CHECK_TEXT(run.line, "");
    check_frames(&run);
    if (!writes) {
        CHECK_EQUAL(run.faults, sim_misses(choice_of(name), frames, count));
    }
    char *text = written(step_text, &run), *page = written(step_html, &run);
    check_width(text);
    CHECK(markup_check(page) == NULL);
    free(text);
    free(page);
    step_run_free(&run);
    test_case(NULL);
}

TEST(step_all_policies, "under every policy steps are the simulator's, say why, fit 80 columns") {
    uint32_t seed = 4;
    for (uint32_t i = 0; i <= POLICY_COUNT; i++) {
        const char *name = i == POLICY_COUNT ? "min" : policy_kinds[i].name;
        for (uint32_t frames = 1; frames <= 21; frames += 4) {
            check_run(name, frames, random_list(&seed, 120, 0), 0);
            check_run(name, frames, random_list(&seed, 60, 1), 1);
        }
    }
}

TEST(step_descriptions, "every policy has words for its lists or states, and none lies outside") {
    for (uint32_t i = 0; i < POLICY_COUNT; i++) {
        const struct policy_description *words = policy_kinds[i].operations->description;
        test_case(policy_kinds[i].name);
        CHECK(words != NULL);
        CHECK(words->list[0].name != NULL || words->state[0].why != NULL);
        for (uint32_t n = 0; n < POLICY_LISTS; n++) {
            CHECK(words->list[n].oldest < POLICY_MEMORY_WORDS && words->list[n].newer < 4);
        }
        for (uint32_t n = 0; n < POLICY_HANDS; n++) {
            CHECK(words->hand[n].at < POLICY_MEMORY_WORDS);
            CHECK(words->hand[n].none < POLICY_MEMORY_WORDS);
        }
        for (uint32_t n = 0; n < POLICY_NUMBERS; n++) {
            CHECK(words->number[n].at + words->number[n].fraction < POLICY_MEMORY_WORDS);
        }
        CHECK(words->page.at <= POLICY_COUNT_BYTE);
    }
    test_case(NULL);
}

TEST(markup_finds, "the check of markup finds what is not closed, quoted or escaped") {
    static const char *const wrong[] = {"<p>", "<p></b>", "</p>", "<p a=1></p>", "<p a></p>",
                                        "a & b", "<p a=\"<\"></p>", "<br>", "<p", "< p></p>",
                                        "<![CDATA[ <"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        test_case(wrong[i]);
        CHECK(markup_check(wrong[i]) != NULL);
    }
    test_case(NULL);
    CHECK(markup_check("<!DOCTYPE html><p a=\"&lt;\" b-c=\"\">x &amp; y<br/></p>") == NULL);
}

TEST(html_escapes, "names cannot break out of text or data") {
    char *text = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);
    html_text(to, "<a b=\"&\">\x01");
    html_json(to, "</script>\"\\\n&");
    fclose(to);
    CHECK_TEXT(text, "&lt;a b=&quot;&amp;&quot;&gt;?"
                     "\"\\u003c/script\\u003e\\u0022\\u005c\\u000a\\u0026\"");
    free(text);
}
