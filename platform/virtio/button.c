/*
 * The power button (ACPI 6.5, 4.8.2.2.1): an event of the fixed hardware, or of the generic event device (5.6.9) that QEMU
 * gives microvm. That device is described in code which is not run here, so it is only taken where QEMU is known to be.
 */
#include <string.h>

#include "acpi.h"
#include "guest.h"
#include "virtio.h"
#include "x86.h"

enum { GENERIC_LINE = 9, GENERIC_POWER = 2, ACPI_ON = 1, BUTTON = 1 << 8, NO_FIXED_BUTTON = 1 << 4 };

static uint16_t port;			/* of the event's status */
static volatile uint32_t *generic;	/* events of the generic device; reading clears them */
static volatile int is_pressed;

static void interrupt(void)
{
	if (generic)
		is_pressed |= (*generic & GENERIC_POWER) != 0;
	else if (inw(port) & BUTTON)
		is_pressed = 1;
	if (port)
		outw(port, BUTTON);	/* clears it */
	apic_done();
}

/* Has the hardware give events to us and not to the firmware. */
static int take_over(const struct acpi_fadt *fadt)
{
	uint64_t deadline = uz_clock_monotonic() + NANOSECONDS;
	if (!(inw((uint16_t)fadt->control) & ACPI_ON) && fadt->command && fadt->enable)
		outb((uint16_t)fadt->command, fadt->enable);
	while (!(inw((uint16_t)fadt->control) & ACPI_ON))
		if (uz_clock_monotonic() > deadline)
			return 0;
	return 1;
}

void button_init(void)
{
	const struct acpi_fadt *fadt = acpi_fadt();
	if (!fadt)
		return;
	cpu_set_interrupt(VECTOR_BUTTON, interrupt);
	if (fadt->flags & ACPI_HARDWARE_REDUCED) {
		if (memcmp(fadt->maker, "BOCHS ", sizeof fadt->maker) || fadt->sleep.space != ACPI_MEMORY)
			return;
		generic = paging_map_device(fadt->sleep.address & -PAGE_SIZE, sizeof *generic);
		apic_route(GENERIC_LINE, VECTOR_BUTTON);
	} else if (fadt->event && !(fadt->flags & NO_FIXED_BUTTON) && take_over(fadt)) {
		port = (uint16_t)fadt->event;
		outw(port, BUTTON);
		outw(port + fadt->event_size / 2, BUTTON);
		apic_route(fadt->line, VECTOR_BUTTON);
	}
}

int button_pressed(void)
{
	int was_pressed = is_pressed;
	is_pressed = 0;
	return was_pressed;
}
