/* The machine as a whole: pages that the toolstack made, the devices, waiting, and the end. */
#include <string.h>

#include "guest.h"
#include "xen.h"

static char control[] = "control", command[] = "shutdown";
static int is_reboot;

/* What the toolstack asks for: `xl shutdown` and `xl reboot` write a word, which we take away to say that we saw it. */
static int is_asked_to_end(void)
{
	char word[16];
	if (!store_changed() || !store_read(control, command, word, sizeof word) || !*word)
		return 0;
	store_write(control, command, "");
	is_reboot = !strcmp(word, "reboot");
	return is_reboot || !strcmp(word, "poweroff") || !strcmp(word, "halt");
}

void target_init(void)
{
	console_map();
	store_init();
	store_watch(control, command);
	network_init();
	block_init();
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
		xen_clear(store_event());
		if (is_asked_to_end()) {
			guest_terminate();
			return 1;
		}
		if (network_pending())
			return 1;
		if (uz_clock_monotonic() >= deadline)
			return 0;
		xen_wait(network_event(), store_event(), deadline);
	}
}

/* The toolstack knows two ends: `on_poweroff`, for what a restart would not cure, and `on_crash`. */
void uz_exit(int code)
{
	enum { CLEAN = 0, CONFIGURATION = 64 };
	say("unizone: exit %d\n", code);
	if (code != CLEAN && code != CONFIGURATION)
		xen_shutdown(XEN_CRASH);
	xen_shutdown(is_reboot ? XEN_REBOOT : XEN_POWER_OFF);
}
