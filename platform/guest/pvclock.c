/* Clocks that a hypervisor keeps right through pauses: KVM and Xen have the same two structures. */
#include "guest.h"
#include "x86.h"

/* An odd version is being written. */
static uint32_t begin(const volatile uint32_t *version)
{
	uint32_t value = *version & ~1u;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return value;
}

static int is_torn(const volatile uint32_t *version, uint32_t before)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return *version != before;
}

uint64_t pvclock_monotonic(const volatile struct pvclock *clock)
{
	uint32_t version;
	uint64_t now;
	do {
		version = begin(&clock->version);
		uint64_t delta = rdtsc() - clock->counter;
		delta = clock->shift < 0 ? delta >> -clock->shift : delta << clock->shift;
		now = clock->nanoseconds + (uint64_t)((unsigned __int128)delta * clock->multiplier >> 32);
	} while (is_torn(&clock->version, version));
	return now;
}

uint64_t pvclock_wall(const volatile struct pvclock_boot *boot, const volatile struct pvclock *clock)
{
	uint32_t version;
	uint64_t at;
	do {
		version = begin(&boot->version);
		at = boot->seconds * NANOSECONDS + boot->nanoseconds;
	} while (is_torn(&boot->version, version));
	return at + pvclock_monotonic(clock);
}
