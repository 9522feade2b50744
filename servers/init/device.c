// SPDX-License-Identifier: MIT
// Devices for the servers: see device.h. The arguments are those that block/block.h and
// tracer/tracer.h describe.
#include "device.h"

#include "early.h"
#include "pci.h"
#include "report.h"

enum { BLOCK_ON_DISK = 1, BLOCK_IN_RAM = 2 };
enum { TRACE_TO_CONSOLE = 1, TRACE_TO_DEBUG_PORT = 2 };
#define SERIAL_LINE 4u
#define DEBUG_PORT 0x403u  // not 0x402: the BIOS writes its own messages there
#define DEBUG_PORT_ANSWER 0xe9u  // what QEMU's debug port reads as
#define RECORD_FRAMES_MAX 256u

static uint32_t ports_take(uint32_t first, uint32_t count, const char *what) {
    uint32_t slot = slot_need();
    must(machine_ports_create(HANDLE(SLOT_MACHINE), slot, first, count), what);
    return slot;
}

static uint32_t irq_take(uint32_t line, const char *what) {
    uint32_t slot = slot_need();
    must(machine_irq_create(HANDLE(SLOT_MACHINE), slot, line), what);
    return slot;
}

// Without a size said, a store in RAM takes up to half of what is free.
static void store_assign(struct server *block) {
    uint32_t half = start_info()->frames_free / 2;
    uint32_t pages = command_line.store_pages;
    if (pages == 0) {
        pages = MIN_OF(COMMAND_STORE_PAGES, half);
    }
    if (pages > start_info()->frames_free) {
        fatal("store=ram: so many pages do not fit into memory: ask for fewer, or give the "
              "machine more (-m)", NULL);
    }
    block->argument[0] = BLOCK_IN_RAM;
    block->argument[1] = pages;
    block->store_frames = pages + pages / 512;  // and the tables that list them
}

static void disk_assign(struct server *block) {
    struct pci_device disk = {0};
    if (command_line.store == STORE_RAM ||
        !pci_find(PCI_VIRTIO, PCI_VIRTIO_BLOCK, &disk)) {
        if (command_line.store == STORE_DISK) {
            fatal("store=disk, but there is no virtio disk: give the machine one (-device "
                  "virtio-blk-pci,disable-modern=on), or boot with store=ram", NULL);
        }
        store_assign(block);
        return;
    }
    block->argument[0] = BLOCK_ON_DISK;
    block->ports = ports_take(disk.first_port, disk.port_count, "take the disk's ports");
    block->irq = irq_take(disk.line, "take the disk's interrupt");
}

static int debug_port_answers(uint32_t slot) {
    struct ports_in_out in = {0};
    return ports_in(HANDLE(slot), 0, 1, &in) == OK && in.value == DEBUG_PORT_ANSWER;
}

// Without a device there is nothing that the tracer could write to: it is not started.
static void trace_assign(struct server *tracer) {
    struct pci_device console = {0};
    if (pci_find(PCI_VIRTIO, PCI_VIRTIO_CONSOLE, &console)) {
        tracer->argument[0] = TRACE_TO_CONSOLE;
        tracer->ports = ports_take(console.first_port, console.port_count,
                                   "take the trace device's ports");
    } else {
        tracer->argument[0] = TRACE_TO_DEBUG_PORT;
        tracer->ports = ports_take(DEBUG_PORT, 1, "take the debug port");
        if (!debug_port_answers(tracer->ports)) {
            slot_drop(tracer->ports);
            tracer->plan = NULL;
        }
    }
    if (tracer->plan == NULL && command_line.trace) {
        fatal("trace=on, but there is no trace device: give the machine a virtio console "
              "(virtio-serial-pci) or a debug port at 0x403, or boot with trace=off", NULL);
    }
    uint32_t frames = 1;
    while (tracer->plan != NULL && frames * 4 <= tracer->plan->frames &&
           frames < RECORD_FRAMES_MAX) {
        frames *= 2;
    }
    tracer->argument[1] = frames;  // at most half of its pool, at least a quarter
    tracer->argument[2] = command_line.trace;
}

void devices_assign(void) {
    pci_open();
    servers[TASK_PAGER].argument[0] = command_line.seed;
    disk_assign(&servers[TASK_BLOCK]);
    servers[TASK_CONSOLE].argument[0] = EARLY_SERIAL;
    servers[TASK_CONSOLE].ports = early_serial_slot();
    servers[TASK_CONSOLE].irq = irq_take(SERIAL_LINE, "take the serial line's interrupt");
    if (servers[TASK_TRACER].plan != NULL) {
        trace_assign(&servers[TASK_TRACER]);
    }
}
