/*
 * Page tables: every address is its physical address. Code can be executed and not written, data written and not
 * executed; page 0, the pages around the stacks and all that is no RAM are absent.
 */
#include <string.h>

#include "guest.h"
#include "x86.h"

enum {
	PRESENT = 1 << 0,
	WRITABLE = 1 << 1,
	WRITE_THROUGH = 1 << 3,
	UNCACHED = 1 << 4,
	LARGE = 1 << 7,
};
#define NO_EXECUTE (1ull << 63)
#define ADDRESS 0x000ffffffffff000ull
#define LARGE_SIZE (2ul << 20)

extern char image_start[], text_start[], text_end[], rodata_end[], image_end[];
extern char stack_guard[], trap_stack_guard[];

static uint64_t *root;

/* The table that `entry` points to, made when it is absent. */
static uint64_t *below(uint64_t *entry)
{
	if (!(*entry & PRESENT)) {
		void *table = memory_pages(1);
		if (!table)
			refuse("memory: too little RAM for page tables");
		*entry = (uint64_t)table | PRESENT | WRITABLE;
	}
	return (uint64_t *)(*entry & ADDRESS);
}

static uint64_t *directory_entry(uint64_t address)
{
	uint64_t *pointers = below(&root[address >> 39 & 511]);
	uint64_t *directory = below(&pointers[address >> 30 & 511]);
	return &directory[address >> 21 & 511];
}

static void map_page(uint64_t address, uint64_t flags)
{
	uint64_t *table = below(directory_entry(address));
	table[address >> 12 & 511] = address | flags;
}

static uint64_t flags_of(uint64_t address)
{
	if (address < PAGE_SIZE || address == (uint64_t)stack_guard || address == (uint64_t)trap_stack_guard)
		return 0;
	if (address >= (uint64_t)text_start && address < (uint64_t)text_end)
		return PRESENT;
	if (address >= (uint64_t)image_start && address < (uint64_t)rodata_end)
		return PRESENT | NO_EXECUTE;
	return PRESENT | WRITABLE | NO_EXECUTE;
}

void paging_init(const struct memory_range *ranges, unsigned count)
{
	root = memory_pages(1);
	if (!root)
		refuse("memory: too little RAM for page tables");
	/* Small pages as far as the image goes, large ones for the rest of RAM. */
	uint64_t small_end = ((uint64_t)image_end + LARGE_SIZE - 1) & -LARGE_SIZE;
	for (uint64_t address = 0; address < small_end; address += PAGE_SIZE)
		map_page(address, flags_of(address));
	for (unsigned i = 0; i < count; i++) {
		uint64_t start = ranges[i].start & -LARGE_SIZE;
		for (uint64_t address = start > small_end ? start : small_end; address < ranges[i].end; address += LARGE_SIZE)
			*directory_entry(address) = address | PRESENT | WRITABLE | LARGE | NO_EXECUTE;
	}
	__asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory");

	uint64_t cr0, cr4;
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0 | CR0_WRITE_PROTECT));
	/* No page is the user's, so these cost nothing and catch a page table that was tampered with. */
	uint32_t features = cpuid(7, 0).ebx;
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	cr4 |= (features & 1 << 7 ? CR4_SMEP : 0) | (features & 1 << 20 ? CR4_SMAP : 0);
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
}

void paging_forget(void)
{
	if (root)
		__asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory");
}

static void *map(uint64_t start, size_t size, uint64_t flags)
{
	if (!root)
		return (void *)start;	/* the loader's tables, or ours of the start, map everything */
	for (uint64_t page = start & -PAGE_SIZE; page < start + size; page += PAGE_SIZE) {
		uint64_t *directory = directory_entry(page);
		if (*directory & LARGE || below(directory)[page >> 12 & 511] & PRESENT)
			continue;	/* tables that firmware left beside RAM are mapped with it; nothing of the image changes */
		map_page(page, PRESENT | WRITABLE | NO_EXECUTE | flags);
		__asm__ volatile("invlpg (%0)" : : "r"(page) : "memory");
	}
	return (void *)start;
}

volatile void *paging_map_device(uint64_t start, size_t size) { return map(start, size, WRITE_THROUGH | UNCACHED); }
void *paging_map_shared(uint64_t start, size_t size) { return map(start, size, 0); }
