// SPDX-License-Identifier: MIT
#include "domain.h"

struct domain domain_table[DOMAINS_MAX];
struct counters domain_past;
struct domain *domain_last;
static uint32_t retired_count;

void domain_init(void) {
    __builtin_memset(domain_table, 0, sizeof domain_table);
    domain_past = (struct counters){0};
    domain_last = domain_table;
    retired_count = 0;
}

struct domain *domain_recall(uint32_t number) {
    for (uint32_t i = 0; i < DOMAINS_MAX; i++) {
        if (domain_table[i].number == number && domain_table[i].state != DOMAIN_FREE) {
            return &domain_table[i];
        }
    }
    return NULL;
}

struct domain *domain_search(uint32_t number) {
    struct domain *domain = domain_recall(number);
    if (domain == NULL || domain->state != DOMAIN_ALIVE) {
        return NULL;
    }
    return domain_last = domain;
}

// Last words are kept of so many at least. A place used before is better than a new one, because
// memory of the policy stays with the place.
#define REMEMBERED 8u

static struct domain *place_find(uint32_t number) {
    struct domain *oldest = NULL, *unused = NULL;
    uint32_t retired = 0;
    for (uint32_t i = DOMAINS_MAX; i-- > 0;) {
        struct domain *domain = &domain_table[i];
        if (domain->state == DOMAIN_FREE) {
            unused = domain;
        } else if (domain->state == DOMAIN_RETIRED) {
            retired++;
            if (domain->number == number) {
                return domain;
            }
            oldest = oldest == NULL || domain->age < oldest->age ? domain : oldest;
        }
    }
    return retired > REMEMBERED || unused == NULL ? oldest : unused;
}

static void counters_add(struct counters *sum, const struct counters *more) {
    sum->faults += more->faults;
    sum->evictions += more->evictions;
    sum->written += more->written;
    sum->read += more->read;
    sum->zeroed += more->zeroed;
    sum->copied += more->copied;
    sum->scans += more->scans;
}

struct domain *domain_open(uint32_t number) {
    struct domain *domain = place_find(number);
    if (domain == NULL) {
        return NULL;
    }
    counters_add(&domain_past, &domain->counters);
    *domain = (struct domain){.number = number, .index = (uint32_t)(domain - domain_table),
                              .state = DOMAIN_RETIRED, .age = retired_count++};
    return domain;
}

int domain_start(struct domain *domain, handle_t space) {
    domain->regions_page = metapage_take();
    if (domain->regions_page == 0) {
        return 0;
    }
    if (!pagemap_init(&domain->pages)) {
        metapage_release(domain->regions_page);
        return 0;
    }
    domain->regions = (struct regions){.list = metapage_at(domain->regions_page)};
    domain->space = space;
    domain->state = DOMAIN_ALIVE;
    return 1;
}

void domain_end(struct domain *domain) {
    pagemap_end(&domain->pages);
    metapage_release(domain->regions_page);
    domain->regions = (struct regions){0};
    domain->state = DOMAIN_RETIRED;
    domain->age = retired_count++;
}
