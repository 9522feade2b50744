// SPDX-License-Identifier: MIT
// Boot modules: see module.h. Their frames belong to the root pool and are mapped nowhere until
// init reads them.
#include "module.h"

#include "abi_hash.h"
#include "report.h"

const struct boot_module *module_find(const char *name) {
    for (uint32_t i = 0; i < start_info()->module_count; i++) {
        if (name_is(start_info()->module[i].name, name)) {
            return &start_info()->module[i];
        }
    }
    return NULL;
}

uint32_t module_pages(const struct boot_module *module) {
    return (module->length + PAGE_SIZE - 1) / PAGE_SIZE;
}

const void *module_open(const struct boot_module *module, uint32_t pages) {
    for (uint32_t done = 0; done < pages;) {
        uint32_t count = MIN_OF(pages - done, LIST_MAX);
        for (uint32_t i = 0; i < count; i++) {
            message_buffer()->list[i] =
                (struct map_item){(MODULE_WINDOW + (done + i) * PAGE_SIZE) | MAP_READ,
                                  (module->first_frame + done + i) << 8};
        }
        struct task_map_out out;
        must(task_map(HANDLE(SLOT_TASK), count, &out), "map a boot module");
        done += out.done;
    }
    return (const void *)MODULE_WINDOW;
}

void module_close(uint32_t pages) {
    for (uint32_t done = 0; done < pages;) {
        uint32_t count = MIN_OF(pages - done, LIST_MAX);
        for (uint32_t i = 0; i < count; i++) {
            message_buffer()->list[i] =
                (struct map_item){MODULE_WINDOW + (done + i) * PAGE_SIZE, 0};
        }
        struct task_unmap_out out;
        must(task_unmap(HANDLE(SLOT_TASK), count, &out), "unmap a boot module");
        done += out.done;
    }
}

const char *module_check(const struct boot_module *module, struct image *image) {
    const void *start = module_open(module, 1);
    const char *wrong = image_parse(start, PAGE_SIZE, module->length, image);
    module_close(1);
    if (wrong == NULL && image->abi_hash != ABI_HASH) {
        wrong = image->abi_hash == 0 ? "no program of this system: it carries no Quire note"
                                     : "built for another version of the system; build it again";
    }
    return wrong;
}

// Why a module is no program; NULL: it is one.
static const char *no_program[BOOT_MODULES_MAX];

void modules_check(void) {
    const struct boot_module *modules = start_info()->module;
    for (uint32_t i = 0; i < start_info()->module_count; i++) {
        if (modules[i].length == 0) {
            fatal("module ", modules[i].name, " is empty: build it again", NULL);
        }
        if (module_find(modules[i].name) != &modules[i]) {
            fatal("two modules are called ", modules[i].name, ": leave one out", NULL);
        }
        struct image image;
        no_program[i] = module_is_for_pager(&modules[i]) ? module_check(&modules[i], &image)
                                                         : "it is part of the system";
    }
}

error_t module_status(const char *name, const char **wrong) {
    const struct boot_module *module = module_find(name);
    *wrong = module == NULL ? NULL : no_program[module - start_info()->module];
    return module == NULL ? E_NOT_FOUND : *wrong != NULL ? E_FORMAT : OK;
}

int module_is_for_pager(const struct boot_module *module) {
    return !name_is(module->name, "init") && !name_is(module->name, "manifest") &&
           manifest_find(&manifest, module->name) == NULL;
}

uint32_t modules_for_pager(void) {
    uint32_t frames = 0;
    for (uint32_t i = 0; i < start_info()->module_count; i++) {
        const struct boot_module *module = &start_info()->module[i];
        frames += module_is_for_pager(module) ? module_pages(module) : 0;
    }
    return frames;
}

static uint32_t list_fill(const struct boot_module *module, uint32_t done) {
    uint32_t count = MIN_OF(module_pages(module) - done, LIST_MAX);
    for (uint32_t i = 0; i < count; i++) {
        message_buffer()->list[i] = (struct map_item){0, (module->first_frame + done + i) << 8};
    }
    return count;
}

void module_free(const struct boot_module *module) {
    for (uint32_t done = 0; done < module_pages(module);) {
        struct pool_frames_free_out out;
        must(pool_frames_free(HANDLE(SLOT_POOL), list_fill(module, done), &out),
             "free a boot module");
        done += out.done;
    }
}

void module_give(const struct boot_module *module, handle_t pool) {
    for (uint32_t done = 0; done < module_pages(module);) {
        struct pool_frames_give_out out;
        must(pool_frames_give(HANDLE(SLOT_POOL), list_fill(module, done), pool, &out),
             "give a boot module to the pager");
        done += out.done;
    }
}
