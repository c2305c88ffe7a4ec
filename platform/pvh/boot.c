/* What the loader says: RAM, the command line and ACPI's root, in the words of PVH and of both multiboots. */
#include <string.h>

#include "guest.h"
#include "pvh.h"

extern const uint32_t boot_protocol, boot_information;

enum { PVH, MULTIBOOT, PVH_MAGIC = 0x336ec578, RAM = 1, HAS_COMMAND_LINE = 1 << 2, HAS_MAP = 1 << 6, LINE = 4096, ROOT = 36 };

struct pvh_information {
	uint32_t magic, version, flags, modules;
	uint64_t module_list, command_line, acpi, map;
	uint32_t map_entries, reserved;
};

struct pvh_range {
	uint64_t start, size;
	uint32_t type, reserved;
};

struct multiboot_information {
	uint32_t flags, low, high, device, command_line, modules[2], symbols[4], map_size, map;
};

struct __attribute__((packed)) multiboot_range {
	uint32_t size;	/* of what follows */
	uint64_t start, length;
	uint32_t type;
};

/* Multiboot 2: tags one after the other, each aligned to 8. */
struct tag {
	uint32_t type, size;
	char text[];
};

struct map_tag {
	uint32_t type, size, entry_size, version;
	struct {
		uint64_t start, length;
		uint32_t type, reserved;
	} entries[];
};

static char line[LINE];
static uint8_t root[ROOT];
static uint64_t acpi;

/* The loader's text lies in memory that the page tables will not have. */
static void keep_line(uint64_t address)
{
	const char *from = (const char *)address;
	if (address && strnlen(from, LINE) < LINE)
		strcpy(line, from);
	else if (address)
		refuse("boot parameters: more than %d characters", LINE);
}

static unsigned pvh(struct memory_range *ranges, unsigned limit)
{
	const struct pvh_information *information = (const void *)(uint64_t)boot_information;
	if (information->magic != PVH_MAGIC || information->version < 1)
		refuse("started by PVH without a memory map (start_info version 1 is needed)");
	keep_line(information->command_line);
	acpi = information->acpi;
	const struct pvh_range *map = (const void *)information->map;
	unsigned count = 0;
	for (unsigned i = 0; i < information->map_entries && count < limit; i++)
		if (map[i].type == RAM)
			ranges[count++] = (struct memory_range){map[i].start, map[i].start + map[i].size};
	return count;
}

/* The first word is the image's own name. */
static void drop_name(void)
{
	char *space = strchr(line, ' ');
	memmove(line, space ? space + 1 : "", strlen(space ? space + 1 : "") + 1);
}

static unsigned multiboot(struct memory_range *ranges, unsigned limit)
{
	const struct multiboot_information *information = (const void *)(uint64_t)boot_information;
	if (!(information->flags & HAS_MAP))
		refuse("started by multiboot without a memory map");
	if (information->flags & HAS_COMMAND_LINE) {
		keep_line(information->command_line);
		drop_name();
	}
	unsigned count = 0;
	const char *next = (const char *)(uint64_t)information->map, *end = next + information->map_size;
	while (next < end && count < limit) {
		const struct multiboot_range *entry = (const void *)next;
		if (entry->type == RAM)
			ranges[count++] = (struct memory_range){entry->start, entry->start + entry->length};
		next += entry->size + sizeof entry->size;
	}
	return count;
}

static unsigned multiboot2(struct memory_range *ranges, unsigned limit)
{
	enum { END = 0, COMMAND_LINE = 1, MAP = 6, ACPI_OLD = 14, ACPI_NEW = 15 };
	unsigned count = 0;
	const struct tag *tag = (const void *)((uint64_t)boot_information + 8);
	for (; tag->type != END; tag = (const void *)(((uint64_t)tag + tag->size + 7) & -8ul)) {
		const struct map_tag *map = (const void *)tag;
		if (tag->type == COMMAND_LINE) {
			keep_line((uint64_t)tag->text);
			drop_name();
		} else if (tag->type == MAP) {
			for (unsigned i = 0; i < (map->size - sizeof *map) / map->entry_size && count < limit; i++)
				if (map->entries[i].type == RAM)
					ranges[count++] = (struct memory_range){map->entries[i].start,
										map->entries[i].start + map->entries[i].length};
		} else if (tag->type == ACPI_NEW || (tag->type == ACPI_OLD && !acpi)) {
			size_t size = tag->size - sizeof *tag;
			memcpy(root, tag->text, size < ROOT ? size : ROOT);
			acpi = (uint64_t)root;
		}
	}
	return count;
}

unsigned target_memory(struct memory_range *ranges, unsigned limit)
{
	console_init();
	if (boot_protocol == PVH)
		return pvh(ranges, limit);
	return boot_protocol == MULTIBOOT ? multiboot(ranges, limit) : multiboot2(ranges, limit);
}

const char *target_command_line(void) { return line; }

uint64_t boot_acpi(void) { return acpi; }
