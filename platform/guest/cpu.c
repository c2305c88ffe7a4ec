/* The CPU's tables: segments, exceptions and interrupts, all of which run on a stack of their own. */
#include "guest.h"
#include "x86.h"

enum { CODE = 0x08, DATA = 0x10, TASK = 0x18, GATE = 0x8e, TRAP_STACK_SIZE = 16384, EXCEPTIONS = 32 };

struct __attribute__((packed)) table_register {
	uint16_t limit;
	const void *base;
};

struct gate {
	uint16_t offset_low, segment;
	uint8_t stack, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};

struct __attribute__((packed)) task {
	uint32_t reserved0;
	uint64_t stacks[3], reserved1, interrupt_stacks[7], reserved2;
	uint16_t reserved3, io_map;
};

extern const char trap_entries[];	/* 16 octets each */
extern char trap_stack_top[];

static struct task task = {.io_map = sizeof(struct task)};
static struct gate gates[VECTORS];
static uint64_t segments[5] = {0, 0x00209a0000000000, 0x0000920000000000};
static void (*handlers[VECTORS])(void);

void trap(const struct registers *registers);

void cpu_init(void)
{
	/* Exceptions must not use the stack that may have caused them, nor the red zone of what they interrupt. */
	task.interrupt_stacks[0] = (uint64_t)trap_stack_top;
	uint64_t base = (uint64_t)&task;
	segments[3] = (sizeof task - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
	segments[4] = base >> 32;
	struct table_register segment_table = {sizeof segments - 1, segments};
	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t"
			 "lea 1f(%%rip), %%rax\n\t"
			 "push %%rax\n\t"
			 "lretq\n"
			 "1:\tmov %2, %%ds\n\t"
			 "mov %2, %%es\n\t"
			 "mov %2, %%ss\n\t"
			 "ltr %w3"
			 :
			 : "m"(segment_table), "i"(CODE), "r"(DATA), "r"(TASK)
			 : "rax", "memory");
	for (unsigned i = 0; i < VECTORS; i++) {
		uint64_t entry = (uint64_t)trap_entries + 16 * i;
		gates[i] = (struct gate){
			.offset_low = entry & 0xffff,
			.offset_middle = entry >> 16 & 0xffff,
			.offset_high = entry >> 32,
			.segment = CODE,
			.stack = 1,
			.type = GATE,
		};
	}
	struct table_register gate_table = {sizeof gates - 1, gates};
	__asm__ volatile("lidt %0" : : "m"(gate_table));
}

void cpu_set_interrupt(unsigned vector, void (*handler)(void)) { handlers[vector] = handler; }

void trap(const struct registers *registers)
{
	if (registers->vector < EXCEPTIONS || !handlers[registers->vector])
		panic_trap(registers);
	handlers[registers->vector]();
}
