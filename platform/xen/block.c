/* Block devices: one request at a time, of pages that the backend's domain reads and writes (io/blkif.h). */
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "xen.h"

enum { RING = 32, PAGES = 11, SECTOR = 512, PAGE_SECTORS = PAGE_SIZE / SECTOR, DEVICES = 4, PATH = 96, NAMES = 256 };
enum { FLUSH = 3 };

struct shared {
	struct ring ring;
	union {
		struct {
			uint8_t operation, parts;
			uint16_t device;
			uint64_t id, sector;
			struct {
				uint32_t grant;
				uint8_t first, last;	/* sectors of the page */
			} part[PAGES];
		} request;
		struct {
			uint64_t id;
			uint8_t operation;
			int16_t status;
		} response;
	} entries[RING];
};

static struct block {
	struct disk disk;
	volatile struct shared *shared;
	uint32_t event, taken, grants[PAGES];
	uint16_t number;
	uint8_t can_flush;
} blocks[DEVICES];

static enum uz_result request(struct disk *disk, enum disk_operation operation, uint64_t sector, size_t size)
{
	struct block *block = (struct block *)disk;
	uint8_t number = operation == DISK_FLUSH ? FLUSH : operation;
	if (operation == DISK_FLUSH && !block->can_flush)
		return UZ_OK;	/* the backend has nothing of its own that it could lose */
	volatile struct ring *ring = &block->shared->ring;
	volatile typeof(block->shared->entries[0]) *entry = &block->shared->entries[ring->request_given % RING];
	unsigned parts = 0;
	for (size_t sectors = size / SECTOR; sectors; parts++) {
		size_t here = sectors < PAGE_SECTORS ? sectors : PAGE_SECTORS;
		entry->request.part[parts].grant = block->grants[parts];
		entry->request.part[parts].first = 0;
		entry->request.part[parts].last = (uint8_t)(here - 1);
		sectors -= here;
	}
	entry->request.operation = number;
	entry->request.parts = (uint8_t)parts;
	entry->request.device = block->number;
	entry->request.id = ring->request_given;
	entry->request.sector = sector;
	ring->response_event = block->taken + 1;
	barrier();
	uint32_t before = ring->request_given;
	ring->request_given = before + 1;
	ring_tell(ring, block->event, before);
	uint64_t end = uz_clock_monotonic() + DISK_PATIENCE_S * NANOSECONDS;
	while (ring->response_given == block->taken) {
		if (uz_clock_monotonic() > end)
			return disk_leave(disk, 1);
		xen_wait(block->event, 0, end);
		xen_clear(block->event);
	}
	barrier();
	entry = &block->shared->entries[block->taken++ % RING];
	if (entry->response.id != before || entry->response.operation != number)
		return disk_leave(disk, 0);
	return entry->response.status ? UZ_FAILED : UZ_OK;
}

static void start(struct block *block, const char *name)
{
	char frontend[PATH] = "device/vbd/", backend[PATH];
	strcat(frontend, name);
	if (!store_read(frontend, "backend", backend, sizeof backend))
		return;
	uint16_t domain = (uint16_t)store_number(frontend, "backend-id");
	device_await(backend, DEVICE_WAITING);
	block->number = (uint16_t)strtoul(name, NULL, 10);
	block->shared = device_page();
	block->event = xen_event(domain);
	store_write_number(frontend, "ring-ref", xen_grant(domain, (const void *)block->shared, 0));
	store_write_number(frontend, "event-channel", block->event);
	store_write(frontend, "protocol", "x86_64-abi");
	store_write_number(frontend, "state", DEVICE_CONNECTED);
	device_await(backend, DEVICE_CONNECTED);
	if (store_number(backend, "sector-size") != SECTOR) {
		say("unizone: the sectors of %s are not of %d octets, and it is left alone\n", frontend, SECTOR);
		return;
	}
	block->can_flush = store_number(backend, "feature-flush-cache") != 0;
	block->disk.sector_size = SECTOR;
	block->disk.sectors = store_number(backend, "sectors");
	block->disk.request = request;
	disk_add(&block->disk, PAGES * PAGE_SIZE);
	for (unsigned i = 0; i < PAGES; i++)
		block->grants[i] = xen_grant(domain, block->disk.buffer + i * PAGE_SIZE, 0);
}

void block_init(void)
{
	char names[NAMES];
	if (!store_list("device", "vbd", names, sizeof names))
		return;
	unsigned count = 0;
	for (const char *name = names; *name && count < DEVICES; name += strlen(name) + 1)
		start(&blocks[count++], name);
}
