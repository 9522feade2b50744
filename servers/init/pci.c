// SPDX-License-Identifier: MIT
// PCI configuration space through ports 0xCF8 and 0xCFC: see pci.h.
#include "pci.h"

#include "report.h"

#define CONFIG_ADDRESS 0xcf8u
#define ADDRESS_OFFSET 0u  // within the range of ports
#define DATA_OFFSET 4u
#define ENABLE 0x80000000u
#define BUSES_MAX 8u  // buses behind bridges that are looked at

enum { ID = 0x00, COMMAND = 0x04, CLASS = 0x08, HEADER = 0x0c, BAR0 = 0x10, BUSES = 0x18,
       INTERRUPT = 0x3c };
#define COMMAND_IO 1u
#define COMMAND_MASTER 4u
#define CLASS_BRIDGE 0x0604u
#define NOTHING 0xffffffffu

static uint32_t ports;

void pci_open(void) {
    ports = slot_need();
    must(machine_ports_create(HANDLE(SLOT_MACHINE), ports, CONFIG_ADDRESS, 8),
         "take the PCI configuration ports");
}

static uint32_t config_read(uint32_t address, uint32_t at) {
    struct ports_in_out in = {NOTHING};
    if (ports_out(HANDLE(ports), ADDRESS_OFFSET, 4, ENABLE | address | at) != OK ||
        ports_in(HANDLE(ports), DATA_OFFSET, 4, &in) != OK) {
        return NOTHING;
    }
    return in.value;
}

static void config_write(uint32_t address, uint32_t at, uint32_t value) {
    (void)!ports_out(HANDLE(ports), ADDRESS_OFFSET, 4, ENABLE | address | at);
    (void)!ports_out(HANDLE(ports), DATA_OFFSET, 4, value);
}

// Size BAR 0 (all ones written, the fixed bits read back), switch the device on.
static int device_open(struct pci_device *device) {
    uint32_t bar = config_read(device->address, BAR0);
    uint32_t command = config_read(device->address, COMMAND) & 0xffffu;
    config_write(device->address, COMMAND, command & ~COMMAND_IO);
    config_write(device->address, BAR0, NOTHING);
    uint32_t mask = config_read(device->address, BAR0);
    config_write(device->address, BAR0, bar);
    config_write(device->address, COMMAND, command | COMMAND_IO | COMMAND_MASTER);
    device->first_port = bar & 0xfffcu;
    device->port_count = ~(mask | 3u) + 1;
    device->port_count &= 0xffffu;
    device->line = config_read(device->address, INTERRUPT) & 0xffu;
    return (bar & 1) && device->first_port != 0 && device->port_count != 0 && device->line < 16;
}

struct search {
    uint32_t id;
    struct pci_device *found;
    uint32_t bus[BUSES_MAX];  // to be looked at
    uint32_t bus_count;
};

// Look at one function; a bridge adds the bus behind it.
static int function_try(struct search *search, uint32_t address, uint32_t id) {
    if (id == search->id) {
        search->found->address = address;
        return device_open(search->found);
    }
    if (config_read(address, CLASS) >> 16 == CLASS_BRIDGE && search->bus_count < BUSES_MAX) {
        search->bus[search->bus_count++] = config_read(address, BUSES) >> 8 & 0xffu;
    }
    return 0;
}

static int device_try(struct search *search, uint32_t address) {
    uint32_t functions = 1;
    for (uint32_t function = 0; function < functions; function++) {
        uint32_t at = address | function << 8;
        uint32_t id = config_read(at, ID);
        if (id == NOTHING) {
            continue;
        }
        if (function == 0 && config_read(at, HEADER) & 0x800000u) {
            functions = 8;
        }
        if (function_try(search, at, id)) {
            return 1;
        }
    }
    return 0;
}

int pci_find(uint32_t vendor, uint32_t device, struct pci_device *found) {
    struct search search = {.id = vendor | device << 16, .found = found, .bus_count = 1};
    for (uint32_t i = 0; i < search.bus_count; i++) {
        for (uint32_t number = 0; number < 32; number++) {
            if (device_try(&search, search.bus[i] << 16 | number << 11)) {
                return 1;
            }
        }
    }
    return 0;
}
