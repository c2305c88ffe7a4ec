/* The local APIC's timer and interrupts, which only ever end a halt. */
#include "guest.h"
#include "virtio.h"
#include "x86.h"

enum {
	LOCAL = 0xfee00000u,
	END_OF_INTERRUPT = 0x0b0,
	SPURIOUS = 0x0f0,
	TIMER = 0x320,
	INITIAL = 0x380,
	CURRENT = 0x390,
	DIVIDER = 0x3e0,
	BY_ONE = 0x0b,
	ON = 0x100,
	MASKED = 1 << 16,
	GLOBAL_ENABLE = 1 << 11,
	INPUT_OUTPUT = 0xfec00000u,
	LINES_PER_CHIP = 24,
	CHIP_STRIDE = 0x10000,		/* microvm's second one */
};

static volatile uint8_t *local;
static uint64_t ticks_per_second;
static volatile uint64_t due;	/* when the timer interrupts, at the latest; 0 when it does not run */

static volatile uint32_t *at(unsigned offset) { return (volatile uint32_t *)(local + offset); }
void apic_done(void) { *at(END_OF_INTERRUPT) = 0; }
static void spurious(void) {}
static void expired(void) { due = 0; apic_done(); }

void apic_init(void)
{
	/* The old controllers are masked: their lines don't work after UEFI, and nothing here uses them. */
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | GLOBAL_ENABLE);
	local = paging_map_device(LOCAL, PAGE_SIZE);
	cpu_set_interrupt(VECTOR_TIMER, expired);
	cpu_set_interrupt(VECTOR_DEVICE, apic_done);
	cpu_set_interrupt(VECTOR_SPURIOUS, spurious);
	*at(SPURIOUS) = ON | VECTOR_SPURIOUS;
	*at(DIVIDER) = BY_ONE;
	*at(TIMER) = MASKED;
	*at(INITIAL) = UINT32_MAX;
	uint64_t start = uz_clock_monotonic(), now;
	do
		now = uz_clock_monotonic();
	while (now - start < NANOSECONDS / 500);
	ticks_per_second = (UINT32_MAX - *at(CURRENT)) * NANOSECONDS / (now - start);
	*at(INITIAL) = 0;
	*at(TIMER) = VECTOR_TIMER;
}

/* One interrupt after that time, or somewhat earlier. */
void apic_timer(uint64_t nanoseconds)
{
	uint64_t longest = UINT32_MAX * NANOSECONDS / ticks_per_second;
	if (nanoseconds > longest)
		nanoseconds = longest;
	uint64_t wanted = uz_clock_monotonic() + nanoseconds;
	if (due && due <= wanted)
		return;
	due = wanted;
	*at(INITIAL) = (uint32_t)(nanoseconds * ticks_per_second / NANOSECONDS) | 1;	/* 0 would be none */
}

static volatile uint32_t *chip(unsigned number)
{
	return paging_map_device(INPUT_OUTPUT + number * CHIP_STRIDE, PAGE_SIZE);
}

int apic_has_second(void)
{
	enum { VERSION = 1, LAST_ENTRY_SHIFT = 16 };
	volatile uint32_t *registers = chip(1);
	registers[0] = VERSION;
	return (registers[4] >> LAST_ENTRY_SHIFT & 0xff) == LINES_PER_CHIP - 1;
}

void apic_route(unsigned line, unsigned vector)
{
	volatile uint32_t *registers = chip(line / LINES_PER_CHIP);
	unsigned entry = 0x10 + 2 * (line % LINES_PER_CHIP);
	registers[0] = entry + 1;
	registers[4] = 0;			/* to the one CPU */
	registers[0] = entry;
	registers[4] = vector;			/* edge, high: a lost level would only delay to the timer */
}
