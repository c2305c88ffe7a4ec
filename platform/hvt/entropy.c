/* Random octets: the CPU's; a tender gives none. */
#include "guest.h"

void uz_random(void *buffer, size_t size)
{
	if (!cpu_has_random())
		refuse("no source of random numbers: the CPU has no RDRAND");
	cpu_random(buffer, size);
}
