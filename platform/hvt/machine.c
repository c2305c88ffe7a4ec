/* The machine as a whole: its devices, and its end. */
#include "guest.h"
#include "hvt.h"

void target_init(void)
{
	network_init(hvt_boot->manifest);
	block_init(hvt_boot->manifest);
}

/* A tender gives no random octets. */
size_t target_random(void *buffer, size_t size)
{
	(void)buffer;
	(void)size;
	return 0;
}

void uz_exit(int code)
{
	for (;;)
		hvt_call(HVT_HALT, &(struct hvt_halt){NULL, code});
}
