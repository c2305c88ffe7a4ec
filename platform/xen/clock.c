/* Clocks: both are in the page that the hypervisor shares. */
#include "guest.h"
#include "xen.h"

uint64_t uz_clock_monotonic(void) { return pvclock_monotonic(&xen_shared.cpu[0].time); }
uint64_t uz_clock_wall(void) { return pvclock_wall(&xen_shared.boot, &xen_shared.cpu[0].time); }
