// SPDX-License-Identifier: MIT
// The ELF note that every guest program carries: the hash of the ABI it was built with. Loaders
// find it by its PT_NOTE segment (abi/image.h) and refuse another hash.
#include "abi_hash.h"
#include "image.h"

struct quire_note {
    struct image_note note;
    char name[8];
    uint32_t hash;
};
_Static_assert(sizeof(struct quire_note) == 24, "no padding inside a note");

__attribute__((section(".note.quire"), used, aligned(4))) static const struct quire_note own = {
    .note = {.name_size = sizeof IMAGE_NOTE_NAME, .size = 4, .type = IMAGE_NOTE_TYPE},
    .name = IMAGE_NOTE_NAME,
    .hash = ABI_HASH,
};
