/* The block device `storage`, in images that were built with it (UNIZONE_BLOCK): one call for each block. */
#include "guest.h"
#include "hvt.h"

static struct uz_block_info info;
static unsigned count;

void block_init(const struct hvt_manifest *manifest)
{
#ifdef UNIZONE_BLOCK
	const struct hvt_device *storage = &manifest->devices[HVT_STORAGE];
	if (!storage->is_attached || !storage->block.block_size)
		return;
	info.sector_size = storage->block.block_size;
	info.sectors = storage->block.capacity / info.sector_size;
	count = 1;
#else
	(void)manifest;
#endif
}

unsigned uz_block_count(void) { return count; }

enum uz_result uz_block_info(unsigned device, struct uz_block_info *to)
{
	if (device >= count)
		return UZ_INVALID;
	*to = info;
	return UZ_OK;
}

static enum uz_result transfer(int number, unsigned device, uint64_t sector, const uint8_t *data, size_t size)
{
	size_t block = info.sector_size;
	if (device >= count || size % block || sector > info.sectors || size / block > info.sectors - sector)
		return UZ_INVALID;
	for (size_t done = 0; done < size; done += block) {
		struct hvt_block call = {HVT_STORAGE, sector * block + done, (void *)(data + done), block, HVT_AGAIN};
		hvt_call(number, &call);
		if (call.result != HVT_OK)
			return UZ_FAILED;
	}
	return UZ_OK;
}

enum uz_result uz_block_read(unsigned device, uint64_t sector, uint8_t *data, size_t size)
{
	return transfer(HVT_BLOCK_READ, device, sector, data, size);
}

enum uz_result uz_block_write(unsigned device, uint64_t sector, const uint8_t *data, size_t size)
{
	return transfer(HVT_BLOCK_WRITE, device, sector, data, size);
}

/* The ABI has no such call: a write that has returned is the host's. */
enum uz_result uz_block_flush(unsigned device) { return device < count ? UZ_OK : UZ_INVALID; }
