/* The block device `storage`, in images that were built with it (UNIZONE_BLOCK): one call for each block. */
#include "guest.h"
#include "hvt.h"

#ifdef UNIZONE_BLOCK
static enum uz_result request(struct disk *disk, enum disk_operation operation, uint64_t sector, size_t size)
{
	if (operation == DISK_FLUSH)	/* the ABI has no such call: a write that has returned is the host's */
		return UZ_OK;
	struct hvt_block call = {HVT_STORAGE, sector * disk->sector_size, disk->buffer, size, HVT_AGAIN};
	hvt_call(operation == DISK_READ ? HVT_BLOCK_READ : HVT_BLOCK_WRITE, &call);
	return call.result == HVT_OK ? UZ_OK : UZ_FAILED;
}

void block_init(const struct hvt_manifest *manifest)
{
	static struct disk disk = {.request = request};
	const struct hvt_device *storage = &manifest->devices[HVT_STORAGE];
	if (!storage->is_attached || !storage->block.block_size)
		return;
	disk.sector_size = storage->block.block_size;
	disk.sectors = storage->block.capacity / disk.sector_size;
	disk_add(&disk, disk.sector_size);
}
#else
void block_init(const struct hvt_manifest *manifest) { (void)manifest; }
#endif
