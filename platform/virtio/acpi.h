/* The table of ACPI that is read: fixed hardware (ACPI 6.5, 5.2.9). */
#ifndef ACPI_H
#define ACPI_H

#include <stdint.h>

enum { ACPI_MEMORY = 0, ACPI_PORTS = 1, ACPI_HARDWARE_REDUCED = 1 << 20 };

struct __attribute__((packed)) acpi_address {
	uint8_t space, width, offset, access;
	uint64_t address;
};

struct __attribute__((packed)) acpi_fadt {
	char signature[4];
	uint32_t size;
	uint8_t revision, sum;
	char maker[6], model[8];
	uint32_t reserved0[3], firmware, code;
	uint8_t reserved1[2];
	uint16_t line;			/* of its interrupt */
	uint32_t command;		/* port that takes `enable` */
	uint8_t enable, reserved2[3];
	uint32_t event, event_b, control, control_b, reserved3[4];
	uint8_t event_size, reserved4[23];
	uint32_t flags;
	uint8_t reserved5[24];
	uint64_t code_64;
	uint8_t reserved6[96];
	struct acpi_address sleep;	/* on reduced hardware */
};

_Static_assert(sizeof(struct acpi_fadt) == 256, "offset 244 and 12 octets");

#endif
