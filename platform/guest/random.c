/* Random octets: the CPU's own generator, else a device of the machine, else none, which ends the image. */
#include <string.h>

#include "guest.h"
#include "x86.h"

static int cpu_has_random(void)
{
	enum { RDRAND = 1 << 30 };
	return (cpuid(1, 0).ecx & RDRAND) != 0;
}

static void cpu_random(void *buffer, size_t size)
{
	enum { TRIES = 32 };
	for (size_t done = 0; done < size;) {
		uint64_t value;
		uint8_t good = 0;
		for (int tries = 0; !good && tries < TRIES; tries++)
			__asm__ volatile("rdrand %0; setc %1" : "=r"(value), "=qm"(good));
		if (!good)
			panic("the CPU's random generator fails");
		size_t part = size - done < sizeof value ? size - done : sizeof value;
		memcpy((uint8_t *)buffer + done, &value, part);
		done += part;
	}
}

void uz_random(void *buffer, size_t size)
{
	if (cpu_has_random()) {
		cpu_random(buffer, size);
		return;
	}
	for (size_t done = 0; done < size;) {
		size_t given = target_random((uint8_t *)buffer + done, size - done);
		if (!given)
			refuse("no source of random numbers: the CPU has no RDRAND and the machine no device for them.\n"
			       "  try: qemu -cpu max, or -device virtio-rng-pci");
		done += given;
	}
}
