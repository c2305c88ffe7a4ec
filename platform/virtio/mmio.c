/*
 * Virtio devices in memory (virtio 1.2, 4.2), version 1 (legacy) and 2. Where they are stands in the boot parameters,
 * as for Linux: virtio_mmio.device=SIZE@ADDRESS:LINE (Firecracker writes that); else they are where QEMU's microvm has
 * them.
 */
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "virtio.h"

enum {
	MAGIC = 0x000,
	VERSION = 0x004,
	DEVICE = 0x008,
	FEATURES = 0x010,
	FEATURES_SELECT = 0x014,
	ACCEPT = 0x020,
	ACCEPT_SELECT = 0x024,
	GUEST_PAGE_SIZE = 0x028,	/* version 1 */
	QUEUE_SELECT = 0x030,
	QUEUE_SIZE_MAX = 0x034,
	QUEUE_SIZE = 0x038,
	QUEUE_ALIGNMENT = 0x03c,	/* version 1 */
	QUEUE_PAGE = 0x040,		/* version 1 */
	QUEUE_READY = 0x044,
	NOTIFY = 0x050,
	INTERRUPT = 0x060,
	INTERRUPT_ACKNOWLEDGE = 0x064,
	STATUS = 0x070,
	QUEUE_DESCRIPTORS = 0x080,
	QUEUE_AVAILABLE = 0x090,
	QUEUE_USED = 0x0a0,
	SPECIFIC = 0x100,
	MAGIC_VALUE = 0x74726976,	/* "virt" */
	SIZE = 0x200,
};

#define REGISTER(device, offset) (*(volatile uint32_t *)((device)->registers + (offset)))

static uint64_t features(struct virtio *device)
{
	return virtio_features(&REGISTER(device, FEATURES_SELECT), &REGISTER(device, FEATURES));
}

static void accept(struct virtio *device, uint64_t features)
{
	virtio_accept(&REGISTER(device, ACCEPT_SELECT), &REGISTER(device, ACCEPT), features);
	if (device->is_legacy)
		REGISTER(device, GUEST_PAGE_SIZE) = PAGE_SIZE;
}

static uint8_t status(struct virtio *device) { return (uint8_t)REGISTER(device, STATUS); }
static void set_status(struct virtio *device, uint8_t status) { REGISTER(device, STATUS) = status; }
static uint8_t configuration(struct virtio *device, unsigned offset) { return device->registers[SPECIFIC + offset]; }

static uint16_t queue_size(struct virtio *device, uint16_t number)
{
	REGISTER(device, QUEUE_SELECT) = number;
	uint32_t size = REGISTER(device, QUEUE_SIZE_MAX);
	/* Unlike on PCI, a legacy device takes any size up to its own. */
	return (uint16_t)(size > RING_MAX ? RING_MAX : size);
}

static void set_queue(struct virtio *device, const struct queue *queue)
{
	REGISTER(device, QUEUE_SELECT) = queue->number;
	REGISTER(device, QUEUE_SIZE) = queue->size;
	if (device->is_legacy) {
		REGISTER(device, QUEUE_ALIGNMENT) = PAGE_SIZE;
		REGISTER(device, QUEUE_PAGE) = (uint32_t)((uint64_t)queue->descriptors / PAGE_SIZE);
	} else {
		virtio_set_address(&REGISTER(device, QUEUE_DESCRIPTORS), queue->descriptors);
		virtio_set_address(&REGISTER(device, QUEUE_AVAILABLE), queue->available);
		virtio_set_address(&REGISTER(device, QUEUE_USED), queue->used);
		REGISTER(device, QUEUE_READY) = 1;
	}
}

static void notify(struct virtio *device, uint16_t queue) { REGISTER(device, NOTIFY) = queue; }
static void acknowledge(struct virtio *device) { REGISTER(device, INTERRUPT_ACKNOWLEDGE) = REGISTER(device, INTERRUPT); }

static const struct transport transport = {
	features, accept, status, set_status, configuration, queue_size, set_queue, notify, acknowledge,
};

static void probe(uint64_t address, unsigned line, void (*found)(const struct virtio *device))
{
	struct virtio device = {.transport = &transport, .registers = paging_map_device(address, SIZE), .has_interrupts = 1};
	if (REGISTER(&device, MAGIC) != MAGIC_VALUE)
		return;
	device.type = REGISTER(&device, DEVICE);
	device.is_legacy = REGISTER(&device, VERSION) == 1;
	if (!device.type)
		return;	/* a place without a device */
	apic_route(line, VECTOR_DEVICE);
	found(&device);
}

/* One parameter of the form above; where it ends. */
static const char *described(const char *text, void (*found)(const struct virtio *device))
{
	char *end;
	strtoull(text, &end, 0);
	while (*end && *end != '@' && *end != ' ')
		end++;	/* a unit after the size */
	uint64_t address = *end == '@' ? strtoull(end + 1, &end, 0) : 0;
	if (!address || *end != ':')
		refuse("boot parameters: virtio_mmio.device=%s is not SIZE@ADDRESS:LINE", text);
	probe(address, (unsigned)strtoul(end + 1, &end, 0), found);
	return end;
}

/* microvm has the last lines of its interrupt controllers for them: of the second one, if it has that. */
static void microvm(void (*found)(const struct virtio *device))
{
	enum { FIRST = 0xfeb00000u, PLACES = 24, FIRST_LINE = 5, FIRST_LINE_OF_SECOND = 24 };
	unsigned line = apic_has_second() ? FIRST_LINE_OF_SECOND : FIRST_LINE;
	for (unsigned i = 0; i < PLACES; i++)
		probe(FIRST + i * SIZE, line + i, found);
}

void mmio_scan(int has_pci, void (*found)(const struct virtio *device))
{
	static const char name[] = "virtio_mmio.device=";
	const char *at = strstr(target_command_line(), name);
	if (!at && !has_pci)
		microvm(found);
	for (; at; at = strstr(at, name))
		at = described(at + sizeof name - 1, found);
}
