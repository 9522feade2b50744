// SPDX-License-Identifier: MIT
// The command seen: replays a run's references to a host that sees what the pager sees of them: a
// fault when a page is missing, and Accessed and Dirty bits when they are scanned, once per eighth of
// the resident pages evicted. An instruction begins again after each fault, so all its pages have to
// be there at once. The difference to `sim`, which shows a policy every reference, is what not seeing
// costs; the difference to the guest is what neither explains. What is a rule of the pager's stands in
// pace.h.
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checked.h"
#include "format.h"
#include "options.h"
#include "pace.h"
#include "sim_trace.h"

#define refuse(...) options_refuse("seen", 2, __VA_ARGS__)

#define PAGES (1u << 20)  // of a 32-bit space
#define FRAMES_MAX PAGES
#define WORD_BITS 64u

static const char usage[] =
    "usage: quire-lab seen --policy P --frames N [--share N] [--whole] [--events]\n"
    "                       [--refused FILE] TRACE...\n"
    "\n"
    "Replays references of 32-bit programs with what the pager would see of them: faults, and\n"
    "Accessed and Dirty bits at each scan. Prints trace,frames,policy,misses,kept,writebacks,scans;\n"
    "kept: victims that stayed, for they had left and come back a moment before.\n"
    "  --policy P   one that `quire-lab policies` lists, perhaps with parameters (arc:p=8)\n"
    "  --frames N   frames that the pages may fill\n"
    "  --share N    bits are read after so many evictions as are a N-th of the resident pages\n"
    "               (default: as the pager does; 0: before each eviction)\n"
    "  --whole      references of the same time are one instruction's, which needs all its pages at\n"
    "               once; not in fewer frames than a limit of the pager's may have\n"
    "  --refused FILE\n"
    "               the pager did not write ahead the first, fifth ... page that the policy wanted to\n"
    "               be: FILE holds 1, 5 ...\n"
    "  --events     print what happens instead, a line each: admit, evict, keep, clean,\n"
    "               refuse, and a page; scan\n";

// ---- the host --------------------------------------------------------------------------------

static struct {
    struct checked checked;
    void *memory;
    uint32_t *slot_of, *ghost_of, *page_of;
    uint64_t accessed[PAGES / WORD_BITS], changed[PAGES / WORD_BITS];
    uint32_t frames, share, since_scan;
    uint32_t misses, writebacks, scans, kept, cleans;
    FILE *refused;
    uint32_t refused_next;  // number of the next time that a page is not written ahead
    struct pace_victims victims;  // pages + 1
} host;

static void bit_set(uint64_t *bits, uint32_t page) {
    bits[page / WORD_BITS] |= UINT64_C(1) << page % WORD_BITS;
}

static bool bit_take(uint64_t *bits, uint32_t page) {
    uint64_t bit = UINT64_C(1) << page % WORD_BITS;
    bool was = (bits[page / WORD_BITS] & bit) != 0;
    bits[page / WORD_BITS] &= ~bit;
    return was;
}

static bool events;

static void event(const char *what, uint32_t page) {
    if (events) {
        printf("%s 0x%x\n", what, page);
    }
}

static void refused_read(void) {
    host.refused_next = 0;
    if (host.refused != NULL && fscanf(host.refused, "%u", &host.refused_next) != 1 &&
        !feof(host.refused)) {
        refuse("--refused: a file of numbers is needed");
    }
}

static void host_start(struct policy_choice choice, uint32_t frames, uint32_t share) {
    uint32_t slots = checked_slots(frames, RESIDENT_SPARE);
    memset(host.accessed, 0, sizeof host.accessed);
    memset(host.changed, 0, sizeof host.changed);
    host.memory = sim_allocate(checked_bytes(slots), 1);
    host.slot_of = sim_allocate(PAGES, sizeof *host.slot_of);
    host.ghost_of = sim_allocate(PAGES, sizeof *host.ghost_of);
    host.page_of = sim_allocate(slots, sizeof *host.page_of);
    host.frames = frames;
    host.share = share;
    host.since_scan = host.misses = host.writebacks = host.scans = host.kept = 0;
    host.victims = (struct pace_victims){0};
    host.cleans = 0;
    if (host.refused != NULL) {
        rewind(host.refused);
    }
    refused_read();
    checked_init(&host.checked, choice, host.memory, slots, frames);
}

// If the policy was wrong, a line says how.
static bool host_wrong(char *line, size_t size) {
    (void)checked_audit(&host.checked);
    return checked_fault_take(&host.checked, line, size);
}

static void host_end(void) {
    free(host.memory);
    free(host.slot_of);
    free(host.ghost_of);
    free(host.page_of);
}

// In order of pages, as page tables are read.
static void scan(void) {
    for (uint32_t word = 0; word < PAGES / WORD_BITS; word++) {
        for (uint64_t bits = host.changed[word]; bits != 0; bits &= bits - 1) {
            uint32_t page = word * WORD_BITS + (uint32_t)__builtin_ctzll(bits);
            host.checked.policy.slot[host.slot_of[page]].dirty = 1;
        }
    }
    for (uint32_t word = 0; word < PAGES / WORD_BITS; word++) {
        for (uint64_t bits = host.accessed[word]; bits != 0; bits &= bits - 1) {
            uint32_t page = word * WORD_BITS + (uint32_t)__builtin_ctzll(bits);
            checked_touch(&host.checked, host.slot_of[page]);
        }
        host.accessed[word] = 0;
    }
    event("scan", 0);
    checked_tick(&host.checked);
    host.scans++;
    host.since_scan = 0;
}

// The page of this slot, no longer resident, stays as if it had come again; the one that came first
// leaves instead.
static uint32_t victim_replace(uint32_t slot) {
    uint32_t page = host.page_of[slot];
    if (checked_state(&host.checked, slot) == CHECKED_GHOST) {
        checked_drop(&host.checked, slot);
    }
    slot = checked_take_new(&host.checked);
    host.slot_of[page] = slot;
    host.page_of[slot] = page;
    checked_admit(&host.checked, slot, POLICY_USED);
    host.kept++;
    event("keep", page);
    slot = host.checked.oldest;
    checked_drop(&host.checked, slot);
    return slot;
}

static void ghosts_forget(void) {
    for (uint32_t slot; (slot = checked_forget(&host.checked)) != POLICY_NONE;) {
        host.ghost_of[host.page_of[slot]] = POLICY_NONE;
    }
}

static void page_leaves(uint32_t slot) {
    uint32_t page = host.page_of[slot];
    event("evict", page);
    host.checked.policy.slot[slot].dirty = 0;
    host.writebacks += bit_take(host.changed, page);
    (void)bit_take(host.accessed, page);
    host.slot_of[page] = POLICY_NONE;
    if (checked_state(&host.checked, slot) == CHECKED_GHOST) {
        host.ghost_of[page] = slot;
    }
}

// The policy takes the page for clean in any case. It is unmapped to be written, or stays as it is.
static void page_clean(uint32_t slot) {
    uint32_t page = host.page_of[slot];
    host.checked.policy.slot[slot].dirty = 0;
    if (++host.cleans == host.refused_next) {
        event("refuse", page);
        refused_read();
        return;
    }
    event("clean", page);
    host.writebacks += bit_take(host.changed, page);
    (void)bit_take(host.accessed, page);
}

static void evict(uint32_t incoming) {
    if (!host.checked.kind->operations->blind &&
        pace_scan_due(&host.since_scan, host.checked.resident, host.share)) {
        scan();
    }
    uint32_t slot;
    while ((slot = checked_victim(&host.checked, incoming)) & POLICY_CLEAN) {
        page_clean(POLICY_SLOT(slot));
    }
    ghosts_forget();
    if (pace_is_chased(&host.victims, host.page_of[slot] + 1) && host.checked.resident > 0) {
        slot = victim_replace(slot);
    }
    page_leaves(slot);
}

static void fault(uint32_t page) {
    host.misses++;
    uint32_t slot = checked_take(&host.checked, host.ghost_of[page]);
    while (host.checked.resident >= host.frames) {
        evict(slot);
    }
    host.slot_of[page] = slot;
    host.ghost_of[page] = POLICY_NONE;
    host.page_of[slot] = page;
    event("admit", page);
    checked_admit(&host.checked, slot, POLICY_USED);
}

// What one instruction uses, in order. It begins again after each fault.
static struct {
    struct use {
        uint32_t page;
        bool write;
    } use[LIMIT_MIN];
    uint32_t count;
    uint64_t time;
} whole;

static void whole_run(void) {
    for (uint32_t i = 0; i < whole.count;) {
        const struct use *use = &whole.use[i];
        if (host.slot_of[use->page] == POLICY_NONE) {
            fault(use->page);
            i = 0;
            continue;
        }
        bit_set(host.accessed, use->page);
        if (use->write) {
            bit_set(host.changed, use->page);
        }
        i++;
    }
    whole.count = 0;
}

static void reference(const struct format_reference *reference, bool is_whole) {
    if (!is_whole || reference->time != whole.time) {
        whole_run();
    }
    if (whole.count == LIMIT_MIN) {
        refuse("an instruction uses more than %u pages: is --whole right for this trace?", LIMIT_MIN);
    }
    whole.use[whole.count++] = (struct use){(uint32_t)reference->page, reference->write};
    whole.time = reference->time;
}

// ---- files -----------------------------------------------------------------------------------

static void replay(const char *path, bool is_whole) {
    enum { PIECE = 4096 };
    static struct format_reference piece[PIECE];
    char error[512];
    struct format_reader *reader = format_open(path, NULL, error, sizeof error);
    if (reader == NULL) {
        refuse("%s", error);
    }
    for (size_t count; (count = format_read(reader, piece, PIECE)) > 0;) {
        for (size_t i = 0; i < count; i++) {
            if (piece[i].page >= PAGES) {
                refuse("'%s' has pages beyond a 32-bit space: replay it with sim", path);
            }
            reference(&piece[i], is_whole);
        }
    }
    whole_run();
    if (format_error(reader) != NULL) {
        refuse("%s", format_error(reader));
    }
    format_close(reader);
}

static uint32_t number(const char *option, const char *text, uint32_t least, uint32_t most) {
    char *end;
    unsigned long value = text == NULL ? 0 : strtoul(text, &end, 10);
    if (text == NULL || text[0] < '0' || text[0] > '9' || *end != 0 || value < least ||
        value > most) {
        refuse("%s needs a number from %u to %u", option, least, most);
    }
    return (uint32_t)value;
}

int seen_main(int count, char **argument) {
    struct policy_choice choice = {0};
    const char *policy = NULL;
    uint32_t frames = 0, share = SCAN_SHARE;
    bool is_whole = false;
    int traces = 0;
    for (int i = 1; i < count; i++) {
        const char *value = i + 1 < count ? argument[i + 1] : NULL;
        if (strcmp(argument[i], "--help") == 0 || strcmp(argument[i], "-h") == 0) {
            fputs(usage, stdout);
            return 0;
        }
        if (strcmp(argument[i], "--policy") == 0 && value != NULL) {
            policy = argument[++i];
        } else if (strcmp(argument[i], "--frames") == 0) {
            frames = number("--frames", value, 1, FRAMES_MAX);
            i++;
        } else if (strcmp(argument[i], "--share") == 0) {
            share = number("--share", value, 0, FRAMES_MAX);
            i++;
        } else if (strcmp(argument[i], "--refused") == 0 && value != NULL) {
            host.refused = fopen(argument[++i], "r");
            if (host.refused == NULL) {
                refuse("cannot open '%s'", argument[i]);
            }
        } else if (strcmp(argument[i], "--whole") == 0) {
            is_whole = true;
        } else if (strcmp(argument[i], "--events") == 0) {
            events = true;
        } else if (argument[i][0] == '-' && argument[i][1] != 0) {
            refuse("unknown option '%s'; see `quire-lab seen --help`", argument[i]);
        } else {
            argument[traces++] = argument[i];
        }
    }
    if (policy == NULL || frames == 0 || traces == 0) {
        refuse("%s is missing; see `quire-lab seen --help`",
               policy == NULL ? "--policy" : frames == 0 ? "--frames" : "a trace");
    }
    const char *problem = policy_choose(&choice, policy, 256);
    if (problem != NULL) {
        refuse("--policy '%s' %s; see `quire-lab policies`", policy, problem);
    }
    if (is_whole && frames < LIMIT_MIN) {
        refuse("--whole needs --frames %u or more: an instruction may need so many", LIMIT_MIN);
    }
    int status = 0;
    for (int i = 0; i < traces; i++) {
        char name[256], line[160];
        host_start(choice, frames, share);
        replay(argument[i], is_whole);
        format_trace_name(argument[i], name, sizeof name);
        if (!events) {
            printf("%s%s,%u,%s,%u,%u,%u,%u\n",
                   i == 0 ? "trace,frames,policy,misses,kept,writebacks,scans\n" : "", name,
                   frames, policy, host.misses, host.kept, host.writebacks, host.scans);
        }
        if (host_wrong(line, sizeof line)) {
            fprintf(stderr, "quire-lab seen: %s, %u frames: %s\n", name, frames, line);
            status = 1;
        }
        host_end();
    }
    return status;
}
