/* What machines that start by PVH or multiboot share: pvh/ gives it to the folder of the target. */
#ifndef PVH_H
#define PVH_H

#include <stdint.h>

uint64_t boot_acpi(void);	/* ACPI's root pointer as the loader tells it, or 0 */

/* The target's: text can be written after it. Nothing else works yet. */
void console_init(void);

#endif
