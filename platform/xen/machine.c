/* The machine as a whole: pages that the toolstack made, the device, waiting, and the end. */
#include "guest.h"
#include "xen.h"

void target_init(void)
{
	console_map();
	store_init();
	network_init();
}

/* Xen gives no random octets. */
size_t target_random(void *buffer, size_t size)
{
	(void)buffer;
	(void)size;
	return 0;
}

int uz_poll(uint64_t deadline)
{
	for (;;) {
		if (network_event())
			xen_clear(network_event());
		if (network_pending())
			return 1;
		if (uz_clock_monotonic() >= deadline)
			return 0;
		xen_wait(network_event(), deadline);
	}
}

/* The toolstack knows two ends: `on_poweroff`, for what a restart would not cure, and `on_crash`. */
void uz_exit(int code)
{
	enum { CLEAN = 0, CONFIGURATION = 64 };
	say("unizone: exit %d\n", code);
	xen_shutdown(code == CLEAN || code == CONFIGURATION ? XEN_POWER_OFF : XEN_CRASH);
}
