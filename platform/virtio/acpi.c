/*
 * Power off, the one thing that ACPI is read for (ACPI 6.5): the sleep registers are in the FADT, and what to write for
 * state S5 in the DSDT, or fixed by the specification on machines with reduced hardware.
 */
#include <string.h>

#include "acpi.h"
#include "guest.h"
#include "pvh.h"
#include "virtio.h"
#include "x86.h"

enum {
	SCAN_START = 0xe0000,	/* where a BIOS leaves the pointer (5.2.5.1) */
	SCAN_END = 0x100000,
	HEADER = 36,		/* octets before the contents of a table (5.2.6) */
	S5 = 5,
};

static const struct acpi_fadt *fadt;

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;
	memcpy(&value, at, sizeof value);
	return value;
}

static uint64_t get64(const uint8_t *at) { return get32(at) | (uint64_t)get32(at + 4) << 32; }

/* A table, all of it accessible; NULL for an address that can't be one. */
static const uint8_t *table(uint64_t address)
{
	enum { LARGEST = 1 << 22 };
	if (!address)
		return NULL;
	const uint8_t *start = (const uint8_t *)paging_map_device(address, HEADER);
	uint32_t size = get32(start + 4);
	if (size < HEADER || size > LARGEST)
		return NULL;
	paging_map_device(address, size);
	return start;
}

static const uint8_t *root_pointer(void)
{
	if (boot_acpi())
		return (const uint8_t *)paging_map_device(boot_acpi(), HEADER);
	for (uint64_t at = SCAN_START; at < SCAN_END; at += 16)
		if (!memcmp((const void *)at, "RSD PTR ", 8))
			return (const uint8_t *)at;
	return NULL;
}

const struct acpi_fadt *acpi_fadt(void) { return fadt; }

void acpi_init(void)
{
	enum { REVISION = 15, RSDT = 16, XSDT = 24 };
	static uint8_t copy[sizeof *fadt];	/* of tables that are shorter, too */
	const uint8_t *root = root_pointer();
	if (!root)
		return;
	unsigned width = root[REVISION] >= 2 && get64(root + XSDT) ? 8 : 4;
	const uint8_t *list = table(width == 8 ? get64(root + XSDT) : get32(root + RSDT));
	if (!list)
		return;
	for (uint32_t at = HEADER; at + width <= get32(list + 4); at += width) {
		const uint8_t *found = table(width == 8 ? get64(list + at) : get32(list + at));
		if (!found || memcmp(found, "FACP", 4))
			continue;
		memcpy(copy, found, get32(found + 4) < sizeof copy ? get32(found + 4) : sizeof copy);
		fadt = (const struct acpi_fadt *)copy;
		return;
	}
}

/* What the registers take for S5: the first two elements of the package _S5_ (7.4.2). 0 when there is none. */
static int sleep_types(uint16_t types[2])
{
	enum { PACKAGE = 0x12, BYTE = 0x0a };
	const uint8_t *code = table(fadt->code ? fadt->code : fadt->code_64);
	if (!code)
		return 0;
	const uint8_t *end = code + get32(code + 4);
	for (const uint8_t *at = code + HEADER; at + 16 < end; at++) {
		if (memcmp(at, "_S5_", 4) || at[4] != PACKAGE)
			continue;
		at += 5;
		at += (*at >> 6) + 2;	/* the package's length, whose first octet tells how long it is, and its count */
		for (int i = 0; i < 2; i++) {
			at += *at == BYTE;
			types[i] = *at++ & 7;
		}
		return 1;
	}
	return 0;
}

void acpi_power_off(void)
{
	enum { ENABLE = 1 << 13, TYPE_SHIFT = 10, REDUCED_ENABLE = 1 << 5, REDUCED_SHIFT = 2 };
	if (!fadt)
		return;
	if (fadt->flags & ACPI_HARDWARE_REDUCED) {
		uint8_t value = REDUCED_ENABLE | S5 << REDUCED_SHIFT;
		if (fadt->sleep.space == ACPI_PORTS)
			outb((uint16_t)fadt->sleep.address, value);
		else if (fadt->sleep.space == ACPI_MEMORY && fadt->sleep.address)
			*(volatile uint8_t *)paging_map_device(fadt->sleep.address, 1) = value;
		return;
	}
	uint16_t types[2], ports[2] = {(uint16_t)fadt->control, (uint16_t)fadt->control_b};
	if (!sleep_types(types))
		return;
	for (int i = 0; i < 2; i++)
		if (ports[i])
			outw(ports[i], (uint16_t)(types[i] << TYPE_SHIFT | ENABLE));
}
