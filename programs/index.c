// SPDX-License-Identifier: MIT
// index [WORDFILE [LOOKUPS [SEED [ROUNDS]]]]: the workload. Builds an index over a list of words
// (a hash table of allocated nodes), sorts it by bytes, and looks words up whose frequencies follow
// Zipf's law, in too little memory if the frame limit says so. It is plain C.
//
// Every line it prints but the last can be computed by sort, cksum and awk: the generator is the
// "minimal standard" one of Park and Miller, and all arithmetic is on integers below 2^53.
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOP 10u
#define WEIGHT_FIRST (1u << 24)      // weight of the most frequent word; the k-th has 1/k of it
#define STEP 48271u                  // a prime: spreads the ranks over the lines
#define DIGEST_MODULUS 1000000007u

struct word {
    struct word *next;  // in its bucket
    uint32_t line;      // first line it stands on, from 1
    uint32_t hits;
    char text[];
};

// First four bytes, in an integer that compares as they do.
struct entry {
    uint32_t prefix;
    struct word *word;
};

static struct {
    const char *name;
    FILE *file;
    uint32_t lines, bytes, distinct;
    uint32_t node_bytes;
    uint32_t *offset;        // where each line begins in the file
    struct word **bucket;
    uint32_t bucket_count;   // a power of two
    struct entry *sorted;
    uint32_t *total;         // total[k]: weights of the ranks 0 .. k together
    uint32_t random;
} catalog;

__attribute__((noreturn)) static void fail(const char *what, const char *why) {
    fprintf(stderr, "index: %s: %s\n", what, why);
    exit(1);
}

static void *room(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (memory == NULL) {
        fail("out of memory", "raise the limit of frames or the size of the swap disk");
    }
    return memory;
}

// ---- building --------------------------------------------------------------------------------

static struct word **bucket_of(const char *text) {
    uint32_t hash = 2166136261u;  // FNV-1a
    for (; *text != 0; text++) {
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    }
    return &catalog.bucket[(hash ^ hash >> 15) & (catalog.bucket_count - 1)];
}

static struct word *word_find(const char *text) {
    struct word *word = *bucket_of(text);
    while (word != NULL && strcmp(word->text, text) != 0) {
        word = word->next;
    }
    return word;
}

static uint32_t prefix_of(const char *text) {
    uint32_t prefix = 0;
    for (uint32_t i = 0; i < 4; i++) {
        prefix = prefix << 8 | (unsigned char)*text;
        text += *text != 0;
    }
    return prefix;
}

static void word_add(const char *text, size_t length, uint32_t line) {
    if (word_find(text) != NULL) {
        return;
    }
    struct word **bucket = bucket_of(text);
    struct word *word = room(1, sizeof *word + length + 1);
    word->next = *bucket;
    word->line = line;
    memcpy(word->text, text, length + 1);
    *bucket = word;
    catalog.sorted[catalog.distinct++] = (struct entry){prefix_of(text), word};
    catalog.node_bytes += (uint32_t)malloc_usable_size(word);
}

static void lines_count(void) {
    int byte, last = '\n';
    catalog.file = fopen(catalog.name, "r");
    if (catalog.file == NULL) {
        fail(catalog.name, strerror(errno));
    }
    while ((byte = getc(catalog.file)) != EOF) {
        catalog.bytes++;
        catalog.lines += byte == '\n';
        last = byte;
        if (byte == 0) {
            fail(catalog.name, "holds a zero byte: not a list of words");
        }
    }
    catalog.lines += last != '\n';
    if (catalog.lines == 0) {
        fail(catalog.name, "holds no words");
    }
}

static void lines_read(void) {
    char *line = NULL;
    size_t size = 0;
    uint32_t at = 0;
    rewind(catalog.file);
    for (uint32_t i = 0; i < catalog.lines; i++) {
        ssize_t length = getline(&line, &size, catalog.file);
        if (length < 0) {
            fail(catalog.name, "changed while it was read");
        }
        catalog.offset[i] = at;
        at += (uint32_t)length;
        length -= line[length - 1] == '\n';
        line[length] = 0;
        word_add(line, (size_t)length, i + 1);
    }
    free(line);
}

// ---- sorting ---------------------------------------------------------------------------------

static int compare_prefix(const void *a, const void *b) {
    uint32_t left = ((const struct entry *)a)->prefix, right = ((const struct entry *)b)->prefix;
    return (left > right) - (left < right);
}

static int compare_text(const void *a, const void *b) {
    return strcmp(((const struct entry *)a)->word->text, ((const struct entry *)b)->word->text);
}

// By prefix first, which touches the array alone; then each group of one prefix by its texts.
static void index_sort(void) {
    uint32_t count = catalog.distinct;
    qsort(catalog.sorted, count, sizeof *catalog.sorted, compare_prefix);
    for (uint32_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count; end++) {
            if (catalog.sorted[end].prefix != catalog.sorted[first].prefix) {
                break;
            }
        }
        qsort(catalog.sorted + first, end - first, sizeof *catalog.sorted, compare_text);
    }
}

static uint32_t crc_byte(uint32_t crc, uint32_t byte) {
    static uint32_t table[256];
    if (table[1] == 0) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t value = i << 24;
            for (int bit = 0; bit < 8; bit++) {
                value = value << 1 ^ (value >> 31) * 0x04c11db7u;
            }
            table[i] = value;
        }
    }
    return crc << 8 ^ table[crc >> 24 ^ byte];
}

// The checksum that POSIX defines for cksum, over the sorted words, one a line.
static void checksum_print(void) {
    uint32_t crc = 0, bytes = 0;
    for (uint32_t i = 0; i < catalog.distinct; i++) {
        for (const char *at = catalog.sorted[i].word->text; *at != 0; at++, bytes++) {
            crc = crc_byte(crc, (unsigned char)*at);
        }
        crc = crc_byte(crc, '\n');
        bytes++;
    }
    for (uint32_t left = bytes; left != 0; left >>= 8) {
        crc = crc_byte(crc, left & 0xff);
    }
    printf("index: sorted %u words, cksum %u %u\n", catalog.distinct, ~crc, bytes);
}

// ---- looking up ------------------------------------------------------------------------------

static uint32_t random_next(void) {
    catalog.random = (uint32_t)((uint64_t)catalog.random * 16807u % 2147483647u);
    return catalog.random;
}

static void weights_fill(void) {
    uint32_t total = 0;
    for (uint32_t rank = 0; rank < catalog.lines; rank++) {
        total += WEIGHT_FIRST / (rank + 1);
        catalog.total[rank] = total;
    }
}

// The first rank whose total exceeds a random number below the sum of all.
static uint32_t rank_next(void) {
    uint32_t wanted = random_next() % catalog.total[catalog.lines - 1];
    uint32_t low = 0, high = catalog.lines - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (catalog.total[middle] > wanted) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

// From 1; 0: it is not there.
static uint32_t position_find(const char *text) {
    uint32_t prefix = prefix_of(text), low = 0, high = catalog.distinct;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        const struct entry *entry = &catalog.sorted[middle];
        int order = (prefix > entry->prefix) - (prefix < entry->prefix);
        order = order != 0 ? order : strcmp(text, entry->word->text);
        if (order == 0) {
            return middle + 1;
        }
        low = order > 0 ? middle + 1 : low;
        high = order > 0 ? high : middle;
    }
    return 0;
}

// Fetches the word from the file, as any client of an index would come with a text of its own.
static void lookup(uint32_t line, uint64_t *digest) {
    static char *text;
    static size_t size;
    if (fseek(catalog.file, (long)catalog.offset[line], SEEK_SET) != 0 ||
        getline(&text, &size, catalog.file) < 0) {
        fail(catalog.name, strerror(errno));
    }
    text[strcspn(text, "\n")] = 0;
    struct word *word = word_find(text);
    uint32_t position = position_find(text);
    if (word == NULL || position == 0) {
        fail(text, "is not in the index any more: memory was damaged");
    }
    word->hits++;
    *digest = (*digest * 31 + (uint64_t)word->line * 7 + position) % DIGEST_MODULUS;
}

static void round_run(uint32_t round, uint32_t lookups, uint32_t seed) {
    uint64_t digest = 0;
    for (uint32_t i = 0; i < lookups; i++) {
        lookup((uint32_t)(((uint64_t)rank_next() * STEP + seed) % catalog.lines), &digest);
    }
    printf("index: round %u, %u lookups, digest %u\n", round, lookups, (uint32_t)digest);
}

// ---- results ---------------------------------------------------------------------------------

// The words looked up most, by number, then by bytes.
static void top_print(void) {
    const struct word *top[TOP] = {0};
    for (uint32_t i = 0; i < catalog.distinct; i++) {
        const struct word *word = catalog.sorted[i].word;
        uint32_t place = TOP;
        while (place > 0 && (top[place - 1] == NULL || top[place - 1]->hits < word->hits)) {
            place--;
        }
        if (place < TOP) {
            memmove(top + place + 1, top + place, (TOP - 1 - place) * sizeof *top);
            top[place] = word;
        }
    }
    for (uint32_t i = 0; i < TOP && top[i] != NULL && top[i]->hits > 0; i++) {
        printf("index: top %u: %u %s\n", i + 1, top[i]->hits, top[i]->text);
    }
}

static void memory_print(void) {
    uint32_t arrays = catalog.lines * 2 * (uint32_t)sizeof(uint32_t) +
                      catalog.bucket_count * (uint32_t)sizeof *catalog.bucket +
                      catalog.lines * (uint32_t)sizeof *catalog.sorted;
    printf("index: working set %u pages: file %u, nodes %u, arrays %u\n",
           (catalog.bytes + catalog.node_bytes + arrays) / 4096, catalog.bytes / 4096,
           catalog.node_bytes / 4096, arrays / 4096);
}

static uint32_t number(const char *text, uint32_t most) {
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != 0 || errno != 0 || value == 0 || value > most) {
        fprintf(stderr, "index: %s is no number from 1 to %u\n"
                        "usage: index [WORDFILE [LOOKUPS [SEED [ROUNDS]]]]\n", text, most);
        exit(2);
    }
    return (uint32_t)value;
}

int main(int count, char **argument) {
    uint32_t lookups = count > 2 ? number(argument[2], 100000000) : 20000;
    uint32_t seed = count > 3 ? number(argument[3], 2147483646) : 1;
    uint32_t rounds = count > 4 ? number(argument[4], 1000000) : 1;
    catalog.name = count > 1 ? argument[1] : "words";
    catalog.random = seed;
    lines_count();
    printf("index: read %u lines, %u bytes\n", catalog.lines, catalog.bytes);
    catalog.bucket_count = 1;
    while (catalog.bucket_count < catalog.lines) {
        catalog.bucket_count *= 2;
    }
    catalog.offset = room(catalog.lines, sizeof *catalog.offset);
    catalog.bucket = room(catalog.bucket_count, sizeof *catalog.bucket);
    catalog.sorted = room(catalog.lines, sizeof *catalog.sorted);
    catalog.total = room(catalog.lines, sizeof *catalog.total);
    lines_read();
    index_sort();
    checksum_print();
    weights_fill();
    for (uint32_t round = 1; round <= rounds; round++) {
        round_run(round, lookups, seed);
    }
    top_print();
    memory_print();
    return 0;
}
