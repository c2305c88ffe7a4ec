/* The machine as a whole: its devices, and its end. */
#include "guest.h"
#include "hvt.h"

void target_init(void)
{
	network_init(hvt_boot->manifest);
	block_init(hvt_boot->manifest);
}

void uz_exit(int code)
{
	for (;;)
		hvt_call(HVT_HALT, &(struct hvt_halt){NULL, code});
}
