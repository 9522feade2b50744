// SPDX-License-Identifier: MIT
// Fills the address space of a wired server: everything is there before it starts, and stays.
// Programs are the pager's business.
#pragma once
#include "image.h"
#include "init.h"

// Map new frames of the root pool into `task`, pages from `at` on with `rights` (MAP_); the first
// `count` bytes behind `at` + `skip` become those at `bytes`, all others are zero.
void load_pages(handle_t task, vaddr_t at, uint32_t pages, uint32_t rights, const void *bytes,
                uint32_t skip, uint32_t count);

// All segments of a checked image, from the file at `file`.
void load_image(handle_t task, const struct image *image, const void *file);

// The clock's page, to be read, at LAYOUT_CLOCK.
error_t load_clock(handle_t task);

// One new zeroed page at `at` in both tasks and in init itself, for reading and writing.
void load_shared_page(handle_t one, handle_t other, vaddr_t at);
