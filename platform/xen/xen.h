/* Xen's interface as far as it is used here (its public headers: xen.h, event_channel.h, grant_table.h, io/). */
#ifndef XEN_H
#define XEN_H

#include <stddef.h>
#include <stdint.h>

#include "guest.h"

/* What the hypervisor shares with a domain. */
struct xen_shared {
	struct {
		uint8_t upcall_pending, upcall_mask;
		uint64_t pending_selector, architecture[2];
		struct pvclock time;
	} cpu[32];
	uint64_t pending[64], mask[64];
	struct pvclock_boot boot;
};

enum { XEN_PARAMETER_STORE = 1, XEN_PARAMETER_STORE_EVENT, XEN_PARAMETER_CONSOLE = 17, XEN_PARAMETER_CONSOLE_EVENT };
enum { XEN_POWER_OFF = 0, XEN_REBOOT, XEN_CRASH = 3 };

/* hypercall.c */
void xen_init(void);				/* calls work, the shared page and the table of grants are in place */
uint64_t xen_parameter(uint32_t number);
void xen_yield(void);
void xen_notify(uint32_t event);
uint32_t xen_event(uint16_t domain);		/* a new event channel that the domain may bind to */
/* Wait for one of two events (0: none), or until that time since boot. */
void xen_wait(uint32_t event, uint32_t other, uint64_t deadline);
int xen_clear(uint32_t event);			/* whether it was pending */
uint32_t xen_grant(uint16_t domain, const void *page, int is_read_only);	/* let the domain use a page */
_Noreturn void xen_shutdown(unsigned reason);
extern volatile struct xen_shared xen_shared;

/* store.c: text of an entry, cut to `size` - 1 octets; 0 when there is none. Writing stops the image when it fails. */
int store_read(const char *folder, const char *name, char *value, size_t size);
/* The names below an entry, each with its end, and an empty one behind the last. */
int store_list(const char *folder, const char *name, char *names, size_t size);
void store_write(const char *folder, const char *name, const char *value);
uint64_t store_number(const char *folder, const char *name);	/* 0 when there is none */
void store_write_number(const char *folder, const char *name, uint64_t value);
void store_watch(const char *folder, const char *name);
int store_changed(void);	/* whether a watched entry may have changed since the last call */
uint32_t store_event(void);
void store_init(void);

/* device.c */
struct ring {
	uint32_t request_given, request_event, response_given, response_event, reserved[12];
};
enum { DEVICE_WAITING = 2, DEVICE_CONNECTED = 4 };	/* states */

void *device_page(void);
void device_await(const char *backend, uint64_t state);	/* stops the image when it takes long */
/* Tell the backend of requests since `before` when it asked for that. */
void ring_tell(volatile struct ring *ring, uint32_t event, uint32_t before);

void block_init(void);
void console_map(void);		/* after the page tables have changed */
void network_init(void);
int network_pending(void);
uint32_t network_event(void);	/* 0 when there is no device */

#define barrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)

#endif
