/* Clocks: the CPU's counter, whose frequency the tender tells, and the tender's wall clock. */
#include "guest.h"
#include "hvt.h"
#include "x86.h"

uint64_t uz_clock_monotonic(void)
{
	return (uint64_t)((unsigned __int128)rdtsc() * NANOSECONDS / hvt_cycle_frequency);
}

uint64_t uz_clock_wall(void)
{
	struct hvt_walltime time;
	hvt_call(HVT_WALLTIME, &time);
	return time.nanoseconds;
}
