// SPDX-License-Identifier: MIT
#include "pager.h"
#include "control.h"
#include "demand.h"
#include "evict.h"
#include "module.h"
#include "transfer.h"

void pager_init(void) {
    framelist_init();
    metapage_init();
    domain_init();
    resident_reset();
    module_init();
    transfer_init();
    evict_surplus_due = 0;
    control_init();
    demand_init();
}

int pager_work(void) {
    int more = evict_surplus_due && evict_surplus();
    transfer_flush();
    return more;
}
