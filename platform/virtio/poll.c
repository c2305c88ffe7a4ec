/* Waiting: the CPU halts until a frame comes or the deadline. */
#include "guest.h"
#include "virtio.h"

int uz_poll(uint64_t deadline)
{
	enum { WITHOUT_INTERRUPTS = 1000000 };	/* nanoseconds between two looks at such a device */
	for (;;) {
		/* Interrupts that wait are let in: a machine that is busy all the time has a power button, too. */
		__asm__ volatile("sti; nop; cli" : : : "memory");
		if (button_pressed()) {
			guest_terminate();
			return 1;
		}
		if (network_pending())
			return 1;
		uint64_t now = uz_clock_monotonic();
		if (now >= deadline)
			return 0;
		uint64_t wait = deadline - now;
		if (!network_interrupts(1) && wait > WITHOUT_INTERRUPTS)
			wait = WITHOUT_INTERRUPTS;
		/* A frame that came before interrupts were asked for causes none. */
		if (!network_pending()) {
			apic_timer(wait);
			/* Interrupts are let in by the instruction after `sti`: none is lost between the look and the halt. */
			__asm__ volatile("sti; hlt; cli" : : : "memory");
		}
		network_interrupts(0);
	}
}
