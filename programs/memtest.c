// SPDX-License-Identifier: MIT
// memtest [PAGES [ROUNDS]]: writes a pattern that differs in every word to PAGES pages, and reads
// it back, so often: with PAGES above the frame limit every page leaves memory and must come back
// as it was. Prints one line; the status is 1 if a word was wrong.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE_WORDS 1024u

static uint32_t pattern(uint32_t word, uint32_t round) {
    uint32_t mixed = (word + round * 0x01000193u) * 0x9e3779b1u;
    return mixed ^ mixed >> 15;
}

// A step that is prime to any count of pages visits each page once, in no simple order.
static uint32_t count_wrong(volatile uint32_t *memory, uint32_t pages, uint32_t round) {
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < pages; i++) {
        uint32_t first = (uint32_t)((uint64_t)i * 1000003u % pages) * PAGE_WORDS;
        for (uint32_t word = first; word < first + PAGE_WORDS; word++) {
            wrong += memory[word] != (round == 0 ? 0 : pattern(word, round));
            memory[word] = pattern(word, round + 1);
        }
    }
    return wrong;
}

static uint32_t number(const char *text, uint32_t otherwise) {
    char *end;
    unsigned long value = text != NULL ? strtoul(text, &end, 10) : otherwise;
    return text == NULL || (*end == 0 && value > 0 && value <= 1u << 18) ? (uint32_t)value : 0;
}

int main(int count, char **argument) {
    uint32_t pages = number(count > 1 ? argument[1] : NULL, 1024);
    uint32_t rounds = number(count > 2 ? argument[2] : NULL, 3);
    if (pages == 0 || rounds == 0 || count > 3) {
        fprintf(stderr, "usage: memtest [PAGES [ROUNDS]] (1 to 262144 each)\n");
        return 2;
    }
    uint32_t *memory = calloc(pages, PAGE_WORDS * sizeof *memory);
    if (memory == NULL) {
        fprintf(stderr, "memtest: no memory for %u pages\n", pages);
        return 3;
    }
    uint32_t wrong = 0;
    for (uint32_t round = 0; round <= rounds; round++) {
        wrong += count_wrong(memory, pages, round);
    }
    printf("memtest: %u pages, %u rounds, %u words wrong\n", pages, rounds, wrong);
    return wrong == 0 ? 0 : 1;
}
