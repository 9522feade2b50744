// SPDX-License-Identifier: MIT
// Naive models of the policies without ghosts that adapt nothing: lru, lfu, nru, aging, wsclock,
// mglru, and of 2q and s3fifo.
#include "policy_naive.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

static struct pages first, second, third;      // what each policy keeps in an order
static uint32_t number[NAIVE_PAGES], stamp[NAIVE_PAGES];
static uint8_t used[NAIVE_PAGES];
static uint32_t now, ticks, hand;

static void start(void) {
    first.count = second.count = third.count = 0;
    memset(number, 0, sizeof(number));
    memset(stamp, 0, sizeof(stamp));
    memset(used, 0, sizeof(used));
    now = ticks = hand = 0;
}

static void hit_used(uint32_t page) {
    used[page] = 1;
}

// The place in `first` of the page with the least (key, stamp).
static uint32_t least(const uint32_t *key) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < first.count; i++) {
        uint32_t a = first.at[i], b = first.at[best];
        if (key[a] < key[b] || (key[a] == key[b] && stamp[a] < stamp[b])) {
            best = i;
        }
    }
    return best;
}

// ---- lru, lfu --------------------------------------------------------------------------------

static void come_stamped(uint32_t page) {
    stamp[page] = ++now;
    number[page] = 0;
    pages_push(&first, page);
}

static void lru_hit(uint32_t page) {
    stamp[page] = ++now;
}

static uint32_t lru_victim(uint32_t incoming) {
    static const uint32_t same[NAIVE_PAGES];
    (void)incoming;
    return pages_cut(&first, least(same));
}

TEST(naive_lru, "a million references: lru and a search for the earliest use never differ") {
    naive_compare("lru", (struct naive){start, lru_hit, lru_victim, come_stamped, NULL});
}

static void lfu_hit(uint32_t page) {
    number[page]++;
    stamp[page] = ++now;
}

static uint32_t lfu_victim(uint32_t incoming) {
    (void)incoming;
    return pages_cut(&first, least(number));
}

TEST(naive_lfu, "a million references: lfu and a search for the least count never differ") {
    naive_compare("lfu", (struct naive){start, lfu_hit, lfu_victim, come_stamped, NULL});
}

// ---- nru: stamp is when the page got into its class ------------------------------------------

static void nru_hit(uint32_t page) {
    if (number[page] == 0) {
        number[page] = 1;
        stamp[page] = ++now;
    }
}

static void nru_reset(void) {
    memset(number, 0, sizeof(number));
    ticks = 0;
}

static uint32_t nru_victim(uint32_t incoming) {
    (void)incoming;
    uint32_t place = least(number);
    if (number[first.at[place]] == 1) {
        nru_reset();
    }
    return pages_cut(&first, place);
}

static void nru_come(uint32_t page) {
    come_stamped(page);
    number[page] = 1;
}

static void nru_tick(void) {
    if (++ticks == 8) {
        nru_reset();
    }
}

TEST(naive_nru, "a million references: nru and a search through classes never differ") {
    naive_compare("nru", (struct naive){start, nru_hit, nru_victim, nru_come, nru_tick});
}

// ---- aging: number is the rank of the register, made anew by sorting -------------------------

// `stamp`: arrival. A page that came since the last tick has no register yet.
static int is_new(uint32_t page) {
    return number[page] == NAIVE_NONE;
}

static int by_register(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int bit_x = used[x] || is_new(x), bit_y = used[y] || is_new(y);
    if (bit_x != bit_y) {
        return bit_x - bit_y;
    }
    if (is_new(x) != is_new(y)) {
        return is_new(y) - is_new(x);  // nothing but zeros behind its first bit
    }
    uint32_t key_x = is_new(x) ? stamp[x] : number[x], key_y = is_new(y) ? stamp[y] : number[y];
    return key_x < key_y ? -1 : 1;
}

static uint32_t aging_victim(uint32_t incoming) {
    (void)incoming;
    qsort(first.at, first.count, sizeof(first.at[0]), by_register);
    return pages_shift(&first);
}

static void aging_come(uint32_t page) {
    come_stamped(page);
    number[page] = NAIVE_NONE;
    used[page] = 0;
}

static void aging_tick(void) {
    qsort(first.at, first.count, sizeof(first.at[0]), by_register);
    for (uint32_t i = 0; i < first.count; i++) {
        number[first.at[i]] = i;
        used[first.at[i]] = 0;
    }
}

TEST(naive_aging, "a million references: aging and registers sorted at each tick never differ") {
    naive_compare("aging", (struct naive){start, hit_used, aging_victim, aging_come, aging_tick});
}

// ---- wsclock: `first` is the ring, number the last use ---------------------------------------

enum { TAU = 2 };

static uint32_t ring_cut(uint32_t place) {
    uint32_t page = pages_cut(&first, place);
    hand = first.count == 0 ? 0 : place % first.count;
    return page;
}

static uint32_t wsclock_victim(uint32_t incoming) {
    (void)incoming;
    for (uint32_t looked = 0;; looked++) {
        uint32_t page = first.at[hand];
        // After a round without success, until the next tick, any unused page will do.
        int desperate = looked >= first.count || stamp[0] == ticks + 1;
        if (used[page]) {
            used[page] = 0;
            number[page] = ticks;
        } else if (ticks - number[page] > TAU || desperate) {
            if (looked >= first.count) {
                stamp[0] = ticks + 1;
            }
            return ring_cut(hand);
        }
        hand = (hand + 1) % first.count;
    }
}

static void wsclock_come(uint32_t page) {
    used[page] = 0;
    number[page] = ticks;
    pages_insert(&first, hand, page);
    hand = (hand + 1) % first.count;
}

static void count_tick(void) {
    ticks++;
}

TEST(naive_wsclock, "a million references: wsclock and a ring in an array never differ") {
    naive_compare("wsclock", (struct naive){start, hit_used, wsclock_victim, wsclock_come, count_tick});
}

// ---- mglru: number is the generation, stamp when the page got into it -------------------------

static uint32_t youngest, oldest;

static void mglru_start(void) {
    start();
    youngest = oldest = 0;
}

static void mglru_enter(uint32_t page) {
    used[page] = 0;
    number[page] = youngest;
    stamp[page] = ++now;
}

static void mglru_age(void) {
    youngest++;
    uint32_t moved = 0, page[NAIVE_PAGES];
    for (uint32_t generation = oldest; generation < youngest; generation++) {
        for (uint32_t from = 0;;) {  // in order of their stamps
            uint32_t best = NAIVE_NONE;
            for (uint32_t i = 0; i < first.count; i++) {
                uint32_t p = first.at[i];
                if (number[p] == generation && stamp[p] > from &&
                    (best == NAIVE_NONE || stamp[p] < stamp[best])) {
                    best = p;
                }
            }
            if (best == NAIVE_NONE) {
                break;
            }
            from = stamp[best];
            if (used[best]) {
                page[moved++] = best;
            }
        }
    }
    for (uint32_t i = 0; i < moved; i++) {
        mglru_enter(page[i]);
    }
}

static uint32_t mglru_victim(uint32_t incoming) {
    (void)incoming;
    for (;;) {
        if (youngest - oldest < 2) {
            mglru_age();
            continue;
        }
        uint32_t place = least(number), page = first.at[place];
        if (number[page] != oldest) {
            oldest++;
        } else if (used[page]) {
            mglru_enter(page);
        } else {
            return pages_cut(&first, place);
        }
    }
}

static void mglru_come(uint32_t page) {
    mglru_enter(page);
    pages_push(&first, page);
}

static void mglru_tick(void) {
    if (youngest - oldest < 3) {
        mglru_age();
    }
}

TEST(naive_mglru, "a million references: mglru and a search by generation and time never differ") {
    naive_compare("mglru",
                  (struct naive){mglru_start, hit_used, mglru_victim, mglru_come, mglru_tick});
}

// ---- 2q: first is A1in, second Am, third A1out -----------------------------------------------

static uint32_t returning;

static void twoq_start(void) {
    start();
    returning = NAIVE_NONE;
}

static void twoq_hit(uint32_t page) {
    if (pages_remove(&second, page)) {
        pages_push(&second, page);
    }
}

static uint32_t twoq_victim(uint32_t incoming) {
    returning = pages_remove(&third, incoming) ? incoming : NAIVE_NONE;
    if (second.count > 0 && first.count <= naive_frames / 4) {
        return pages_shift(&second);
    }
    uint32_t page = pages_shift(&first);
    pages_push(&third, page);
    while (third.count > naive_frames / 2) {
        pages_shift(&third);
    }
    return page;
}

static void twoq_come(uint32_t page) {
    pages_push(returning == page ? &second : &first, page);
    returning = NAIVE_NONE;
}

TEST(naive_2q, "a million references: 2q and its three queues in arrays never differ") {
    naive_compare("2q", (struct naive){twoq_start, twoq_hit, twoq_victim, twoq_come, NULL});
}

// ---- s3fifo: first is the small queue, second the main one, third the ghosts ------------------

static void count_hit(uint32_t page) {
    number[page]++;
}

static uint32_t s3fifo_small(void) {
    while (first.count > 0) {
        uint32_t page = pages_shift(&first);
        if (number[page] < 2) {
            pages_push(&third, page);
            while (third.count > naive_frames * 9 / 10) {
                pages_shift(&third);
            }
            return page;
        }
        number[page] = 0;
        pages_push(&second, page);
    }
    return NAIVE_NONE;
}

static uint32_t s3fifo_victim(uint32_t incoming) {
    returning = pages_remove(&third, incoming) ? incoming : NAIVE_NONE;
    if (second.count <= naive_frames - naive_frames / 10) {
        uint32_t page = s3fifo_small();
        if (page != NAIVE_NONE) {
            return page;
        }
    }
    while (second.count > 0) {
        uint32_t page = pages_shift(&second);
        if (number[page] == 0) {
            return page;
        }
        number[page] = number[page] > 3 ? 2 : number[page] - 1;
        pages_push(&second, page);
    }
    return s3fifo_small();
}

static void s3fifo_come(uint32_t page) {
    number[page] = 0;
    twoq_come(page);
}

TEST(naive_s3fifo, "a million references: s3fifo and its three queues in arrays never differ") {
    naive_compare("s3fifo", (struct naive){twoq_start, count_hit, s3fifo_victim, s3fifo_come, NULL});
}
