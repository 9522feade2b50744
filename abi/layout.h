// SPDX-License-Identifier: MIT
// Where things lie in every task: addresses and well-known handle slots. Also read by NASM's
// constants generator; numbers only.
#pragma once

#define LAYOUT_KERNEL 0xc0000000u      // user space ends here
#define LAYOUT_USER_FIRST 0x00010000u  // below: never mapped, so that null pointers fault
#define LAYOUT_INT80 0xbfffe000u       // where vector 0x80 enters a handler of the task itself
#define LAYOUT_BUFFER 0xbffff000u      // message buffer of a task's first thread
#define LAYOUT_STACK_TOP 0xbff00000u   // end of the first thread's stack
#define LAYOUT_STACK_SIZE 0x00100000u  // programs; wired servers have LAYOUT_WIRED_STACK
#define LAYOUT_WIRED_STACK 0x00004000u
#define LAYOUT_START 0xbff80000u       // struct start_info, read-only (wired servers)
#define LAYOUT_RING 0xbff90000u        // ring shared by pager and block server
#define LAYOUT_CLOCK 0xbffa0000u       // struct clock, read-only (all tasks)
#define LAYOUT_MAP_FIRST 0x40000000u   // where the pager places what a program maps
#define LAYOUT_MAP_END 0xb0000000u

// Handle slots that init fills before a task starts; 0 is never a handle.
#define SLOT_TASK 1u      // the task itself
#define SLOT_THREAD 2u    // its first thread
#define SLOT_POOL 3u      // the pool it is charged to (servers: with the right to allocate)
#define SLOT_INIT 4u      // call init
#define SLOT_PAGER 5u     // call the pager
#define SLOT_CONSOLE 6u   // call the console
#define SLOT_PORT 7u      // the server's own port, to receive from
#define SLOT_EVENT 8u     // the server's own event, bound to its thread
#define SLOT_TIMER 9u     // a timer of its own
#define SLOT_TRACE 10u    // the trace object
#define SLOT_PORTS 11u    // I/O ports of its device
#define SLOT_IRQ 12u      // interrupt of its device
#define SLOT_PEER 13u     // pager: the block server's event; block: the pager's event
#define SLOT_STORE 14u    // block: the pager's pool, right to access contents
#define SLOT_MACHINE 15u  // init and tests: the machine object
#define SLOT_TRACER 16u   // call the tracer
#define SLOT_FREE 32u     // first slot that a task fills as it likes
#define SLOT_COUNT 256u   // slots of a table that fits one page
