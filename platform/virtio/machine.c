/* The machine as a whole: devices are found at the start, and it is switched off at the end. */
#include "guest.h"
#include "virtio.h"
#include "x86.h"

static void found(const struct virtio *device)
{
	if (device->type == VIRTIO_NETWORK)
		network_device(device);
	else if (device->type == VIRTIO_BLOCK)
		block_device(device);
	else if (device->type == VIRTIO_CONSOLE)
		terminal_device(device);
	else if (device->type == VIRTIO_RANDOM)
		entropy_device(device);
}

void target_init(void)
{
	clock_init();
	apic_init();
	acpi_init();
	button_init();
	mmio_scan(pci_scan(found), found);
}

void uz_exit(int code)
{
	enum { KEYBOARD_COMMAND = 0x64, PULSE_RESET = 0xfe };
	say("unizone: exit %d\n", code);
	acpi_power_off();
	/* A machine that can't be switched off is reset. */
	outb(KEYBOARD_COMMAND, PULSE_RESET);
	/* No keyboard controller: an exception that can't be delivered resets every machine. */
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} nothing = {0, 0};
	for (;;)
		__asm__ volatile("lidt %0; int3" : : "m"(nothing));
}
