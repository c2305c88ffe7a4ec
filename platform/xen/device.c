/* What all devices need: pages for the backend's domain, rings of requests (io/ring.h), states in the store (io/xenbus.h). */
#include "guest.h"
#include "xen.h"

void *device_page(void)
{
	void *page = memory_pages(1);
	if (!page)
		refuse("memory: too little RAM for a device");
	return page;
}

void device_await(const char *backend, uint64_t state)
{
	enum { PATIENCE_SECONDS = 30 };
	uint64_t end = uz_clock_monotonic() + PATIENCE_SECONDS * NANOSECONDS;
	while (store_number(backend, "state") != state) {
		if (uz_clock_monotonic() > end)
			refuse("xen: %s is not in state %lu: see the script of this device", backend, state);
		xen_wait(0, 0, uz_clock_monotonic() + NANOSECONDS / 200);
	}
}

void ring_tell(volatile struct ring *ring, uint32_t event, uint32_t before)
{
	barrier();
	if (ring->request_given - ring->request_event < ring->request_given - before)
		xen_notify(event);
}
