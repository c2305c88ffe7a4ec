/* Calls to the hypervisor, and the two tables that it shares: events and grants. */
#include "guest.h"
#include "x86.h"
#include "xen.h"

enum { MEMORY = 12, GRANT_TABLE = 20, SCHEDULER = 29, EVENT_CHANNEL = 32, HVM = 34, ENTRY = 32 };
enum { YIELD = 0, SHUTDOWN = 2, POLL = 3, SEND = 4, ALLOCATE = 6, ADD_TO_MAP = 7, GET_PARAMETER = 1 };
enum { SPACE_SHARED = 0, SPACE_GRANTS = 1, SELF = 0x7ff0, GRANTS_RESERVED = 8, GRANT_ACCESS = 1, GRANT_READ_ONLY = 4 };

struct grant {
	uint16_t flags, domain;
	uint32_t page;
};

/* The hypervisor writes one entry for each call into this page, which to us is code that nobody can write. */
__asm__(".pushsection .text.hypercalls, \"ax\", @progbits\n\t.balign 4096\nhypercalls: .skip 4096, 0x90\n\t.popsection");
extern const char hypercalls[];

volatile struct xen_shared xen_shared __attribute__((aligned(PAGE_SIZE)));
static struct grant grants[PAGE_SIZE / sizeof(struct grant)] __attribute__((aligned(PAGE_SIZE)));
static uint32_t granted = GRANTS_RESERVED;

static long call(unsigned number, uint64_t command, void *argument)
{
	long result;
	register uint64_t first __asm__("rdi") = command;
	register void *second __asm__("rsi") = argument;
	__asm__ volatile("call *%3" : "=a"(result), "+r"(first), "+r"(second) : "r"(hypercalls + ENTRY * number)
			 : "rcx", "rdx", "r8", "r9", "r10", "r11", "memory");
	return result;
}

static void place(const volatile void *page, uint32_t space)
{
	struct {
		uint16_t domain, size;
		uint32_t space;
		uint64_t index, page;
	} request = {SELF, 0, space, 0, (uint64_t)page / PAGE_SIZE};
	if (call(MEMORY, ADD_TO_MAP, &request))
		refuse("xen: the hypervisor shares no page of kind %u", space);
}

void xen_init(void)
{
	enum { FIRST = 0x40000000, STEP = 0x100, LAST = 0x40010000 };
	for (uint32_t leaf = FIRST; leaf < LAST; leaf += STEP) {
		struct cpuid id = cpuid(leaf, 0);
		if (id.ebx != 0x566e6558 || id.ecx != 0x65584d4d || id.edx != 0x4d4d566e)	/* "XenVMMXenVMM" */
			continue;
		wrmsr(cpuid(leaf + 2, 0).ebx, (uint64_t)hypercalls);
		place(&xen_shared, SPACE_SHARED);
		place(grants, SPACE_GRANTS);
		return;
	}
	panic("no Xen here");	/* without it there is no console either */
}

uint64_t xen_parameter(uint32_t number)
{
	struct {
		uint16_t domain, reserved;
		uint32_t number;
		uint64_t value;
	} request = {SELF, 0, number, 0};
	return call(HVM, GET_PARAMETER, &request) ? 0 : request.value;
}

void xen_yield(void) { call(SCHEDULER, YIELD, NULL); }
void xen_notify(uint32_t event) { call(EVENT_CHANNEL, SEND, &event); }

uint32_t xen_event(uint16_t domain)
{
	struct {
		uint16_t domain, remote;
		uint32_t event;
	} request = {SELF, domain, 0};
	if (call(EVENT_CHANNEL, ALLOCATE, &request))
		panic("xen: no event channel to domain %u", domain);
	return request.event;
}

/* Events stay masked: they end a wait and never interrupt. */
void xen_wait(uint32_t event, uint32_t other, uint64_t deadline)
{
	uint32_t events[2] = {event ? event : other, other};
	struct {
		uint32_t *events;
		uint32_t count;
		uint64_t deadline;
	} request = {events, (event != 0) + (other != 0), deadline};
	call(SCHEDULER, POLL, &request);
}

int xen_clear(uint32_t event)
{
	uint64_t bit = 1ull << event % 64;
	return (__atomic_fetch_and(&xen_shared.pending[event / 64], ~bit, __ATOMIC_SEQ_CST) & bit) != 0;
}

uint32_t xen_grant(uint16_t domain, const void *page, int is_read_only)
{
	if (granted == array_length(grants))
		panic("xen: more than %u pages for other domains", granted);
	grants[granted].domain = domain;
	grants[granted].page = (uint32_t)((uint64_t)page / PAGE_SIZE);
	barrier();
	grants[granted].flags = GRANT_ACCESS | (is_read_only ? GRANT_READ_ONLY : 0);
	return granted++;
}

void xen_shutdown(unsigned reason)
{
	for (;;)
		call(SCHEDULER, SHUTDOWN, &reason);
}
