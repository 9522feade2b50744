// SPDX-License-Identifier: MIT
#include "lab_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

static char folder[32];

const char *file_make(const char *name, const void *contents, size_t length) {
    static char path[128];
    strcpy(folder, "/tmp/quire-test-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL);
    CHECK(fwrite(contents, 1, length, file) == length);
    CHECK(fclose(file) == 0);
    return path;
}

void file_end(const char *path) {
    unlink(path);
    rmdir(folder);
}
