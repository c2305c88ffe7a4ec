/* Block devices (virtio 1.2, 5.2): one request at a time, waited for within a bound. */
#include "guest.h"
#include "virtio.h"

enum { FLUSH = 4, SECTOR = 512, DEVICES = 4, BUFFER = 16 * PAGE_SIZE };

#define FEATURE_FLUSH (1ull << 9)

static struct block {
	struct disk disk;
	struct virtio device;
	struct queue queue;
	struct {
		uint32_t type, reserved;
		uint64_t sector;
	} request;
	volatile uint8_t status;
	uint8_t can_flush;
} blocks[DEVICES];
static unsigned count;

static enum uz_result request(struct disk *disk, enum disk_operation operation, uint64_t sector, size_t size)
{
	struct block *block = (struct block *)disk;
	if (operation == DISK_FLUSH && !block->can_flush)
		return UZ_OK;	/* 5.2.5.1: a device without the feature writes through */
	block->request.type = operation == DISK_FLUSH ? FLUSH : operation;
	block->request.sector = sector;
	block->status = 0xff;
	struct ring_descriptor parts[] = {
		{.address = (uint64_t)&block->request, .size = sizeof block->request},
		{.address = (uint64_t)disk->buffer, .size = (uint32_t)size, .flags = operation == DISK_READ ? DEVICE_WRITES : 0},
		{.address = (uint64_t)&block->status, .size = 1, .flags = DEVICE_WRITES},
	};
	if (!size)
		parts[1] = parts[2];
	queue_add_chain(&block->queue, parts, size ? 3 : 2);
	queue_tell(&block->device, &block->queue);
	uint16_t descriptor;
	uint32_t written;	/* not looked at: bhyve, for one, always says 1 */
	if (!queue_await(&block->queue, DISK_PATIENCE_S, &descriptor, &written))
		return disk_leave(disk, 1);
	if (descriptor)
		return disk_leave(disk, 0);
	return block->status ? UZ_FAILED : UZ_OK;
}

void block_device(const struct virtio *found)
{
	if (count == DEVICES)
		return;
	struct block *block = &blocks[count];
	block->device = *found;
	struct virtio *device = &block->device;
	device->has_interrupts = 0;	/* it is waited for */
	if (!virtio_start(device, FEATURE_FLUSH | FEATURE_VERSION_1, &block->queue, 1))
		return;
	count++;
	block->can_flush = !!(device->transport->features(device) & FEATURE_FLUSH);
	block->disk.sector_size = SECTOR;
	block->disk.request = request;
	for (unsigned i = 0; i < sizeof block->disk.sectors; i++)
		block->disk.sectors |= (uint64_t)device->transport->configuration(device, i) << 8 * i;
	virtio_ready(device);
	disk_add(&block->disk, BUFFER);
}
