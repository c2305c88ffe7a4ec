/* Instructions that C has no words for. */
#ifndef X86_H
#define X86_H

#include <stdint.h>

enum {
	MSR_APIC_BASE = 0x1b,
	MSR_FS_BASE = 0xc0000100,
	CR0_WRITE_PROTECT = 1 << 16,
	CR4_SMEP = 1 << 20,
	CR4_SMAP = 1 << 21,
};

static inline void outb(uint16_t port, uint8_t value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline void outw(uint16_t port, uint16_t value) { __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port)); }
static inline void outl(uint16_t port, uint32_t value) { __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port)); }

/* What a port says, in one, two or four octets. */
#define READ_PORT(name, type) \
	static inline type name(uint16_t port) \
	{ \
		type value; \
		__asm__ volatile(#name " %1, %0" : "=a"(value) : "Nd"(port)); \
		return value; \
	}
READ_PORT(inb, uint8_t)
READ_PORT(inw, uint16_t)
READ_PORT(inl, uint32_t)

static inline uint64_t rdmsr(uint32_t number)
{
	uint32_t low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t number, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline uint64_t rdtsc(void)
{
	uint32_t low, high;
	/* The fence keeps the read from running ahead of what is timed. */
	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;
	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
	return r;
}

#endif
