/* Block devices: none is looked for. */
#include "guest.h"

unsigned uz_block_count(void) { return 0; }

enum uz_result uz_block_info(unsigned device, struct uz_block_info *info)
{
	(void)device;
	(void)info;
	return UZ_INVALID;
}

enum uz_result uz_block_read(unsigned device, uint64_t sector, uint8_t *data, size_t size)
{
	(void)device;
	(void)sector;
	(void)data;
	(void)size;
	return UZ_INVALID;
}

enum uz_result uz_block_write(unsigned device, uint64_t sector, const uint8_t *data, size_t size)
{
	(void)device;
	(void)sector;
	(void)data;
	(void)size;
	return UZ_INVALID;
}

enum uz_result uz_block_flush(unsigned device)
{
	(void)device;
	return UZ_INVALID;
}
