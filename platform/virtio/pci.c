/* Virtio devices on PCI: legacy through ports (virtio 1.2, 4.1.4.10), modern through capabilities (4.1.4). */
#include "guest.h"
#include "virtio.h"
#include "x86.h"

enum {
	ADDRESS_PORT = 0xcf8,
	DATA_PORT = 0xcfc,
	ENABLE = 1u << 31,
	VENDOR_VIRTIO = 0x1af4,
	DEVICE_LEGACY = 0x1000,		/* to 0x103f; the subsystem says which device it is */
	DEVICE_MODERN = 0x1040,		/* + type */
	COMMAND = 0x04,
	COMMAND_ON = 0x0407,		/* ports, memory, bus master, no interrupt line */
	HAS_CAPABILITIES = 1 << 20,
	CAPABILITY_VENDOR = 0x09,
	CAPABILITY_MSIX = 0x11,
	NO_VECTOR = 0xffff,
};

/* Offsets in the common structure of modern devices. */
enum {
	FEATURES_SELECT = 0,
	FEATURES = 4,
	ACCEPT_SELECT = 8,
	ACCEPT = 12,
	CONFIGURATION_VECTOR = 16,
	STATUS = 20,
	QUEUE_SELECT = 22,
	QUEUE_SIZE = 24,
	QUEUE_VECTOR = 26,
	QUEUE_ENABLE = 28,
	QUEUE_NOTIFY = 30,
	QUEUE_DESCRIPTORS = 32,
	QUEUE_AVAILABLE = 40,
	QUEUE_USED = 48,
	COMMON_SIZE = 56,
};

/* Ports of legacy devices. */
enum {
	PORT_FEATURES = 0,
	PORT_ACCEPT = 4,
	PORT_QUEUE = 8,
	PORT_QUEUE_SIZE = 12,
	PORT_QUEUE_SELECT = 14,
	PORT_NOTIFY = 16,
	PORT_STATUS = 18,
	PORT_INTERRUPT = 19,
	PORT_CONFIGURATION_VECTOR = 20,
	PORT_QUEUE_VECTOR = 22,
};

static uint32_t read32(uint32_t function, unsigned offset)
{
	outl(ADDRESS_PORT, ENABLE | function | (offset & 0xfc));
	return inl(DATA_PORT);
}

static void write32(uint32_t function, unsigned offset, uint32_t value)
{
	outl(ADDRESS_PORT, ENABLE | function | (offset & 0xfc));
	outl(DATA_PORT, value);
}

static uint32_t field(uint32_t function, unsigned offset, unsigned size)
{
	uint32_t value = read32(function, offset) >> (offset % 4 * 8);
	return size == 4 ? value : value & ((1u << size * 8) - 1);
}

#define REGISTER(device, type, offset) (*(volatile type *)((device)->common + (offset)))

static uint64_t modern_features(struct virtio *device)
{
	return virtio_features(&REGISTER(device, uint32_t, FEATURES_SELECT), &REGISTER(device, uint32_t, FEATURES));
}

static void modern_accept(struct virtio *device, uint64_t features)
{
	virtio_accept(&REGISTER(device, uint32_t, ACCEPT_SELECT), &REGISTER(device, uint32_t, ACCEPT), features);
	REGISTER(device, uint16_t, CONFIGURATION_VECTOR) = NO_VECTOR;
}

static uint8_t modern_status(struct virtio *device) { return REGISTER(device, uint8_t, STATUS); }
static void modern_set_status(struct virtio *device, uint8_t status) { REGISTER(device, uint8_t, STATUS) = status; }

static uint8_t modern_configuration(struct virtio *device, unsigned offset)
{
	return offset < device->specific_size ? device->specific[offset] : 0;
}

static uint16_t modern_queue_size(struct virtio *device, uint16_t number)
{
	REGISTER(device, uint16_t, QUEUE_SELECT) = number;
	uint64_t offset = (uint64_t)REGISTER(device, uint16_t, QUEUE_NOTIFY) * device->notify_multiplier;
	if (number >= array_length(device->notify_offsets) || offset + sizeof(uint16_t) > device->notification_size)
		return 0;	/* a queue that can't be told of is none */
	device->notify_offsets[number] = (uint32_t)offset;
	return REGISTER(device, uint16_t, QUEUE_SIZE);
}

static void modern_set_queue(struct virtio *device, const struct queue *queue)
{
	REGISTER(device, uint16_t, QUEUE_SELECT) = queue->number;
	REGISTER(device, uint16_t, QUEUE_SIZE) = queue->size;
	REGISTER(device, uint16_t, QUEUE_VECTOR) = device->has_interrupts ? 0 : NO_VECTOR;
	virtio_set_address(&REGISTER(device, uint32_t, QUEUE_DESCRIPTORS), queue->descriptors);
	virtio_set_address(&REGISTER(device, uint32_t, QUEUE_AVAILABLE), queue->available);
	virtio_set_address(&REGISTER(device, uint32_t, QUEUE_USED), queue->used);
	REGISTER(device, uint16_t, QUEUE_ENABLE) = 1;
}

static void modern_notify(struct virtio *device, uint16_t queue)
{
	*(volatile uint16_t *)(device->notification + device->notify_offsets[queue]) = queue;
}

/* Message-signalled interrupts need no acknowledgment. */
static void no_acknowledge(struct virtio *device) { (void)device; }

static const struct transport modern = {
	modern_features,   modern_accept,    modern_status, modern_set_status, modern_configuration,
	modern_queue_size, modern_set_queue, modern_notify, no_acknowledge,
};

static uint64_t legacy_features(struct virtio *device) { return inl(device->port + PORT_FEATURES); }
static void legacy_accept(struct virtio *device, uint64_t features) { outl(device->port + PORT_ACCEPT, (uint32_t)features); }
static uint8_t legacy_status(struct virtio *device) { return inb(device->port + PORT_STATUS); }
static void legacy_set_status(struct virtio *device, uint8_t status) { outb(device->port + PORT_STATUS, status); }

static uint8_t legacy_configuration(struct virtio *device, unsigned offset)
{
	return inb((uint16_t)(device->specific_port + offset));
}

static uint16_t legacy_queue_size(struct virtio *device, uint16_t number)
{
	outw(device->port + PORT_QUEUE_SELECT, number);
	return inw(device->port + PORT_QUEUE_SIZE);
}

static void legacy_set_queue(struct virtio *device, const struct queue *queue)
{
	outw(device->port + PORT_QUEUE_SELECT, queue->number);
	if (device->has_interrupts) {
		outw(device->port + PORT_CONFIGURATION_VECTOR, NO_VECTOR);
		outw(device->port + PORT_QUEUE_VECTOR, 0);
	}
	outl(device->port + PORT_QUEUE, (uint32_t)((uint64_t)queue->descriptors / PAGE_SIZE));
}

static void legacy_notify(struct virtio *device, uint16_t queue) { outw(device->port + PORT_NOTIFY, queue); }

static const struct transport legacy = {
	legacy_features,   legacy_accept,    legacy_status, legacy_set_status, legacy_configuration,
	legacy_queue_size, legacy_set_queue, legacy_notify, no_acknowledge,
};

/* Start of a memory or port region, and whether it is ports; 0 for none. */
static uint64_t region(uint32_t function, unsigned number, int *is_port)
{
	enum { REGIONS = 6 };
	*is_port = 0;
	if (number >= REGIONS)
		return 0;
	uint32_t low = read32(function, 0x10 + 4 * number);
	*is_port = low & 1;
	if (*is_port)
		return low & ~3u;
	uint64_t high = (low & 6) == 4 ? read32(function, 0x14 + 4 * number) : 0;
	return high << 32 | (low & ~15u);
}

/* One vector for all queues. 0 when the device has no message-signalled interrupts. */
static int enable_msix(uint32_t function, unsigned capability)
{
	int is_port;
	uint32_t table = read32(function, capability + 4);
	uint64_t start = region(function, table & 7, &is_port);
	if (is_port || !start)
		return 0;
	volatile uint32_t *entry = paging_map_device(start + (table & ~7u), 16);
	entry[0] = APIC_MESSAGE_ADDRESS;
	entry[1] = 0;
	entry[2] = VECTOR_DEVICE;
	entry[3] = 0;
	write32(function, capability, (read32(function, capability) & 0x3fffffff) | 1u << 31);
	return 1;
}

/* A structure of a modern device, given by a capability, and how much of it is looked at; NULL where there is none. */
static volatile uint8_t *structure(uint32_t function, unsigned capability, uint32_t *size)
{
	enum { LARGEST = 1 << 20 };
	int is_port;
	uint64_t start = region(function, field(function, capability + 4, 1), &is_port);
	uint32_t offset = read32(function, capability + 8), length = read32(function, capability + 12);
	*size = length < LARGEST ? length : LARGEST;
	return is_port || !start || !length ? NULL : paging_map_device(start + offset, *size);
}

static void capabilities(uint32_t function, struct virtio *device)
{
	enum { COMMON = 1, NOTIFICATION = 2, SPECIFIC = 4 };
	if (!(read32(function, COMMAND) & HAS_CAPABILITIES))
		return;
	unsigned at = field(function, 0x34, 1) & 0xfc;
	for (int left = 48; at && left; left--) {	/* no more fit: a loop would be the device's fault */
		unsigned kind = field(function, at, 1);
		if (kind == CAPABILITY_MSIX) {
			device->has_interrupts = enable_msix(function, at);
		} else if (kind == CAPABILITY_VENDOR) {
			switch (field(function, at + 3, 1)) {
			case COMMON:
				device->common = structure(function, at, &device->common_size);
				break;
			case NOTIFICATION:
				device->notification = structure(function, at, &device->notification_size);
				device->notify_multiplier = read32(function, at + 16);
				break;
			case SPECIFIC:
				device->specific = structure(function, at, &device->specific_size);
				break;
			}
		}
		at = field(function, at + 1, 1) & 0xfc;
	}
}

static void probe(uint32_t function, void (*found)(const struct virtio *device))
{
	if (field(function, 0, 2) != VENDOR_VIRTIO)
		return;	/* not ours: a boot disk, for one */
	unsigned id = field(function, 2, 2);
	struct virtio device = {.type = id >= DEVICE_MODERN ? id - DEVICE_MODERN : field(function, 0x2e, 2)};
	write32(function, COMMAND, COMMAND_ON);
	capabilities(function, &device);
	if (device.common && device.common_size >= COMMON_SIZE && device.notification) {
		device.transport = &modern;
	} else if (id >= DEVICE_LEGACY && id < DEVICE_MODERN) {
		int is_port;
		uint64_t start = region(function, 0, &is_port);
		if (!is_port || !start)
			return;
		device.transport = &legacy;
		device.is_legacy = 1;
		device.port = (uint16_t)start;
		device.specific_port = (uint16_t)(start + (device.has_interrupts ? 24 : 20));
	} else {
		return;
	}
	found(&device);
}

static void scan_bus(unsigned bus, unsigned depth, void (*found)(const struct virtio *device))
{
	enum { BRIDGE = 1, MANY_FUNCTIONS = 0x80, DEEPEST = 8 };
	for (unsigned slot = 0; slot < 32; slot++) {
		for (unsigned number = 0; number < 8; number++) {
			uint32_t function = bus << 16 | slot << 11 | number << 8;
			if (read32(function, 0) == 0xffffffff) {
				if (!number)
					break;
				continue;
			}
			unsigned type = field(function, 0x0e, 1);
			unsigned below = field(function, 0x19, 1);
			if ((type & 0x7f) == BRIDGE && below > bus && depth < DEEPEST)
				scan_bus(below, depth + 1, found);
			else
				probe(function, found);
			if (!number && !(type & MANY_FUNCTIONS))
				break;
		}
	}
}

int pci_scan(void (*found)(const struct virtio *device))
{
	outl(ADDRESS_PORT, ENABLE);
	if (inl(ADDRESS_PORT) != ENABLE)
		return 0;
	scan_bus(0, 0, found);
	return 1;
}
