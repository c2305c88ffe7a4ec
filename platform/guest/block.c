/* Disks: what every target does with them, on top of one request at a time through a buffer of the device's own. */
#include <string.h>

#include "guest.h"

static struct disk *disks[4];
static unsigned count;

void disk_add(struct disk *disk, size_t most)
{
	if (count == array_length(disks))
		return;
	disk->limit = most / disk->sector_size * disk->sector_size;
	disk->buffer = memory_pages((most + PAGE_SIZE - 1) / PAGE_SIZE);
	if (!disk->buffer)
		refuse("memory: too little RAM for the buffer of a block device");
	disks[count++] = disk;
}

enum uz_result disk_leave(struct disk *disk, int is_silent)
{
	if (is_silent)
		say("unizone: a block device has not answered for %d seconds and is left alone\n", DISK_PATIENCE_S);
	else
		say("unizone: a block device answers what it was not asked and is left alone\n");
	disk->is_left = 1;
	return UZ_FAILED;
}

unsigned uz_block_count(void) { return count; }

enum uz_result uz_block_info(unsigned device, struct uz_block_info *info)
{
	if (device >= count)
		return UZ_INVALID;
	*info = (struct uz_block_info){.sectors = disks[device]->sectors, .sector_size = disks[device]->sector_size};
	return UZ_OK;
}

static enum uz_result transfer(unsigned device, enum disk_operation operation, uint64_t sector, uint8_t *data, size_t size)
{
	struct disk *disk = device < count ? disks[device] : NULL;
	if (!disk || size % disk->sector_size || sector > disk->sectors || size / disk->sector_size > disk->sectors - sector)
		return UZ_INVALID;
	for (size_t done = 0, part; done < size; done += part) {
		part = size - done < disk->limit ? size - done : disk->limit;
		if (operation == DISK_WRITE)
			memcpy(disk->buffer, data + done, part);
		if (disk->is_left || disk->request(disk, operation, sector + done / disk->sector_size, part) != UZ_OK)
			return UZ_FAILED;
		if (operation == DISK_READ)
			memcpy(data + done, disk->buffer, part);
	}
	return UZ_OK;
}

enum uz_result uz_block_read(unsigned device, uint64_t sector, uint8_t *data, size_t size)
{
	return transfer(device, DISK_READ, sector, data, size);
}

enum uz_result uz_block_write(unsigned device, uint64_t sector, const uint8_t *data, size_t size)
{
	return transfer(device, DISK_WRITE, sector, (uint8_t *)data, size);
}

enum uz_result uz_block_flush(unsigned device)
{
	if (device >= count)
		return UZ_INVALID;
	return disks[device]->is_left ? UZ_FAILED : disks[device]->request(disks[device], DISK_FLUSH, 0, 0);
}
