/* What the files of this target say to each other. */
#ifndef VIRTIO_H
#define VIRTIO_H

#include <stddef.h>
#include <stdint.h>

enum { VIRTIO_NETWORK = 1, VIRTIO_BLOCK, VIRTIO_CONSOLE, VIRTIO_RANDOM };

/* Feature bits. */
#define FEATURE_MAC (1ull << 5)
#define FEATURE_EVENT_INDEX (1ull << 29)
#define FEATURE_VERSION_1 (1ull << 32)

enum { RING_MAX = 256, QUEUES_MAX = 2 };

/* One virtqueue: the device fills or empties the buffers that it is given, and hands them back in any order. */
struct ring_descriptor {
	uint64_t address;
	uint32_t size;
	uint16_t flags, next;
};

enum { HAS_NEXT = 1, DEVICE_WRITES };	/* flags */

struct ring_available {
	uint16_t flags, index, ring[];
};

struct ring_used {
	uint16_t flags, index;
	struct {
		uint32_t descriptor, size;
	} ring[];
};

struct queue {
	struct ring_descriptor *descriptors;
	struct ring_available *available;
	volatile struct ring_used *used;
	uint16_t number, size, seen;	/* seen: used entries that were taken */
	uint16_t added;			/* buffers given since the device was last told */
	uint8_t has_events;		/* FEATURE_EVENT_INDEX was agreed on */
};

struct virtio;

/* How a device is reached. */
struct transport {
	uint64_t (*features)(struct virtio *device);
	void (*accept)(struct virtio *device, uint64_t features);
	uint8_t (*status)(struct virtio *device);
	void (*set_status)(struct virtio *device, uint8_t status);
	uint8_t (*configuration)(struct virtio *device, unsigned offset);
	/* Size of queue `number` (0: there is none), and where its rings are. */
	uint16_t (*queue_size)(struct virtio *device, uint16_t number);
	void (*set_queue)(struct virtio *device, const struct queue *queue);
	void (*notify)(struct virtio *device, uint16_t queue);
	void (*acknowledge)(struct virtio *device);	/* an interrupt was seen */
};

struct virtio {
	const struct transport *transport;
	unsigned type;
	int is_legacy;		/* before VERSION_1 */
	int has_interrupts;	/* else it must be asked now and then */
	volatile uint8_t *common, *notification, *specific, *registers;
	uint32_t common_size, notification_size, specific_size;
	uint32_t notify_multiplier, notify_offsets[QUEUES_MAX];
	uint16_t port, specific_port;
};

/* virtqueue.c */
int virtio_start(struct virtio *device, uint64_t wanted, struct queue *queues, unsigned count);
void virtio_ready(struct virtio *device);
/* What transports in memory have in common: 64 bits in two halves, of features by a register that selects the half. */
uint64_t virtio_features(volatile uint32_t *select, const volatile uint32_t *half);
void virtio_accept(volatile uint32_t *select, volatile uint32_t *half, uint64_t features);
void virtio_set_address(volatile uint32_t *low, const volatile void *address);
void queue_add(struct queue *queue, uint16_t descriptor, uint64_t address, uint32_t size, int device_writes);
void queue_add_chain(struct queue *queue, const struct ring_descriptor *parts, unsigned count);
void queue_tell(struct virtio *device, struct queue *queue);
int queue_take(struct queue *queue, uint16_t *descriptor, uint32_t *size);
int queue_await(struct queue *queue, unsigned seconds, uint16_t *descriptor, uint32_t *size);
int queue_pending(const struct queue *queue);
void queue_interrupts(struct queue *queue, int wanted);

/* pci.c, mmio.c: call `found` for each virtio device. */
int pci_scan(void (*found)(const struct virtio *device));	/* 0 when there is no PCI */
void mmio_scan(int has_pci, void (*found)(const struct virtio *device));

/* apic.c */
void apic_init(void);
void apic_timer(uint64_t nanoseconds);
int apic_has_second(void);		/* whether there is a second IOAPIC, as on microvm */
void apic_route(unsigned line, unsigned vector);	/* an interrupt line of the IOAPIC to that vector */
void apic_done(void);			/* the end of an interrupt */
#define APIC_MESSAGE_ADDRESS 0xfee00000u	/* message-signalled interrupts to the one CPU */

/* acpi.c, button.c */
struct acpi_fadt;
void acpi_init(void);
const struct acpi_fadt *acpi_fadt(void);	/* the fixed hardware; NULL where there is no ACPI */
void acpi_power_off(void);		/* returns where that is not possible */
void button_init(void);
int button_pressed(void);		/* since the last call */

/* terminal.c: a virtio console, where there is one */
void terminal_device(const struct virtio *device);
void terminal_put(char character);
void terminal_flush(void);

void clock_init(void);
void entropy_device(const struct virtio *device);
void block_device(const struct virtio *device);
void network_device(const struct virtio *device);
int network_pending(void);
int network_interrupts(int wanted);	/* 0 when a device has none: poll it */

#endif
