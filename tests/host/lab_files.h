// SPDX-License-Identifier: MIT
// Files for tests that read traces.
#pragma once
#include <stddef.h>

// Makes a file of this name in a new folder; returns its path, valid until the next call.
const char *file_make(const char *name, const void *contents, size_t length);
// Removes it and its folder.
void file_end(const char *path);
