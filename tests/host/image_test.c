// SPDX-License-Identifier: MIT
// abi/image.h: every way in which a program file can be wrong is refused with its own words, a
// right one is read right, and no damaged file gets past the invariants that loaders rely on.
#include "image.h"

#include <string.h>

#include "random.h"
#include "test.h"

#define FILE_BYTES 8192u
#define READABLE 4096u

// A small program: text at 0x400000, data at 0x402000 with a tail of zeros, and the Quire note.
struct sample {
    union {
        struct {
            struct image_elf_header elf;
            struct image_program_header header[4];
            struct {
                struct image_note note;
                char name[8];
                uint32_t hash;
            } note;
        };
        char bytes[FILE_BYTES];
        uint32_t words[FILE_BYTES / 4];
    };
};
enum { TEXT, DATA, NOTE, SPARE };

static void sample_fill(struct sample *s) {
    memset(s, 0, sizeof *s);
    s->elf = (struct image_elf_header){
        .ident = {0x7f, 'E', 'L', 'F', 1, 1, 1}, .type = 2, .machine = 3, .version = 1,
        .entry = 0x400200, .header_offset = offsetof(struct sample, header), .size = 52,
        .header_size = 32, .header_count = 4};
    s->header[TEXT] = (struct image_program_header){1, 0, 0x400000, 0, 0x300, 0x300, 5, 4096};
    s->header[DATA] = (struct image_program_header){1, 0x1010, 0x402010, 0, 0x100, 0x2000, 6, 4096};
    uint32_t at = offsetof(struct sample, note);
    s->header[NOTE] = (struct image_program_header){4, at, 0x400000 + at, 0, 24, 24, 4, 4};
    s->header[SPARE].type = 0x6474e551;  // PT_GNU_STACK: of no interest
    s->note.note = (struct image_note){6, 4, 1};
    memcpy(s->note.name, "Quire\0\0", 8);
    s->note.hash = 0xabcd1234;
}

static const char *parse(const struct sample *s, struct image *image) {
    return image_parse(s, READABLE, FILE_BYTES, image);
}

// Does parsing fail with these words?
static int refused(const struct sample *s, const char *words) {
    struct image image;
    const char *wrong = parse(s, &image);
    return wrong != NULL && strstr(wrong, words) != NULL;
}

TEST(image_no_elf, "what is no ELF file for the i386 is refused") {
    struct sample s;
    struct image image;
    sample_fill(&s);
    CHECK(image_parse(&s, 51, 51, &image) != NULL);
    CHECK(image_parse(&s, READABLE, 0, &image) != NULL);
    s.elf.ident[0] = '#';
    CHECK(refused(&s, "not an ELF file"));
    sample_fill(&s);
    s.elf.ident[4] = 2;
    CHECK(refused(&s, "32-bit"));
    sample_fill(&s);
    s.elf.machine = 62;
    CHECK(refused(&s, "i386"));
    sample_fill(&s);
    s.elf.type = 3;
    CHECK(refused(&s, "-no-pie"));
    sample_fill(&s);
    s.header[SPARE].type = 3;
    CHECK(refused(&s, "dynamically linked"));
}

TEST(image_bad_headers, "program headers that are missing, odd or cut off are refused") {
    struct sample s;
    struct image image;
    sample_fill(&s);
    s.elf.header_count = 0;
    CHECK(refused(&s, "no program headers"));
    s.elf.header_count = IMAGE_HEADERS_MAX + 1;
    CHECK(refused(&s, "too many"));
    sample_fill(&s);
    s.elf.header_size = 33;
    CHECK(refused(&s, "unknown shape"));
    sample_fill(&s);
    s.elf.header_offset++;
    CHECK(refused(&s, "unknown shape"));
    s.elf.header_offset = 0xfffffff0;
    CHECK(refused(&s, "truncated"));
    s.elf.header_offset = READABLE - 64;
    CHECK(refused(&s, "first page"));
    sample_fill(&s);
    CHECK(strstr(image_parse(&s, READABLE, 60, &image), "truncated") != NULL);
}

TEST(image_truncated, "a file shorter than its segments is refused at every length") {
    struct sample s;
    struct image image;
    sample_fill(&s);
    for (uint32_t length = 0; length < 0x1110; length++) {
        CHECK(image_parse(&s, READABLE, length, &image) != NULL);
    }
    CHECK(image_parse(&s, READABLE, 0x1110, &image) == NULL);
}

TEST(image_bad_segments, "segments that wrap, leave user space or say W and X are refused") {
    struct sample s;
    sample_fill(&s);
    s.header[DATA].memory_size = 0xff;
    CHECK(refused(&s, "longer in the file"));
    s.header[DATA].memory_size = 0xfff00000;
    CHECK(refused(&s, "wraps"));
    s.header[DATA].memory_size = 0xb0000000 - 0x402010 + 1;
    CHECK(refused(&s, "outside"));
    s.header[DATA].memory_size--;
    CHECK(parse(&s, &(struct image){0}) == NULL);
    s.header[DATA].address = 0xc0000010;
    s.header[DATA].memory_size = 0x100;
    CHECK(refused(&s, "outside"));
    s.header[DATA].address = 0xfffff010;
    CHECK(refused(&s, "outside"));
    s.header[DATA].address = 0x0000f010;
    CHECK(refused(&s, "outside"));
    sample_fill(&s);
    s.header[DATA].address += 4;
    CHECK(refused(&s, "modulo"));
    sample_fill(&s);
    s.header[TEXT].flags = 7;
    CHECK(refused(&s, "both writable and executable"));
    sample_fill(&s);
    s.header[DATA].offset = 0xfffff010;
    CHECK(refused(&s, "truncated"));
}

TEST(image_empty_segment, "a segment of no bytes is left out, wherever it claims to lie") {
    struct sample s;
    struct image image;
    sample_fill(&s);
    s.header[DATA] = (struct image_program_header){.type = 1, .flags = 6};
    CHECK(parse(&s, &image) == NULL && image.segment_count == 1);
    s.header[DATA].file_size = 1;
    CHECK(refused(&s, "longer in the file"));
}

TEST(image_overlap, "two segments in one page are refused, whatever their order") {
    struct sample s;
    sample_fill(&s);
    s.header[DATA].address = 0x400010;
    s.header[DATA].memory_size = 0x200;
    s.header[DATA].file_size = 0x100;
    CHECK(refused(&s, "share a page"));
    s.header[DATA].address = 0x3ff010;
    s.header[DATA].memory_size = 0x1000;
    CHECK(refused(&s, "share a page"));
    s.header[DATA].memory_size = 0xff0;
    CHECK(parse(&s, &(struct image){0}) == NULL);
}

TEST(image_bad_entry, "an entry outside the bytes of an executable segment is refused") {
    struct sample s;
    sample_fill(&s);
    s.elf.entry = 0x402010;
    CHECK(refused(&s, "entry"));
    s.elf.entry = 0x400300;
    CHECK(refused(&s, "entry"));
    s.elf.entry = 0x3fffff;
    CHECK(refused(&s, "entry"));
    sample_fill(&s);
    s.header[TEXT].type = s.header[DATA].type = 0;
    CHECK(refused(&s, "no segment"));
}

TEST(image_too_many, "more segments than a program may have are refused") {
    struct sample s;
    sample_fill(&s);
    s.elf.header_count = IMAGE_SEGMENTS_MAX + 1;
    struct image_program_header *header = s.header;
    for (uint32_t i = 0; i <= IMAGE_SEGMENTS_MAX; i++) {
        header[i] = (struct image_program_header){1, 0, 0x400000 + i * 4096, 0, 0x300, 0x300,
                                                  5, 4096};
    }
    CHECK(refused(&s, "more segments"));
    s.elf.header_count--;
    CHECK(parse(&s, &(struct image){0}) == NULL);
}

TEST(image_right, "a right program is read right") {
    struct sample s;
    struct image image;
    sample_fill(&s);
    CHECK(parse(&s, &image) == NULL);
    CHECK(image.entry == 0x400200 && image.segment_count == 2);
    CHECK(image.segment[0].rights == (MAP_READ | MAP_EXECUTE));
    CHECK(image.segment[1].rights == (MAP_READ | MAP_WRITE));
    CHECK(image.segment[1].address == 0x402010 && image.segment[1].file_offset == 0x1010);
    CHECK(image.segment[1].file_size == 0x100 && image.segment[1].memory_size == 0x2000);
    CHECK(image.headers == 0x400034 && image.header_count == 4);
    s.elf.header_offset = 0x800;  // in the file, but in no segment
    memcpy(s.bytes + 0x800, s.header, sizeof s.header);
    CHECK(parse(&s, &image) == NULL);
    CHECK(image.headers == 0 && image.header_count == 0);
}

TEST(image_note, "the hash is found behind other notes, and nowhere else") {
    struct sample s;
    struct image image;
    sample_fill(&s);
    CHECK(parse(&s, &image) == NULL && image.abi_hash == 0xabcd1234);
    s.note.note.type = 2;
    CHECK(parse(&s, &image) == NULL && image.abi_hash == 0);
    sample_fill(&s);
    s.note.name[0] = 'q';
    CHECK(parse(&s, &image) == NULL && image.abi_hash == 0);
    sample_fill(&s);
    s.header[NOTE].file_size = 20;  // cut in its last word
    CHECK(parse(&s, &image) == NULL && image.abi_hash == 0);
    s.header[NOTE] = (struct image_program_header){4, 0x1100, 0, 0, 16, 16, 4, 4};
    CHECK(parse(&s, &image) == NULL && image.abi_hash == 0);
    sample_fill(&s);
    memmove(s.bytes + 0x320, &s.note, 24);  // behind a GNU note of 5 bytes
    memcpy(s.bytes + 0x300, (uint32_t[]){4, 5, 3, 0x554e47, 0, 0}, 24);
    memmove(s.bytes + 0x318, s.bytes + 0x320, 24);
    s.header[NOTE] = (struct image_program_header){4, 0x300, 0, 0, 48, 48, 4, 4};
    CHECK(parse(&s, &image) == NULL && image.abi_hash == 0xabcd1234);
}

// The invariants of struct image, said once more in 64-bit arithmetic.
static int image_is_sound(const struct image *image, uint64_t length) {
    int entered = 0;
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct image_segment *a = &image->segment[i];
        uint64_t end = (uint64_t)a->address + a->memory_size;
        if (a->address < LAYOUT_USER_FIRST || end > LAYOUT_MAP_END || a->memory_size == 0 ||
            a->file_size > a->memory_size || (uint64_t)a->file_offset + a->file_size > length ||
            (a->address ^ a->file_offset) % 4096 != 0 ||
            (a->rights & (MAP_WRITE | MAP_EXECUTE)) == (MAP_WRITE | MAP_EXECUTE)) {
            return 0;
        }
        for (uint32_t j = 0; j < i; j++) {
            const struct image_segment *b = &image->segment[j];
            if (a->address / 4096 <= ((uint64_t)b->address + b->memory_size - 1) / 4096 &&
                b->address / 4096 <= (end - 1) / 4096) {
                return 0;
            }
        }
        entered |= (a->rights & MAP_EXECUTE) && image->entry >= a->address &&
                   image->entry < (uint64_t)a->address + a->file_size;
    }
    return image->segment_count > 0 && image->segment_count <= IMAGE_SEGMENTS_MAX && entered;
}

// Damage the headers in up to four places, with values that are likely to hurt.
static void damage(struct sample *s, uint32_t *seed) {
    static const uint32_t cruel[] = {0, 1, 7, 0xfff, 0x1000, 0x400000, 0xafffffff, 0xc0000000,
                                     0x7fffffff, 0xfffff000, 0xffffffff};
    uint32_t span = offsetof(struct sample, note) + sizeof s->note;
    for (uint32_t n = 1 + random_next(seed) % 4; n > 0; n--) {
        uint32_t at = random_next(seed) % (span / 4);
        switch (random_next(seed) % 4) {
        case 0:
            s->words[at] = cruel[random_next(seed) % ARRAY_LENGTH(cruel)];
            break;
        case 1:
            s->words[at] += (random_next(seed) % 3 - 1) * 4096;
            break;
        case 2:
            s->words[at] ^= 1u << random_next(seed) % 32;
            break;
        default:
            s->bytes[random_next(seed) % span] = (char)random_next(seed);
        }
    }
}

TEST(image_damaged, "of 300,000 damaged files none that breaks an invariant gets through") {
    uint32_t seed = 20250101;
    uint32_t passed = 0;
    for (uint32_t i = 0; i < 300000; i++) {
        struct sample s;
        struct image image;
        sample_fill(&s);
        damage(&s, &seed);
        uint32_t length = i % 8 == 0 ? random_next(&seed) % FILE_BYTES : FILE_BYTES;
        if (image_parse(&s, READABLE, length, &image) == NULL) {
            passed++;
            CHECK(image_is_sound(&image, length));
        }
    }
    CHECK(passed > 1000);
}
