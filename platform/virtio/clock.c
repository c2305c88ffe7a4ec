/*
 * Clocks: KVM's own (which the host keeps right through pauses), else the CPU's counter, measured against the timer
 * chip, with the wall clock from the battery-backed one.
 */
#include "guest.h"
#include "virtio.h"
#include "x86.h"

enum {
	KVM_CLOCK = 1 << 3,		/* CPUID 0x40000001: the MSRs below */
	MSR_KVM_WALL_CLOCK = 0x4b564d00,
	MSR_KVM_SYSTEM_TIME = 0x4b564d01,
	TIMER_CHANNEL_0 = 0x40,
	TIMER_COMMAND = 0x43,
	TIMER_FREQUENCY = 1193182,
	RTC_INDEX = 0x70,
	RTC_DATA = 0x71,
};

static volatile struct pvclock kvm __attribute__((aligned(64)));
static volatile struct pvclock_boot kvm_boot __attribute__((aligned(64)));
static int has_kvm;
static uint64_t start_counter, counter_frequency;

static unsigned timer_count(void)
{
	outb(TIMER_COMMAND, 0);	/* latch channel 0 */
	unsigned low = inb(TIMER_CHANNEL_0);
	return low | (unsigned)inb(TIMER_CHANNEL_0) << 8;
}

/* Counts of the CPU in a second, measured for 10 ms. Channel 0, because microvm has no gate for channel 2. */
static uint64_t measure_counter(void)
{
	enum { TICKS = TIMER_FREQUENCY / 100, PATIENCE = 1 << 20 };
	outb(TIMER_COMMAND, 0x34);	/* channel 0, both octets, rate generator, binary */
	outb(TIMER_CHANNEL_0, 0xff);
	outb(TIMER_CHANNEL_0, 0xff);
	unsigned first = timer_count(), ticks = 0;
	uint64_t began = rdtsc();
	for (int tries = 0; ticks < TICKS; tries++) {
		ticks = (first - timer_count()) & 0xffff;
		if (tries > PATIENCE)
			refuse("clock: neither KVM's clock nor a timer at port 0x40 to measure the CPU's counter with");
	}
	return (rdtsc() - began) * TIMER_FREQUENCY / ticks;
}

void clock_init(void)
{
	struct cpuid id = cpuid(0x40000000, 0);
	/* "KVMKVMKVM" */
	if (id.ebx == 0x4b4d564b && id.ecx == 0x564b4d56 && id.edx == 0x4d && cpuid(0x40000001, 0).eax & KVM_CLOCK) {
		wrmsr(MSR_KVM_SYSTEM_TIME, (uint64_t)&kvm | 1);
		has_kvm = kvm.multiplier != 0;
	}
	if (!has_kvm) {
		counter_frequency = measure_counter();
		start_counter = rdtsc();
	}
}

uint64_t uz_clock_monotonic(void)
{
	if (has_kvm)
		return pvclock_monotonic(&kvm);
	return (uint64_t)((unsigned __int128)(rdtsc() - start_counter) * NANOSECONDS / counter_frequency);
}

static unsigned rtc_read(unsigned index)
{
	outb(RTC_INDEX, (uint8_t)(0x80 | index));
	return inb(RTC_DATA);
}

static unsigned decimal(unsigned value, unsigned mode)
{
	enum { BINARY = 4 };
	return mode & BINARY ? value : (value >> 4) * 10 + (value & 15);
}

/* Days from 1970 to a date of the Gregorian calendar. */
static uint64_t days(unsigned year, unsigned month, unsigned day)
{
	/* A year that begins in March has its leap day at the end. */
	unsigned y = month > 2 ? year : year - 1;
	unsigned shifted = month > 2 ? month - 3 : month + 9;
	return 365ull * y + y / 4 - y / 100 + y / 400 + (153 * shifted + 2) / 5 + day - 1 - 719468;
}

static uint64_t rtc_seconds(void)
{
	enum { SECONDS = 0, MINUTES = 2, HOURS = 4, DAY = 7, MONTH = 8, YEAR = 9, A = 10, B = 11, UPDATING = 0x80, PM = 0x80 };
	enum { HOURS_24 = 2 };
	unsigned mode = rtc_read(B), seconds, minutes, hours, day, month, year;
	do {
		while (rtc_read(A) & UPDATING)
			;
		seconds = rtc_read(SECONDS);
		minutes = rtc_read(MINUTES);
		hours = rtc_read(HOURS);
		day = rtc_read(DAY);
		month = rtc_read(MONTH);
		year = rtc_read(YEAR);
	} while (seconds != rtc_read(SECONDS));
	unsigned hour = decimal(hours & 0x7f, mode);
	if (!(mode & HOURS_24))
		hour = hour % 12 + (hours & PM ? 12 : 0);
	uint64_t date = days(2000 + decimal(year, mode), decimal(month, mode), decimal(day, mode));
	return date * 86400 + hour * 3600 + decimal(minutes, mode) * 60 + decimal(seconds, mode);
}

uint64_t uz_clock_wall(void)
{
	/* The chip knows whole seconds; the counter divides them, and is set right when it leaves the second. */
	static uint64_t offset, asked;
	if (has_kvm) {
		wrmsr(MSR_KVM_WALL_CLOCK, (uint64_t)&kvm_boot);	/* have it written now */
		return pvclock_wall(&kvm_boot, &kvm);
	}
	uint64_t monotonic = uz_clock_monotonic(), now = offset + monotonic;
	if (offset && monotonic - asked < NANOSECONDS / 10)	/* twenty accesses to ports take long */
		return now;
	asked = monotonic;
	uint64_t from = rtc_seconds() * NANOSECONDS, to = from + NANOSECONDS - 1;
	if (now < from)
		now = from;
	if (now > to)
		now = to;
	offset = now - monotonic;
	return now;
}
