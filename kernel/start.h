// SPDX-License-Identifier: MIT
// What only the start needs lies apart at the beginning of the image (kernel.ld), and is free memory
// from init's first instruction on: all of main.c, memory.c, multiboot.c and boot.asm, and what is
// marked here. The linker refuses code or data that stays and refers to it.
#pragma once

#define BOOT_TEXT __attribute__((section(".text.boot")))
#define BOOT_DATA __attribute__((section(".bss.boot")))  // begins as zeros

struct pool;

// The start is over: free its frames, run init. Called from there, on the kernel's stack.
__attribute__((noreturn)) void start_end(struct pool *root);
