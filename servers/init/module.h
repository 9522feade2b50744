// SPDX-License-Identifier: MIT
// Boot modules: finding them, reading them, and what becomes of their frames.
#pragma once
#include "image.h"
#include "init.h"

#define MODULE_WINDOW 0x10000000u  // where init reads a module

// The module of this name; NULL: there is none.
const struct boot_module *module_find(const char *name);
uint32_t module_pages(const struct boot_module *module);

// Map the first `pages` pages of the module for reading at MODULE_WINDOW, one module at a time.
const void *module_open(const struct boot_module *module, uint32_t pages);
void module_close(uint32_t pages);

// What keeps the module from being started as a program or server: words that go on "module X
// is corrupt: ...", or NULL. Maps the first page for the time being.
const char *module_check(const struct boot_module *module, struct image *image);

// Look at all modules: no two of one name, none empty, and which of them are programs.
void modules_check(void);
// Can this module be started as a program? OK, E_NOT_FOUND or E_FORMAT; *wrong: as module_check().
error_t module_status(const char *name, const char **wrong);

// The module of a program or file: not init's own, not the manifest, not a server's.
int module_is_for_pager(const struct boot_module *module);
// Frames of all of them.
uint32_t modules_for_pager(void);

// Free the frames of a module that nobody reads again.
void module_free(const struct boot_module *module);
// Move a module's frames to another pool, contents kept.
void module_give(const struct boot_module *module, handle_t pool);
