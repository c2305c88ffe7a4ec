/* Waiting: the tender's call. */
#include "guest.h"
#include "hvt.h"

int uz_poll(uint64_t deadline)
{
	enum { LONGEST_SECONDS = 3600 };	/* tenders add it to their own clock, which must not overflow */
	uint64_t now = uz_clock_monotonic(), wait = deadline > now ? deadline - now : 0;
	if (wait > LONGEST_SECONDS * NANOSECONDS)
		wait = LONGEST_SECONDS * NANOSECONDS;
	struct hvt_poll call = {.timeout = wait};
	hvt_call(HVT_POLL, &call);
	return call.ready != 0;
}
