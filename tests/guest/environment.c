// SPDX-License-Identifier: MIT
// The environment of kernel tests: TAP goes to the serial line, the end to QEMU's exit device.
#include "environment.h"
#include "world.h"

#define SERIAL 0x3f8u
#define EXIT 0xf4u
#define EXIT_PASSED 0x10u
#define EXIT_FAILED 0x11u

enum { SLOT_SERIAL = 60, SLOT_EXIT = 61 };

int main(int count, char **argument);
void server_main(void);

static uint32_t free_at_start, objects_at_start;

static struct machine_info_out machine(void) {
    struct machine_info_out info = {0};
    if (machine_info(MACHINE, &info) != OK) {
        info.frames_free = 0;
    }
    return info;
}

uint32_t frames_free(void) {
    return machine().frames_free;
}

// One byte at a time, when the line has room for it.
void test_print(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        struct ports_in_out status = {0};
        while (ports_in(HANDLE(SLOT_SERIAL), 5, 1, &status) == OK && !(status.value & 0x20)) {
        }
        if (ports_out(HANDLE(SLOT_SERIAL), 0, 1, (uint8_t)text[i]) != OK) {
            return;
        }
    }
}

void environment_leave(void) {
    (void)!ports_destroy(HANDLE(SLOT_SERIAL));
    (void)!ports_destroy(HANDLE(SLOT_EXIT));
}

void test_suite_end(void) {
    struct machine_check_out check;
    struct task_tables_trim_out trimmed;
    world_clean();
    do {
        CHECK_EQUAL(task_tables_trim(TASK, &trimmed), OK);
    } while (trimmed.left > 0);
    CHECK_EQUAL(machine_check(MACHINE, &check), OK);
    CHECK_EQUAL(check.violations, 0);
    CHECK_EQUAL(machine().frames_free, free_at_start);
    CHECK_EQUAL(machine().objects, objects_at_start);
}

// The boot line's test=NAME; empty: all tests are to run.
static char *name_given(void) {
    static char name[64];
    const char *from = option_find("test=");
    for (uint32_t i = 0; from != NULL && from[i] > ' ' && i + 1 < sizeof name; i++) {
        name[i] = from[i];
    }
    return name;
}

void server_main(void) {
    bool ready = machine_ports_create(MACHINE, SLOT_SERIAL, SERIAL, 8) == OK &&
                 machine_ports_create(MACHINE, SLOT_EXIT, EXIT, 4) == OK;
    char *argument[] = {NULL, name_given()};
    int count = argument[1][0] != 0 ? 2 : 1;
    free_at_start = machine().frames_free;
    objects_at_start = machine().objects;
    if (option_given("plant")) {  // with check=1 the kernel finds it at its next entry, and panics
        (void)!machine_plant(MACHINE, LAW_free_count, 0);
    }
    int status = ready ? main(count, argument) : 1;
    (void)!ports_out(HANDLE(SLOT_EXIT), 0, 4, status == 0 ? EXIT_PASSED : EXIT_FAILED);
    for (;;) {
    }
}

const char *option_find(const char *word) {
    const char *command = start_info()->command;
    for (const char *at = command; *at != 0; at++) {
        uint32_t i = 0;
        while (word[i] != 0 && at[i] == word[i]) {
            i++;
        }
        if (word[i] == 0 && (at == command || at[-1] == ' ')) {
            return at + i;
        }
    }
    return NULL;
}

bool option_given(const char *word) {
    return option_find(word) != NULL;
}

uint32_t option_number(const char *word, uint32_t otherwise) {
    const char *digit = option_find(word);
    if (digit == NULL) {
        return otherwise;
    }
    uint32_t value = 0;
    for (; *digit >= '0' && *digit <= '9'; digit++) {
        value = value * 10 + (uint32_t)(*digit - '0');
    }
    return value;
}

void note_number(const char *name, uint32_t value) {
    char text[48] = "# ", digits[10];
    uint32_t length = 2, count = 0;
    while (*name != 0) {
        text[length++] = *name++;
    }
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (count > 0) {
        text[length++] = digits[--count];
    }
    text[length++] = '\n';
    test_print(text, length);
}
