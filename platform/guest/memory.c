/* Pages of RAM: a bitmap over all of it, searched from where the last search ended. */
#include <string.h>

#include "guest.h"

extern char image_start[], image_end[];

/* What CPython takes until the first zone is served, about; of it above an image that lies high in a small machine. */
enum { LEAST = 15 << 20, LEAST_ABOVE = 6 << 20 };

static uint64_t *used;		/* one bit a page; 1 is in use, or no RAM */
static size_t pages;		/* bits in the map */
static size_t cursor;		/* where the next search begins */
static size_t total, left;	/* octets: of all that can be given, and of what is not */
static size_t given, forget_at = 256;	/* pages */

static int is_used(size_t page) { return used[page / 64] >> (page % 64) & 1; }

static void mark(size_t first, size_t count, int value)
{
	for (size_t page = first; page < first + count; page++) {
		if (is_used(page) == value)
			continue;
		used[page / 64] ^= 1ull << (page % 64);
		left += value ? -PAGE_SIZE : PAGE_SIZE;
	}
}

static uint64_t up(uint64_t address) { return (address + PAGE_SIZE - 1) & -PAGE_SIZE; }

/* What of a range may be used: whole pages above the first megabyte, which belongs to firmware. */
static struct memory_range usable(const struct memory_range *range)
{
	enum { FIRMWARE_END = 1 << 20 };
	return (struct memory_range){up(range->start > FIRMWARE_END ? range->start : FIRMWARE_END), range->end & -PAGE_SIZE};
}

void memory_init(const struct memory_range *ranges, unsigned count)
{
	uint64_t image_top = up((uint64_t)image_end), top = 0, room = 0;
	for (unsigned i = 0; i < count; i++)
		if (ranges[i].end > top)
			top = ranges[i].end;
	pages = top / PAGE_SIZE;
	size_t size = up((pages + 63) / 64 * 8);
	for (unsigned i = 0; i < count && !room; i++) {
		struct memory_range range = usable(&ranges[i]);
		uint64_t start = range.start > image_top ? range.start : image_top;
		if (start < range.end && range.end - start > size)
			room = start;
	}
	if (!room)
		refuse("memory: no RAM above the image, which ends at %lu KB; give the machine at least %lu MB", image_top >> 10,
		       ((image_top + LEAST_ABOVE) >> 20) + 1);
	used = (uint64_t *)room;
	memset(used, 0xff, size);
	for (unsigned i = 0; i < count; i++) {
		struct memory_range range = usable(&ranges[i]);
		if (range.start < range.end)
			mark(range.start / PAGE_SIZE, (range.end - range.start) / PAGE_SIZE, 0);
	}
	uint64_t image_bottom = (uint64_t)image_start & -PAGE_SIZE;
	mark(image_bottom / PAGE_SIZE, (image_top - image_bottom) / PAGE_SIZE, 1);
	mark(room / PAGE_SIZE, size / PAGE_SIZE, 1);
	total = left;
	if (total < LEAST)
		refuse("memory: the image leaves %lu KB of RAM and takes %u KB to start; give the machine at least %lu MB",
		       total >> 10, LEAST >> 10, ((top + LEAST - total) >> 20) + 1);
}

/* First page of a free run of `count` in [from, to), or 0 (page 0 is never free). */
static size_t search(size_t from, size_t to, size_t count)
{
	size_t run = 0;
	for (size_t page = from; page < to; page++) {
		if (page % 64 == 0 && used[page / 64] == UINT64_MAX) {
			run = 0;
			page += 63;
		} else if (is_used(page)) {
			run = 0;
		} else if (++run == count) {
			return page + 1 - count;
		}
	}
	return 0;
}

/* Without memset(), whose `rep stos` an emulator does octet by octet. */
__attribute__((optimize("no-tree-loop-distribute-patterns")))
void *memory_pages(size_t count)
{
	size_t page = search(cursor, pages, count);
	if (!page)
		page = search(0, pages, count);
	if (!page)
		return NULL;
	mark(page, count, 1);
	cursor = page + count;
	given += count;
	if (given >= forget_at) {
		forget_at = 2 * given;
		paging_forget();
	}
	uint64_t *word = (uint64_t *)(page * PAGE_SIZE);
	for (size_t i = 0; i < count * PAGE_SIZE / sizeof *word; i += 4)
		word[i] = word[i + 1] = word[i + 2] = word[i + 3] = 0;
	return word;
}

void memory_free(void *start, size_t count)
{
	size_t page = (size_t)start / PAGE_SIZE;
	if (page + count > pages)
		panic("memory: %p is freed and was never given", start);
	mark(page, count, 0);
	if (page < cursor)
		cursor = page;	/* low addresses first: memory that was never touched stays so */
}

uint64_t uz_memory(void) { return total; }
uint64_t uz_memory_free(void) { return left; }

uint64_t memory_top(void) { return pages * PAGE_SIZE; }
