// SPDX-License-Identifier: MIT
// Reads the headers of a static ELF32 program and checks all that a loader will rely on. The one
// validator of kernel (loads init), init (loads servers), pager (lays programs out) and host tests.
// Pure: looks at the file's first bytes, maps and copies nothing. Every byte of it is an
// allegation: nothing is used before it was checked.
#pragma once
#include "ipc.h"
#include "layout.h"

#define IMAGE_SEGMENTS_MAX 8u
#define IMAGE_HEADERS_MAX 32u     // program headers, of all types
#define IMAGE_END LAYOUT_MAP_END  // segments end here: stack, start_info and buffer lie above

// Invariants, checked by image_parse(): segments lie in [LAYOUT_USER_FIRST, IMAGE_END), share no
// page, are not both writable and executable, file_size <= memory_size, their bytes lie inside the
// file, and file_offset and address agree modulo the page size.
struct image_segment {
    vaddr_t address;
    uint32_t memory_size;  // bytes from file_size on are zero
    uint32_t file_offset;
    uint32_t file_size;
    uint32_t rights;  // MAP_
};

struct image {
    vaddr_t entry;
    uint32_t segment_count;
    struct image_segment segment[IMAGE_SEGMENTS_MAX];
    uint32_t abi_hash;      // of the Quire note; 0: there is none
    vaddr_t headers;        // program headers in memory, for AT_PHDR; 0: not loaded
    uint32_t header_count;  // of them; 0 when not loaded
};

// Shapes of the file (System V ABI, "Object Files"; little endian, as we are).
struct __attribute__((may_alias)) image_elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version, entry, header_offset, section_offset, flags;
    uint16_t size, header_size, header_count, section_size, section_count, section_names;
};
_Static_assert(sizeof(struct image_elf_header) == 52, "ELF32 header");

struct __attribute__((may_alias)) image_program_header {
    uint32_t type, offset, address, physical, file_size, memory_size, flags, alignment;
};
_Static_assert(sizeof(struct image_program_header) == 32, "ELF32 program header");

struct __attribute__((may_alias)) image_note {
    uint32_t name_size, size, type;
};
#define IMAGE_NOTE_NAME "Quire"
#define IMAGE_NOTE_TYPE 1u

enum { IMAGE_TYPE_EXECUTABLE = 2, IMAGE_MACHINE_386 = 3 };
enum { IMAGE_LOAD = 1, IMAGE_DYNAMIC = 2, IMAGE_INTERPRETER = 3, IMAGE_NOTE = 4 };
enum { IMAGE_FLAG_EXECUTE = 1, IMAGE_FLAG_WRITE = 2, IMAGE_FLAG_READ = 4 };

// Do size bytes from offset on lie below end? Written so that nothing can wrap.
static inline int image_inside(uint32_t offset, uint32_t size, uint32_t end) {
    return offset <= end && size <= end - offset;
}

static inline const char *image_check_header(const struct image_elf_header *elf,
                                             uint32_t available, uint32_t length) {
    static const uint8_t ident[7] = {0x7f, 'E', 'L', 'F', 1, 1, 1};  // 32 bits, little endian
    if (available < sizeof *elf) {
        return "too short for an ELF file";
    }
    for (uint32_t i = 0; i < 7; i++) {
        if (elf->ident[i] != ident[i]) {
            return i < 4 ? "not an ELF file" : "not a 32-bit little-endian ELF file";
        }
    }
    if (elf->machine != IMAGE_MACHINE_386) {
        return "not built for the i386";
    }
    if (elf->type != IMAGE_TYPE_EXECUTABLE) {
        return "not a static, fixed-address executable (link it with -static -no-pie)";
    }
    if (elf->header_size != sizeof(struct image_program_header) || elf->header_offset % 4 != 0 ||
        elf->header_count == 0 || elf->header_count > IMAGE_HEADERS_MAX) {
        return "no program headers, too many, or of an unknown shape";
    }
    uint32_t size = elf->header_count * (uint32_t)sizeof(struct image_program_header);
    if (!image_inside(elf->header_offset, size, length)) {
        return "truncated: its program headers lie past the end of the file";
    }
    if (!image_inside(elf->header_offset, size, available)) {
        return "its program headers do not lie in its first page";
    }
    return NULL;
}

static inline const char *image_check_segment(const struct image_program_header *header,
                                              uint32_t length) {
    if (!image_inside(header->offset, header->file_size, length)) {
        return "truncated: a segment lies past the end of the file";
    }
    if (header->file_size > header->memory_size) {
        return "a segment is longer in the file than in memory";
    }
    if (header->address + header->memory_size < header->address) {
        return "a segment wraps round the end of the address space";
    }
    if (header->address < LAYOUT_USER_FIRST ||
        !image_inside(header->address, header->memory_size, IMAGE_END)) {
        return "a segment lies outside the addresses of programs";
    }
    if (PAGE_OFFSET(header->offset) != PAGE_OFFSET(header->address)) {
        return "a segment's offset and address differ modulo 4096";
    }
    if ((header->flags & IMAGE_FLAG_WRITE) && (header->flags & IMAGE_FLAG_EXECUTE)) {
        return "a segment is both writable and executable";
    }
    return NULL;
}

// Readable always: the i386 cannot map a page for writing or execution alone.
static inline uint32_t image_rights(uint32_t flags) {
    return MAP_READ | (flags & IMAGE_FLAG_WRITE ? MAP_WRITE : 0) |
           (flags & IMAGE_FLAG_EXECUTE ? MAP_EXECUTE : 0);
}

static inline vaddr_t image_first_page(const struct image_segment *segment) {
    return PAGE_DOWN(segment->address);
}

static inline vaddr_t image_end_page(const struct image_segment *segment) {
    return PAGE_UP(segment->address + segment->memory_size);
}

static inline const char *image_add_segment(const struct image_program_header *header,
                                            uint32_t length, struct image *image) {
    if (header->memory_size == 0 && header->file_size == 0) {
        return NULL;  // linkers write such headers for parts that turned out empty
    }
    const char *wrong = image_check_segment(header, length);
    if (wrong != NULL) {
        return wrong;
    }
    if (image->segment_count == IMAGE_SEGMENTS_MAX) {
        return "more segments than a program may have";
    }
    struct image_segment new = {header->address, header->memory_size, header->offset,
                                header->file_size, image_rights(header->flags)};
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct image_segment *old = &image->segment[i];
        if (image_first_page(&new) < image_end_page(old) &&
            image_first_page(old) < image_end_page(&new)) {
            return "two segments share a page";
        }
    }
    image->segment[image->segment_count++] = new;
    return NULL;
}

static inline int image_note_is_ours(const struct image_note *note) {
    const char *name = (const char *)(note + 1);
    if (note->type != IMAGE_NOTE_TYPE || note->name_size != sizeof IMAGE_NOTE_NAME ||
        note->size != 4) {
        return 0;
    }
    for (uint32_t i = 0; i < sizeof IMAGE_NOTE_NAME; i++) {
        if (name[i] != IMAGE_NOTE_NAME[i]) {
            return 0;
        }
    }
    return 1;
}

// The hash in the Quire note among the notes of one segment, or 0. Notes outside the readable
// part count as absent: a module without a note is refused by who needs one.
static inline uint32_t image_find_hash(const char *file, uint32_t available,
                                       const struct image_program_header *header) {
    uint32_t at = header->offset;
    if (at % 4 != 0 || !image_inside(at, header->file_size, available)) {
        return 0;
    }
    uint32_t end = at + header->file_size;
    while (image_inside(at, sizeof(struct image_note), end)) {
        const struct image_note *note = (const struct image_note *)(const void *)(file + at);
        uint32_t room = end - at - (uint32_t)sizeof *note;
        if (note->name_size > room || note->size > room) {
            return 0;
        }
        uint32_t name_size = (note->name_size + 3) & ~3u;
        uint32_t size = (note->size + 3) & ~3u;
        if (name_size > room || size > room - name_size) {
            return 0;
        }
        at += (uint32_t)sizeof *note;
        if (image_note_is_ours(note)) {
            uint32_t hash;
            __builtin_memcpy(&hash, file + at + name_size, sizeof hash);
            return hash;
        }
        at += name_size + size;
    }
    return 0;
}

static inline void image_find_headers(const struct image_elf_header *elf, struct image *image) {
    uint32_t size = elf->header_count * (uint32_t)sizeof(struct image_program_header);
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct image_segment *segment = &image->segment[i];
        if (elf->header_offset >= segment->file_offset &&
            image_inside(elf->header_offset - segment->file_offset, size, segment->file_size)) {
            image->headers = segment->address + (elf->header_offset - segment->file_offset);
            image->header_count = elf->header_count;
        }
    }
}

static inline const char *image_check_entry(const struct image *image) {
    if (image->segment_count == 0) {
        return "nothing to load: it has no segment";
    }
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct image_segment *segment = &image->segment[i];
        if ((segment->rights & MAP_EXECUTE) && image->entry >= segment->address &&
            image->entry - segment->address < segment->file_size) {
            return NULL;
        }
    }
    return "its entry point lies in no executable segment";
}

// Reads the file whose first `available` bytes stand at `start` (aligned to 4; its headers must lie
// in them) and which is `length` bytes long. Returns NULL and fills *image, or the words that go on
// "the file is corrupt: ...". *image is undefined after an error.
static inline const char *image_parse(const void *start, uint32_t available, uint32_t length,
                                      struct image *image) {
    const char *file = start;
    const struct image_elf_header *elf = start;
    available = MIN_OF(available, length);
    const char *wrong = image_check_header(elf, available, length);
    if (wrong != NULL) {
        return wrong;
    }
    *image = (struct image){.entry = elf->entry};
    for (uint32_t i = 0; i < elf->header_count; i++) {
        const struct image_program_header *header =
            (const struct image_program_header *)(const void *)(file + elf->header_offset) + i;
        if (header->type == IMAGE_DYNAMIC || header->type == IMAGE_INTERPRETER) {
            return "dynamically linked (link it with -static)";
        }
        if (header->type == IMAGE_NOTE && image->abi_hash == 0) {
            image->abi_hash = image_find_hash(file, available, header);
        }
        wrong = header->type == IMAGE_LOAD ? image_add_segment(header, length, image) : NULL;
        if (wrong != NULL) {
            return wrong;
        }
    }
    image_find_headers(elf, image);
    return image_check_entry(image);
}
