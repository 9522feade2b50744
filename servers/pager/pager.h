// SPDX-License-Identifier: MIT
// The pager as a whole: set up, and what is done between messages.
#pragma once

// Empty structures; the machine answers already.
void pager_init(void);

// Work that waits: evict what is over a limit, hand transfers to the block server. Call it before
// waiting for the next message. True: there is more, so look for messages without waiting.
int pager_work(void);
