/* What the tender is told (two notes), and what it tells: RAM, the command line, the devices. */
#include <string.h>

#include "guest.h"
#include "hvt.h"

enum { TARGET_HVT = 1, ABI_VERSION = 2, NOTE_ABI = 0x31494241, NOTE_MANIFEST = 0x3154464d, LINE = 8192 };

struct note {
	uint32_t name_size, size, type;
	char name[8];
};

__attribute__((section(".note.boot"), used, aligned(4)))
static const struct {
	struct note header;
	uint32_t target, version, reserved[2];
} abi = {{6, 16, NOTE_ABI, "Solo5"}, TARGET_HVT, ABI_VERSION, {0, 0}};

__attribute__((section(".note.boot2"), used, aligned(8)))
static const struct {
	struct note header;
	uint32_t pad;	/* the manifest is aligned to 8 */
	struct hvt_manifest manifest;
} manifest = {
	{6, sizeof(struct hvt_manifest) + 4, NOTE_MANIFEST, "Solo5"},
	0,
	{1, HVT_DEVICES, {
		{.type = HVT_RESERVED},
		[HVT_SERVICE] = {.name = "service", .type = HVT_DEVICE_NETWORK},
#ifdef UNIZONE_BLOCK
		[HVT_STORAGE] = {.name = "storage", .type = HVT_DEVICE_BLOCK},
#endif
	}},
};

const struct hvt_boot *hvt_boot;
uint64_t hvt_cycle_frequency;
static char line[LINE];

unsigned target_memory(struct memory_range *ranges, unsigned limit)
{
	(void)limit;
	hvt_cycle_frequency = hvt_boot->cycle_frequency;
	strncpy(line, hvt_boot->command_line, LINE - 1);
	ranges[0] = (struct memory_range){0, hvt_boot->memory_size};
	return 1;
}

const char *target_command_line(void) { return line; }
