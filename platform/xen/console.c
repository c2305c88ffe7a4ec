/* The console: a ring that a program of the host empties. */
#include "guest.h"
#include "pvh.h"
#include "xen.h"

enum { PATIENCE = 1 << 16 };	/* looks at a ring that stays full: nobody reads it */

static volatile struct {
	char in[1024], out[2048];
	uint32_t in_taken, in_given, out_taken, out_given;
} *ring;
static uint32_t event;

void console_init(void)
{
	xen_init();
	ring = (volatile void *)(xen_parameter(XEN_PARAMETER_CONSOLE) * PAGE_SIZE);
	event = (uint32_t)xen_parameter(XEN_PARAMETER_CONSOLE_EVENT);
}

void console_map(void) { paging_map_shared((uint64_t)ring, PAGE_SIZE); }

void uz_console_write(const char *data, size_t size)
{
	if (!ring)
		return;
	for (size_t i = 0; i < size; i++) {
		for (int tries = 0; ring->out_given - ring->out_taken == sizeof ring->out; tries++) {
			if (tries == PATIENCE)
				return;
			xen_notify(event);
			xen_yield();
		}
		ring->out[ring->out_given % sizeof ring->out] = data[i];
		barrier();
		ring->out_given++;
	}
	xen_notify(event);
}
