// SPDX-License-Identifier: MIT
// Behaviour that C leaves undefined, put in front of frame_check() by the linker, to show that the
// trapping kernel ends there and says where.
#include "check.h"

struct frame_check __real_frame_check(void);
struct frame_check __wrap_frame_check(void);

// The compiler must not see what it is.
static volatile uint32_t number = 32, word[4];
static volatile int32_t largest = INT32_MAX;

struct frame_check __wrap_frame_check(void) {
    (void)number, (void)word[0], (void)largest;
#if defined PLANT_SHIFT
    word[0] = 1u << number;
#elif defined PLANT_INDEX
    word[number] = 1;
#else
    largest = largest + 1;
#endif
    return __real_frame_check();
}
