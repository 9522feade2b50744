// SPDX-License-Identifier: MIT
// A legacy (transitional) virtio PCI device behind its I/O ports (BAR 0): handshake, queues,
// notification, interrupt status. Finds no devices: init does, and hands the ports over.
#pragma once
#include "queue.h"

// Reset the device and agree on features: *features becomes what both sides know.
__attribute__((warn_unused_result)) error_t virtio_start(handle_t ports, uint32_t wanted,
                                                         uint32_t *features);

// Read 1, 2 or 4 bytes of the device's own configuration.
__attribute__((warn_unused_result)) error_t virtio_config(handle_t ports, uint32_t offset,
                                                          uint32_t width, uint32_t *value);

// Give queue `number` memory of our pool, mapped at `at`, with `extra` zeroed pages behind it in
// the same run; *memory becomes the frame of `at`.
__attribute__((warn_unused_result)) error_t virtio_open(handle_t ports, uint16_t number, vaddr_t at,
                                                        uint32_t extra, struct virtio_queue *queue,
                                                        frame_t *memory);

// All queues are set up: let the device work.
__attribute__((warn_unused_result)) error_t virtio_ready(handle_t ports);

// Stop the device: it does no DMA afterwards.
__attribute__((warn_unused_result)) error_t virtio_reset(handle_t ports);

// Publish what was added, and notify the device if it wants that.
__attribute__((warn_unused_result)) error_t virtio_submit(handle_t ports,
                                                          struct virtio_queue *queue);

// Read the interrupt status, which takes the level-triggered line back. Read it before irq_ack.
__attribute__((warn_unused_result)) error_t virtio_interrupt(handle_t ports, uint32_t *status);
