/* Block devices (virtio 1.2, 5.2): one request at a time through a buffer of our own, waited for within a bound. */
#include <string.h>

#include "guest.h"
#include "virtio.h"

enum { READ, WRITE, FLUSH = 4, SECTOR = 512, DEVICES = 4, BUFFER = 16 * PAGE_SIZE, PATIENCE_S = 10 };

#define FEATURE_FLUSH (1ull << 9)

struct block {
	struct virtio device;
	struct queue queue;
	uint64_t sectors;
	uint8_t *buffer;	/* the device may write to it whenever it likes, so it is never anybody else's */
	struct {
		uint32_t type, reserved;
		uint64_t sector;
	} request;
	volatile uint8_t status;
	uint8_t can_flush, is_stuck;
};

static struct block blocks[DEVICES];
static unsigned count;

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
	block->can_flush = !!(device->transport->features(device) & FEATURE_FLUSH);
	for (unsigned i = 0; i < sizeof block->sectors; i++)
		block->sectors |= (uint64_t)device->transport->configuration(device, i) << 8 * i;
	block->buffer = memory_pages(BUFFER / PAGE_SIZE);
	if (!block->buffer)
		refuse("memory: too little RAM for the buffer of a block device");
	virtio_ready(device);
	count++;
}

/* One request with `size` octets of the buffer. A device that doesn't answer is not asked again. */
static enum uz_result request(struct block *block, uint32_t type, uint64_t sector, size_t size)
{
	if (block->is_stuck)
		return UZ_FAILED;
	block->request.type = type;
	block->request.sector = sector;
	block->status = 0xff;
	struct ring_descriptor parts[3] = {{.address = (uint64_t)&block->request, .size = sizeof block->request}};
	unsigned used = 1;
	if (size)
		parts[used++] = (struct ring_descriptor){
			.address = (uint64_t)block->buffer,
			.size = (uint32_t)size,
			.flags = type == READ ? DEVICE_WRITES : 0,
		};
	parts[used++] = (struct ring_descriptor){
		.address = (uint64_t)&block->status,
		.size = 1,
		.flags = DEVICE_WRITES,
	};
	queue_add_chain(&block->queue, parts, used);
	queue_tell(&block->device, &block->queue);
	uint16_t descriptor;
	uint32_t written;	/* not looked at: bhyve, for one, always says 1 */
	if (!queue_await(&block->queue, PATIENCE_S, &descriptor, &written)) {
		say("unizone: a block device has not answered for %d seconds and is left alone\n", PATIENCE_S);
		block->is_stuck = 1;
	} else if (descriptor) {
		say("unizone: a block device answers what it was not asked and is left alone\n");
		block->is_stuck = 1;
	}
	return block->is_stuck || block->status ? UZ_FAILED : UZ_OK;
}

unsigned uz_block_count(void) { return count; }

enum uz_result uz_block_info(unsigned number, struct uz_block_info *info)
{
	if (number >= count)
		return UZ_INVALID;
	*info = (struct uz_block_info){.sectors = blocks[number].sectors, .sector_size = SECTOR};
	return UZ_OK;
}

static int is_inside(unsigned number, uint64_t sector, size_t size)
{
	return number < count && size % SECTOR == 0 && sector <= blocks[number].sectors &&
	       size / SECTOR <= blocks[number].sectors - sector;
}

enum uz_result uz_block_read(unsigned number, uint64_t sector, uint8_t *data, size_t size)
{
	if (!is_inside(number, sector, size))
		return UZ_INVALID;
	for (size_t done = 0, part; done < size; done += part) {
		part = size - done < BUFFER ? size - done : BUFFER;
		if (request(&blocks[number], READ, sector + done / SECTOR, part) != UZ_OK)
			return UZ_FAILED;
		memcpy(data + done, blocks[number].buffer, part);
	}
	return UZ_OK;
}

enum uz_result uz_block_write(unsigned number, uint64_t sector, const uint8_t *data, size_t size)
{
	if (!is_inside(number, sector, size))
		return UZ_INVALID;
	for (size_t done = 0, part; done < size; done += part) {
		part = size - done < BUFFER ? size - done : BUFFER;
		memcpy(blocks[number].buffer, data + done, part);
		if (request(&blocks[number], WRITE, sector + done / SECTOR, part) != UZ_OK)
			return UZ_FAILED;
	}
	return UZ_OK;
}

enum uz_result uz_block_flush(unsigned number)
{
	if (number >= count)
		return UZ_INVALID;
	/* 5.2.5.1: a device without the feature writes through. */
	return blocks[number].can_flush ? request(&blocks[number], FLUSH, 0, 0) : UZ_OK;
}
