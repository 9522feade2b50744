// SPDX-License-Identifier: MIT
// Words for people: what the lists, states, hands and numbers of a policy are called and where
// they lie, so that `quire-lab step` can show them. Constant data that no host of a policy reads
// while it pages; a policy without it works as well, and is shown by its order alone.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define POLICY_LISTS 4u
#define POLICY_HANDS 3u
#define POLICY_NUMBERS 3u
#define POLICY_STATES 5u

// A list of slots. `why` ends the sentence "page 7 leaves: ..." for a victim found in it.
struct policy_list_words {
    const char *name, *why;  // name NULL: no more lists
    uint8_t oldest;          // the word of `memory` that names its oldest slot; the newest follows
    uint8_t newer;           // the word of a record that leads to the next newer slot
};

// What a page is, told by a byte of its record instead of the list it is in.
struct policy_state_words {
    const char *name, *why;  // name NULL: nothing to show; why NULL as well: no more states
    uint8_t value;
};

// A hand points to a slot.
struct policy_hand_words {
    const char *name;  // its first letter marks the page; NULL: no more hands
    uint8_t at;        // the word of `memory` that names the slot
    uint8_t none;      // the word that does if that one is POLICY_NONE
};

// A number of the policy's (`at`: word of `memory`) or of each page's (word of its record).
struct policy_number_words {
    const char *name;   // NULL: there is none
    uint8_t at;         // POLICY_COUNT_BYTE: the record's `count`
    uint8_t fraction;   // 1: the next word holds 32 bits behind the point
};
#define POLICY_COUNT_BYTE 4u

enum policy_state_in { POLICY_IN_LIST, POLICY_IN_STATE, POLICY_IN_COUNT };

struct policy_description {
    struct policy_list_words list[POLICY_LISTS];
    enum policy_state_in state_in;  // which of these tells what a page is
    struct policy_state_words state[POLICY_STATES];
    struct policy_hand_words hand[POLICY_HANDS];
    struct policy_number_words number[POLICY_NUMBERS], page;
};

// In the guest nobody shows them: the words stay on the host, and the pager is as small as without.
#if __STDC_HOSTED__
#define POLICY_DESCRIBED(description) (&(description))
#else
#define POLICY_DESCRIBED(description) (sizeof(description) > 0 ? NULL : NULL)
#endif

// The place of a member of the policy's memory, in words.
#define POLICY_WORD(type, member) (uint8_t)(offsetof(type, member) / sizeof(uint32_t))

// A list linked by words 0 and 1 of the records, as list.h does.
#define POLICY_LIST(type, member, list_name, list_why)                              \
    {.name = list_name, .why = list_why, .oldest = POLICY_WORD(type, member), .newer = 1}
