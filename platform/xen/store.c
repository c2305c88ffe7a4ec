/* Xenstore: a tree of names and texts by which a domain and its devices find each other (docs/misc/xenstore.txt). */
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "xen.h"

enum { LIST = 1, READ, WATCH = 4, WRITE = 11, EVENT = 15, ERROR = 16, RING = 1024, PATH = 128, NUMBER = 24 };

struct header {
	uint32_t type, request, transaction, size;
};

static volatile struct {
	char request[RING], response[RING];
	uint32_t request_taken, request_given, response_taken, response_given;
} *ring;
static uint32_t event;
static int is_changed;	/* something that is watched */

uint32_t store_event(void) { return event; }

void store_init(void)
{
	ring = paging_map_shared(xen_parameter(XEN_PARAMETER_STORE) * PAGE_SIZE, PAGE_SIZE);
	event = (uint32_t)xen_parameter(XEN_PARAMETER_STORE_EVENT);
}

/* Requests go one by one, so the ring is empty before each and one has room. */
static void put(const void *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		ring->request[(ring->request_given + i) % RING] = ((const char *)data)[i];
	barrier();
	ring->request_given += (uint32_t)size;
}

static void get(char *to, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		while (ring->response_taken == ring->response_given) {
			xen_wait(event, 0, uz_clock_monotonic() + NANOSECONDS);
			xen_clear(event);
		}
		barrier();
		to[i] = ring->response[ring->response_taken % RING];
		ring->response_taken++;
	}
	xen_notify(event);
}

/* One message of the store: its type, and its text, cut to `size` - 1 octets. */
static uint32_t take(char *text, size_t size)
{
	struct header header;
	char rest;
	get((char *)&header, sizeof header);
	size_t kept = header.size < size ? header.size : size - 1;
	get(text, kept);
	text[kept] = 0;
	for (size_t i = kept; i < header.size; i++)
		get(&rest, 1);
	return header.type;
}

/* Ask, and take the answer as text; whether it is no error. `value` is NULL for reading. */
static int ask(uint32_t type, const char *folder, const char *name, const char *value, char *answer, size_t size)
{
	char path[PATH];
	if (strlen(folder) + strlen(name) + 2 > sizeof path)
		panic("xenstore: a path of %zu octets", strlen(folder) + strlen(name));
	strcpy(path, folder);
	strcat(path, "/");
	strcat(path, name);
	size_t text = value ? strlen(value) + (type == WATCH) : 0;	/* the name of a watch has its end in it */
	put(&(struct header){.type = type, .size = (uint32_t)(strlen(path) + 1 + text)}, sizeof(struct header));
	put(path, strlen(path) + 1);
	put(value, text);
	xen_notify(event);
	for (;;) {
		uint32_t found = take(answer, size);
		if (found != EVENT)
			return found != ERROR;
		is_changed = 1;
	}
}

void store_watch(const char *folder, const char *name)
{
	char answer[NUMBER];
	if (!ask(WATCH, folder, name, "w", answer, sizeof answer))
		panic("xenstore: %s/%s can't be watched: %s", folder, name, answer);
}

int store_changed(void)
{
	char text[NUMBER];
	while (ring->response_taken != ring->response_given)
		is_changed |= take(text, sizeof text) == EVENT;
	int was_changed = is_changed;
	is_changed = 0;
	return was_changed;
}

int store_read(const char *folder, const char *name, char *value, size_t size)
{
	return ask(READ, folder, name, NULL, value, size);
}

int store_list(const char *folder, const char *name, char *names, size_t size)
{
	memset(names, 0, size);
	return ask(LIST, folder, name, NULL, names, size - 1);
}

void store_write(const char *folder, const char *name, const char *value)
{
	char answer[NUMBER];
	if (!ask(WRITE, folder, name, value, answer, sizeof answer))
		panic("xenstore: %s/%s can't be written: %s", folder, name, answer);
}

uint64_t store_number(const char *folder, const char *name)
{
	char text[NUMBER];
	return store_read(folder, name, text, sizeof text) ? strtoull(text, NULL, 10) : 0;
}

void store_write_number(const char *folder, const char *name, uint64_t value)
{
	char text[NUMBER], *next = text + sizeof text - 1;
	*next = 0;
	do
		*--next = (char)('0' + value % 10);
	while (value /= 10);
	store_write(folder, name, next);
}
