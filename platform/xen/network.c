/* The network device: one page a frame in two rings that the backend's domain reads and writes (io/netif.h). */
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "xen.h"

enum { RING = 256, RECEIVING = 128, SENDING = 64, FRAME_MIN = 14, MTU = 1500, MORE_DATA = 4, EXTRA = 8, PATH = 96 };

static volatile struct {
	struct ring ring;
	union {
		struct {
			uint32_t grant;
			uint16_t offset, flags, id, size;
		} request;
		struct {
			uint16_t id;
			int16_t status;
		} response;
	} entries[RING];
} *sending;

static volatile struct {
	struct ring ring;
	union {
		struct {
			uint16_t id, reserved;
			uint32_t grant;
		} request;
		struct {
			uint16_t id, offset, flags;
			int16_t size;	/* negative: an error */
		} response;
	} entries[RING];
} *receiving;

static struct buffer {
	uint8_t *page;
	uint32_t grant;
} in[RECEIVING], out[SENDING];

static struct uz_network_info info;
static uint16_t unused[SENDING], unused_count;
static uint32_t event, received, sent;	/* the latter two: taken responses of both rings */
static char frontend[] = "device/vif/0";

static void give_back(uint16_t id)
{
	uint32_t given = receiving->ring.request_given;
	receiving->entries[given % RING].request.id = id;
	receiving->entries[given % RING].request.grant = in[id].grant;
	barrier();
	receiving->ring.request_given = given + 1;
}

void network_init(void)
{
	char backend[PATH], text[32];
	if (!store_read(frontend, "backend", backend, sizeof backend) || !store_read(frontend, "mac", text, sizeof text))
		return;
	char *next = text;
	for (unsigned i = 0; i < sizeof info.mac; i++, next++)
		info.mac[i] = (uint8_t)strtoul(next, &next, 16);
	info.mtu = MTU;
	uint16_t domain = (uint16_t)store_number(frontend, "backend-id");
	device_await(backend, DEVICE_WAITING);
	sending = device_page();
	receiving = device_page();
	sending->ring.response_event = receiving->ring.response_event = 1;
	event = xen_event(domain);
	for (uint16_t i = 0; i < SENDING; i++) {
		out[i].page = device_page();
		out[i].grant = xen_grant(domain, out[i].page, 1);
		unused[unused_count++] = i;
	}
	for (uint16_t i = 0; i < RECEIVING; i++) {
		in[i].page = device_page();
		in[i].grant = xen_grant(domain, in[i].page, 0);
		give_back(i);
	}
	store_write_number(frontend, "tx-ring-ref", xen_grant(domain, (const void *)sending, 0));
	store_write_number(frontend, "rx-ring-ref", xen_grant(domain, (const void *)receiving, 0));
	store_write_number(frontend, "event-channel", event);
	store_write_number(frontend, "request-rx-copy", 1);
	store_write_number(frontend, "feature-rx-notify", 1);
	store_write_number(frontend, "feature-no-csum-offload", 1);	/* checksums are there in every frame */
	store_write_number(frontend, "state", DEVICE_CONNECTED);
	device_await(backend, DEVICE_CONNECTED);
	xen_notify(event);
}

unsigned uz_network_count(void) { return event != 0; }
uint32_t network_event(void) { return event; }

enum uz_result uz_network_info(unsigned device, struct uz_network_info *to)
{
	if (device >= uz_network_count())
		return UZ_INVALID;
	*to = info;
	return UZ_OK;
}

unsigned uz_network_receive(unsigned device, uint8_t *buffer, size_t slot, uint64_t *lengths, unsigned limit)
{
	unsigned taken = 0;
	if (device >= uz_network_count())
		return 0;
	uint32_t before = receiving->ring.request_given;
	for (; taken < limit && network_pending(); received++) {
		barrier();
		uint16_t id = receiving->entries[received % RING].response.id;
		uint16_t offset = receiving->entries[received % RING].response.offset;
		uint16_t flags = receiving->entries[received % RING].response.flags;
		int size = receiving->entries[received % RING].response.size;
		if (id >= RECEIVING || offset + size > (int)PAGE_SIZE)
			panic("xen: a frame of %d octets at %u in buffer %u", size, offset, id);
		/* What is no frame, in parts, or too long for the caller, is dropped. */
		if (size >= FRAME_MIN && (size_t)size <= slot && !(flags & (MORE_DATA | EXTRA))) {
			memcpy(buffer + taken * slot, in[id].page + offset, (size_t)size);
			lengths[taken++] = (uint64_t)size;
		}
		give_back(id);
	}
	ring_tell(&receiving->ring, event, before);
	return taken;
}

unsigned uz_network_send(unsigned device, const uint8_t *memory, const uint64_t *starts, const uint64_t *lengths,
			 unsigned limit)
{
	unsigned taken = 0;
	if (device >= uz_network_count())
		return 0;
	for (; sent != sending->ring.response_given; sent++) {
		barrier();
		uint16_t id = sending->entries[sent % RING].response.id;
		if (id >= SENDING || unused_count == SENDING)
			panic("xen: the backend hands back buffer %u of %u", id, SENDING);
		unused[unused_count++] = id;
	}
	uint32_t before = sending->ring.request_given, given = before;
	for (; taken < limit; taken++) {
		if (lengths[taken] < FRAME_MIN || lengths[taken] > PAGE_SIZE)
			continue;
		if (!unused_count)
			break;
		uint16_t id = unused[--unused_count];
		memcpy(out[id].page, memory + starts[taken], lengths[taken]);
		sending->entries[given % RING].request.grant = out[id].grant;
		sending->entries[given % RING].request.offset = 0;
		sending->entries[given % RING].request.flags = 0;
		sending->entries[given % RING].request.id = id;
		sending->entries[given % RING].request.size = (uint16_t)lengths[taken];
		given++;
	}
	barrier();
	sending->ring.request_given = given;
	ring_tell(&sending->ring, event, before);
	return taken;
}

/* Asks for an event with the next frame as well, before it looks: none is lost. */
int network_pending(void)
{
	if (!event)
		return 0;
	receiving->ring.response_event = received + 1;
	barrier();
	return receiving->ring.response_given != received;
}
