// SPDX-License-Identifier: MIT
// Finds legacy virtio devices on the PCI bus (PCI Local Bus 3.0, configuration mechanism #1) and
// gets them ready for the server that drives them. Drives nothing itself.
#pragma once
#include "init.h"

#define PCI_VIRTIO 0x1af4u
#define PCI_VIRTIO_BLOCK 0x1001u
#define PCI_VIRTIO_CONSOLE 0x1003u

struct pci_device {
    uint32_t address;     // bus << 16 | device << 11 | function << 8
    uint32_t first_port;  // BAR 0
    uint32_t port_count;
    uint32_t line;        // interrupt
};

void pci_open(void);
// The first device of that kind, switched on for I/O and bus mastering. False: there is none that
// can be used (no BAR of I/O ports, no interrupt line).
int pci_find(uint32_t vendor, uint32_t device, struct pci_device *found);
