// SPDX-License-Identifier: MIT
// The four functions that the compiler calls by itself for copies and initializers, for servers
// that link no C library. The string instructions keep the compiler from turning a loop back into
// a call of the function it stands in.
#include <stddef.h>

void *memset(void *to, int byte, size_t count);
void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
int memcmp(const void *a, const void *b, size_t count);

void *memset(void *to, int byte, size_t count) {
    void *at = to;
    size_t words = count / 4;
    size_t rest = count % 4;
    unsigned pattern = (unsigned char)byte * 0x01010101u;
    __asm__ volatile("rep stosl" : "+D"(at), "+c"(words) : "a"(pattern) : "memory");
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(rest) : "a"(pattern) : "memory");
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    void *at = to;
    const void *source = from;
    size_t words = count / 4;
    size_t rest = count % 4;
    __asm__ volatile("rep movsl" : "+D"(at), "+S"(source), "+c"(words) : : "memory");
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(source), "+c"(rest) : : "memory");
    return to;
}

void *memmove(void *to, const void *from, size_t count) {
    if ((size_t)to - (size_t)from >= count) {
        return memcpy(to, from, count);
    }
    char *at = (char *)to + count - 1;
    const char *source = (const char *)from + count - 1;
    __asm__ volatile("std; rep movsb; cld" : "+D"(at), "+S"(source), "+c"(count) : : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t count) {
    const unsigned char *left = a;
    const unsigned char *right = b;
    for (size_t i = 0; i < count; i++) {
        if (left[i] != right[i]) {
            return left[i] - right[i];
        }
    }
    return 0;
}
