// SPDX-License-Identifier: MIT
#include "program.h"
#include "abi_hash.h"
#include "control.h"
#include "demand.h"
#include "image.h"
#include "mapping.h"
#include "module.h"
#include "sentence.h"

#define GUARD_PAGES 16u  // below the stack
#define STACK_SPARE 64u  // bytes above the first stack pointer

static error_t fail(struct domain *domain, error_t error, const field_name *name,
                    const char *why) {
    struct sentence line = {domain->reason, 0, sizeof domain->reason};
    sentence_text(&line, "module ");
    sentence_bytes(&line, name->bytes, NAME_BYTES);
    sentence_text(&line, " ");
    sentence_text(&line, why);
    domain->reason_length = line.length;
    return error;
}

static error_t fail_image(struct domain *domain, const field_name *name, const char *wrong) {
    error_t error = fail(domain, E_FORMAT, name, "is corrupt: ");
    struct sentence line = {domain->reason, domain->reason_length, sizeof domain->reason};
    sentence_text(&line, wrong);
    domain->reason_length = line.length;
    return error;
}

// The module's image is untrusted: image_parse() checks all of it.
static error_t image_read(struct domain *domain, const field_name *name,
                          const struct module *module, struct image *image) {
    error_t error = machine_view(module->first);
    if (error != OK) {
        return fail(domain, error, name, "could not be read");
    }
    const char *wrong = image_parse(machine_window(WINDOW_VIEW), MIN_OF(module->length, PAGE_SIZE),
                                    module->length, image);
    if (wrong != NULL) {
        return fail_image(domain, name, wrong);
    }
    if (image->abi_hash != ABI_HASH) {
        return fail(domain, E_FORMAT, name,
                    "was built for another version of the message contract: build it again");
    }
    return OK;
}

static error_t segment_add(struct domain *domain, const struct image_segment *segment,
                           uint32_t file) {
    uint32_t inside = PAGE_OFFSET(segment->address);
    struct region region = {
        .first = (segment->address >> PAGE_SHIFT) & 0xfffffu,
        .end = (PAGE_UP(segment->address + segment->memory_size) >> PAGE_SHIFT) & 0xfffffu,
        .rights = segment->rights & MAP_RIGHTS,
        .kind = segment->file_size > 0 ? REGION_FILE : REGION_ANONYMOUS,
        .file = file & 0xfffu,
        .file_page = (segment->file_offset - inside) >> PAGE_SHIFT,
        .file_end = segment->file_offset + segment->file_size};
    return region_add(&domain->regions, &region);
}

static error_t stack_add(struct domain *domain) {
    uint32_t end = LAYOUT_STACK_TOP >> PAGE_SHIFT;
    uint32_t first = (LAYOUT_STACK_TOP - LAYOUT_STACK_SIZE) >> PAGE_SHIFT;
    struct region stack = {.first = first & 0xfffffu, .end = end & 0xfffffu,
                           .rights = MAP_READ | MAP_WRITE, .kind = REGION_ANONYMOUS};
    struct region guard = {.first = (first - GUARD_PAGES) & 0xfffffu, .end = first & 0xfffffu,
                           .kind = REGION_GUARD};
    error_t error = region_add(&domain->regions, &guard);
    return error == OK ? region_add(&domain->regions, &stack) : error;
}

static error_t regions_lay(struct domain *domain, const struct image *image, uint32_t file) {
    error_t error = stack_add(domain);
    for (uint32_t i = 0; i < image->segment_count && error == OK; i++) {
        error = segment_add(domain, &image->segment[i], file);
    }
    return error;
}

static error_t admit(struct domain *domain, handle_t space, const field_name *name,
                     struct program_start *start) {
    uint32_t file;
    struct image image;
    if (module_find(name, &file) != OK) {
        return fail(domain, E_NOT_FOUND, name, "does not exist");
    }
    error_t error = image_read(domain, name, module_at(file), &image);
    if (error != OK) {
        return error;
    }
    domain->program = file;
    domain->limit = control_limit(file);
    if (!resident_init(domain, control_choice(file)) || !domain_start(domain, space)) {
        return fail(domain, E_MEMORY, name, "finds no memory left to start in");
    }
    error = regions_lay(domain, &image, file);
    if (error != OK) {
        domain_end(domain);
        return fail(domain, error, name, "has more parts than a program may have");
    }
    *start = (struct program_start){image.entry, LAYOUT_STACK_TOP - STACK_SPARE};
    return OK;
}

error_t program_admit(uint32_t number, handle_t space, const field_name *module,
                      struct program_start *start) {
    if (domain_find(number) != NULL) {
        machine_handle_drop(space);
        return E_STATE;
    }
    struct domain *domain = domain_open(number);
    error_t error = domain == NULL ? E_LIMIT : admit(domain, space, module, start);
    if (error != OK) {
        machine_handle_drop(space);
    }
    return error;
}

error_t program_retire(uint32_t number) {
    struct domain *domain = domain_find(number);
    if (domain == NULL) {
        return E_NOT_FOUND;
    }
    demand_forget(number);
    mapping_forget(domain, 0, LAYOUT_KERNEL >> PAGE_SHIFT, 0);
    resident_end(domain);
    machine_handle_drop(domain->space);
    domain_end(domain);
    return OK;
}
