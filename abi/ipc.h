// SPDX-License-Identifier: MIT
// The message path: operations, registers, tags, the message buffer, rights.
// What the single messages are stands in ipc.def; message.h expands it.
#pragma once
#include "types.h"

// Operation, in the low four bits of eax beside a handle (a handle is a multiple of 16).
enum operation {
    OP_CALL = 0,        // eax handle, esi - , ebx tag, edi/ebp words 0, 1
    OP_RECEIVE = 1,     // eax port (0: wait for the thread's event alone)
    OP_POLL = 2,        // as OP_RECEIVE, but E_EMPTY instead of waiting
    OP_REPLY = 3,       // ebx token, esi tag, edi/ebp words 0, 1 (eax handle unused)
    OP_REPLY_RECEIVE = 4,
    OP_SIGNAL = 5,      // eax event: sets the bits of the handle's badge
    OP_COUNT
};

// Tag: label (16 bits), words (7), handles (3), map items (5), error (1).
// With the error bit set the whole word is -(error), so that 0 > (int32_t)tag tells them apart.
#define TAG_WORDS_MAX 64u
#define TAG_HANDLES_MAX 4u
#define TAG_ITEMS_MAX 16u
#define TAG_WORDS_SHIFT 16
#define TAG_ITEMS_SHIFT 26
#define TAG(label, words, handles, items) \
    ((tag_t)((label) | (uint32_t)(words) << TAG_WORDS_SHIFT | (uint32_t)(handles) << 23 | \
             (uint32_t)(items) << TAG_ITEMS_SHIFT))
#define TAG_LABEL(tag) ((tag) & 0xffffu)
#define TAG_WORDS_MASK 0x7f0000u
#define TAG_WORDS(tag) (((tag) & TAG_WORDS_MASK) >> TAG_WORDS_SHIFT)
#define TAG_HANDLES(tag) ((tag) >> 23 & 7u)
#define TAG_ITEMS(tag) ((tag) >> TAG_ITEMS_SHIFT & 0x1fu)
#define TAG_ERROR(error) ((tag_t)(-(int32_t)(error)))
#define TAG_IS_ERROR(tag) ((int32_t)(tag) < 0)
#define TAG_TO_ERROR(tag) ((error_t)(TAG_IS_ERROR(tag) ? -(int32_t)(tag) : 0))

// Token: object slot of the waiting thread (15 bits) and number of its call (17 bits); never 0.
#define TOKEN_SLOT(token) ((token) & 0x7fffu)
#define TOKEN_STEP 0x8000u  // from a thread's call to its next

#define HANDLE(index) ((handle_t)((index) * 16u))
#define HANDLE_INDEX(handle) ((handle) >> 4)

// One entry of a map, unmap, protect or frame list: eight bytes.
// map:     page | MAP_ rights, frame << 8 | FRAME_ flags
// unmap:   page in; the kernel writes frame << 8 | FRAME_ACCESSED, FRAME_DIRTY back
// protect: page | MAP_ rights in; flags back as with unmap
// frames:  page unused, frame << 8 (frames_alloc writes, frames_free and frames_give read)
struct map_item {
    uint32_t page;
    uint32_t frame;
};
_Static_assert(sizeof(struct map_item) == 8, "a map item is two words");

#define MAP_READ 1u
#define MAP_WRITE 2u
#define MAP_EXECUTE 4u
#define MAP_RIGHTS 7u
#define FRAME_ZERO 1u      // map: zero the frame before it is mapped
#define FRAME_ACCESSED 2u  // unmap, protect: the entry's Accessed bit was set
#define FRAME_DIRTY 4u     // unmap, protect: the entry's Dirty bit was set
#define FRAME_FLAGS 0xffu
#define ITEM_FRAME(item) ((item).frame >> 8)

// The message buffer: one wired page per thread, mapped for the user, never faulting.
// word[0] and word[1] travel in registers (so does word[2] of a reply on its way to the caller);
// lists to and from kernel objects use the whole page from its beginning.
#define IOMEM_MAX 128u  // frames of an object for device memory
#define LIST_MAX 512u
#define SCAN_MAX 1024u  // pages of a scan
struct message_buffer {
    union {
        struct {
            uint32_t word[TAG_WORDS_MAX];
            handle_t handle[TAG_HANDLES_MAX];  // sent: handles to copy; received: where they went
            handle_t offer[TAG_HANDLES_MAX];   // empty slots that a receive may fill; 0: none
            uint32_t reserved[56];
            struct map_item item[TAG_ITEMS_MAX];  // items 1 to 15 of a reply that maps
        };
        struct map_item list[LIST_MAX];
        uint32_t bitmap[2][32];  // scan: accessed, dirty; bit n of word n / 32 is page n
        char bytes[PAGE_SIZE];
    };
};
_Static_assert(sizeof(struct message_buffer) == PAGE_SIZE, "a message buffer is one page");
_Static_assert(offsetof(struct message_buffer, item) == 512, "map items stand at byte 512");

#define PRIORITY_MAX 31u  // of threads, and rank of ports

// Rights of a handle.
enum right {
    RIGHT_CALL = 1,      // port: call it; kernel object: ask it what changes nothing
    RIGHT_RECEIVE = 2,   // port: receive from it
    RIGHT_SIGNAL = 4,    // event: signal it, bind a source to it
    RIGHT_MAP = 8,       // task: change its address space
    RIGHT_CONTROL = 16,  // change, create in, destroy
    RIGHT_GRANT = 32,    // may be copied to another task
    RIGHT_ALLOCATE = 64, // pool: take and give back frames
    RIGHT_ACCESS = 128,  // pool: read and write the contents of its frames
    RIGHT_ALL = 255,
};

// Tags that no server sends: the label of what a receive hands over when bits of the thread's
// event were set (word 0: the bits, token and badge 0).
#define LABEL_EVENT 0x0e00u
// Labels of servers' messages are at least this. A call with a smaller one is not on the fast path.
#define LABEL_SERVER 0x1000u
