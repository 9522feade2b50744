// SPDX-License-Identifier: MIT
// Sentences about what a call changed: found by comparing two looks, so they cannot say what a
// policy did not do.
#include "step_look.h"

#include <stdarg.h>
#include <string.h>

void step_say(struct step_why *why, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs(why->begun ? "; " : "", why->to);
    vfprintf(why->to, format, arguments);
    va_end(arguments);
    why->begun = true;
}

// Was in memory, or remembered, before and after.
static bool stayed(const struct step_look *before, const struct step_look *after, uint32_t slot) {
    enum checked_state was = before->slot[slot].state, is = after->slot[slot].state;
    return was == is && (is == CHECKED_RESIDENT || is == CHECKED_GHOST);
}

static bool same(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void write_number(FILE *to, const struct step_look *look,
                         const struct policy_number_words *number) {
    fprintf(to, "%u", look->memory[number->at]);
    if (number->fraction && look->memory[number->at + 1] != 0) {
        fprintf(to, ".%02u", (unsigned)((uint64_t)look->memory[number->at + 1] * 100 >> 32));
    }
}

static bool say_numbers(struct step_why *why, const struct step_look *before,
                        const struct step_look *after) {
    bool any = false;
    for (uint32_t n = 0; n < POLICY_NUMBERS; n++) {
        const struct policy_number_words *number = &after->description->number[n];
        if (number->name == NULL ||
            memcmp(&before->memory[number->at], &after->memory[number->at],
                   number->fraction ? 8 : 4) == 0) {
            continue;
        }
        step_say(why, "%s: ", number->name);
        write_number(why->to, before, number);
        fputs(" -> ", why->to);
        write_number(why->to, after, number);
        any = true;
    }
    return any;
}

// "3, 5 were used: their bits are cleared"
static bool say_cleared(struct step_why *why, const struct step_look *before,
                        const struct step_look *after) {
    uint32_t count = 0;
    for (uint32_t i = 1; i < after->slots; i++) {
        if (stayed(before, after, i) && before->slot[i].record.ref && !after->slot[i].record.ref) {
            if (count++ == 0) {
                step_say(why, "%u", after->slot[i].page);
            } else {
                fprintf(why->to, ", %u", after->slot[i].page);
            }
        }
    }
    if (count > 0) {
        fputs(count == 1 ? " was used: its bit is cleared" : " were used: their bits are cleared",
              why->to);
    }
    return count > 0;
}

static bool say_moved(struct step_why *why, const struct step_look *before,
                      const struct step_look *after, uint32_t slot) {
    const char *was = before->slot[slot].place, *is = after->slot[slot].place;
    if (same(was, is) || was == NULL || is == NULL) {
        return false;
    }
    step_say(why, "%u: %s -> %s", after->slot[slot].page, was, is);
    return true;
}

static bool say_renumbered(struct step_why *why, const struct step_look *before,
                           const struct step_look *after, uint32_t slot) {
    uint32_t was = step_page_number(before, slot), is = step_page_number(after, slot);
    if (was == is) {
        return false;
    }
    step_say(why, "%u: %s %u -> %u", after->slot[slot].page, after->description->page.name, was,
             is);
    return true;
}

bool step_say_changes(struct step_why *why, const struct step_look *before,
                      const struct step_look *after, uint32_t except) {
    bool any = say_cleared(why, before, after);
    for (uint32_t i = 1; i < after->slots; i++) {
        if (i != except && stayed(before, after, i)) {
            any |= say_moved(why, before, after, i);
            any |= step_resident(&after->slot[i]) && say_renumbered(why, before, after, i);
        }
    }
    return any | say_numbers(why, before, after);
}

bool step_say_use(struct step_why *why, const struct step_look *before,
                  const struct step_look *after, uint32_t slot, bool ref_used) {
    const struct step_slot *was = &before->slot[slot], *is = &after->slot[slot];
    bool any = say_moved(why, before, after, slot);
    any |= say_renumbered(why, before, after, slot);
    if (!any && is->newest && !was->newest && is->list < POLICY_LISTS) {
        step_say(why, "%u goes to the new end of %s", is->page,
                 after->description->list[is->list].name);
        any = true;
    }
    if (ref_used) {
        step_say(why, was->record.ref ? "its bit is set already" : "its bit is set now");
    }
    return any || ref_used;
}
