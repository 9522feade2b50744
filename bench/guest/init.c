// SPDX-License-Identifier: MIT
// The system's own init, all of it, with a crowd beside what it starts: the crowd's memory and objects
// are taken off the root pool before init shares the rest out, and nobody but the kernel knows of it.
#include "../../servers/init/service.h"
#include "../../servers/init/startup.h"
#include "../../tests/guest/environment.h"
#include "crowd.h"

int main(int count, char **argument);

TEST(crowd, "who shall only exist is there and waits") {
    crowd_make();
}

// init refuses options that it does not know: its boot line ends before the crowd's.
static void line_cut(const char *option) {
    char *at = (char *)(uintptr_t)option_find(option);
    while (at != NULL && *at != ' ') {
        at--;
    }
    if (at != NULL) {
        *at = 0;
    }
}

static error_t start_protect(uint32_t rights) {
    struct task_protect_out out;
    message_buffer()->list[0] = (struct map_item){LAYOUT_START | rights, 0};
    return task_protect(TASK, 1, &out);
}

TEST(boot_line, "the boot line has no option but the system's") {
    CHECK_EQUAL(start_protect(MAP_READ | MAP_WRITE), OK);
    line_cut("threads=");
    line_cut("tasks=");
    CHECK_EQUAL(start_protect(MAP_READ), OK);
}

int main(int count, char **argument) {
    (void)count, (void)argument;
    if (test_run(NULL, NULL) != 0) {
        return 1;
    }
    environment_leave();
    startup();
    service_run();
}
