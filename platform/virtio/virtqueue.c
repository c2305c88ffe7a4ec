/* Virtqueues (virtio 1.2, 2.7) and the start of a device (3.1.1), the same over every transport. */
#include "guest.h"
#include "virtio.h"

enum { NO_INTERRUPT = 1 };
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8, FAILED = 128 };

static void barrier(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

static int give_up(struct virtio *device, const char *why)
{
	device->transport->set_status(device, FAILED);
	say("unizone: the virtio device of type %u is left alone: %s\n", device->type, why);
	return 0;
}

static int is_reset(struct virtio *device)
{
	uint64_t deadline = uz_clock_monotonic() + NANOSECONDS;
	device->transport->set_status(device, 0);
	while (device->transport->status(device) != 0)	/* 4.1.4.3.2: wait for the reset */
		if (uz_clock_monotonic() > deadline)
			return 0;
	return 1;
}

/* Reset, agree on features, set up queues 0 to count - 1. 0, and a word on the console, when that can't be. */
int virtio_start(struct virtio *device, uint64_t wanted, struct queue *queues, unsigned count)
{
	const struct transport *transport = device->transport;
	if (!is_reset(device))
		return give_up(device, "it can't be reset");
	transport->set_status(device, ACKNOWLEDGE);
	transport->set_status(device, ACKNOWLEDGE | DRIVER);
	uint64_t features = transport->features(device) & wanted;
	if (device->is_legacy)
		features &= 0xffffffff;
	else if (!(features & FEATURE_VERSION_1))
		return give_up(device, "it is neither legacy nor of version 1");
	transport->accept(device, features);
	if (!device->is_legacy) {
		transport->set_status(device, ACKNOWLEDGE | DRIVER | FEATURES_OK);
		if (!(transport->status(device) & FEATURES_OK))
			return give_up(device, "it doesn't agree on features");
	}
	for (unsigned i = 0; i < count; i++) {
		struct queue *queue = &queues[i];
		unsigned size = transport->queue_size(device, (uint16_t)i);
		if (!device->is_legacy && size > RING_MAX)
			size = RING_MAX;	/* a legacy device dictates its size */
		if (!size || size > RING_MAX || size & (size - 1))
			return give_up(device, "it lacks a queue, or the size of one is no power of 2 up to 256");
		/* The layout that legacy devices assume: descriptors, available ring, and on the next page the used ring. */
		size_t used_offset = (size * 16 + 6 + size * 2 + PAGE_SIZE - 1) & -PAGE_SIZE;
		char *memory = memory_pages((used_offset + 6 + size * 8 + PAGE_SIZE - 1) / PAGE_SIZE);
		if (!memory)
			refuse("memory: too little RAM for the queues of a device");
		*queue = (struct queue){
			.descriptors = (struct ring_descriptor *)memory,
			.available = (struct ring_available *)(memory + size * 16),
			.used = (volatile struct ring_used *)(memory + used_offset),
			.number = (uint16_t)i,
			.size = (uint16_t)size,
			.has_events = !!(features & FEATURE_EVENT_INDEX),
		};
		queue_interrupts(queue, 0);
		transport->set_queue(device, queue);
	}
	return 1;
}

void virtio_ready(struct virtio *device)
{
	uint8_t status = ACKNOWLEDGE | DRIVER | DRIVER_OK | (device->is_legacy ? 0 : FEATURES_OK);
	device->transport->set_status(device, status);
}

uint64_t virtio_features(volatile uint32_t *select, const volatile uint32_t *half)
{
	*select = 0;
	uint64_t low = *half;
	*select = 1;
	return (uint64_t)*half << 32 | low;
}

void virtio_accept(volatile uint32_t *select, volatile uint32_t *half, uint64_t features)
{
	for (unsigned i = 0; i < 2; i++) {
		*select = i;
		*half = (uint32_t)(features >> 32 * i);
	}
}

void virtio_set_address(volatile uint32_t *low, const volatile void *address)
{
	low[0] = (uint32_t)(uint64_t)address;
	low[1] = (uint32_t)((uint64_t)address >> 32);
}

static void offer(struct queue *queue, uint16_t descriptor)
{
	queue->available->ring[queue->available->index % queue->size] = descriptor;
	barrier();
	queue->available->index++;
	queue->added++;
}

/* Give a buffer to the device. It sees it at once, and is told by queue_tell(). */
void queue_add(struct queue *queue, uint16_t descriptor, uint64_t address, uint32_t size, int device_writes)
{
	queue->descriptors[descriptor] = (struct ring_descriptor){
		.address = address,
		.size = size,
		.flags = device_writes ? DEVICE_WRITES : 0,
	};
	offer(queue, descriptor);
}

/* Give one request that lies in several places, on a queue that has one request at a time: descriptors 0 and up. */
void queue_add_chain(struct queue *queue, const struct ring_descriptor *parts, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		queue->descriptors[i] = parts[i];
		if (i + 1 < count) {
			queue->descriptors[i].flags |= HAS_NEXT;
			queue->descriptors[i].next = (uint16_t)(i + 1);
		}
	}
	offer(queue, 0);
}

/* 2.7.7.2 and 2.7.10: at which entry each side wants to be told, behind the ring that the other side reads. */
static volatile uint16_t *used_event(const struct queue *queue) { return &queue->available->ring[queue->size]; }

static uint16_t available_event(const struct queue *queue)
{
	return *(const volatile uint16_t *)&queue->used->ring[queue->size];
}

void queue_tell(struct virtio *device, struct queue *queue)
{
	enum { NO_NOTIFY = 1 };
	uint16_t added = queue->added, index = queue->available->index;
	if (!added)
		return;
	queue->added = 0;
	barrier();
	if (queue->has_events ? (uint16_t)(index - available_event(queue) - 1) < added : !(queue->used->flags & NO_NOTIFY))
		device->transport->notify(device, queue->number);
}

int queue_pending(const struct queue *queue) { return queue->used->index != queue->seen; }

/* Take one buffer back; 0 when there is none. */
int queue_take(struct queue *queue, uint16_t *descriptor, uint32_t *size)
{
	if (!queue_pending(queue))
		return 0;
	uint16_t pending = (uint16_t)(queue->used->index - queue->seen);
	if (pending > queue->size)
		panic("virtio: the device hands back %u buffers of %u", pending, queue->size);
	barrier();
	uint32_t number = queue->used->ring[queue->seen % queue->size].descriptor;
	*size = queue->used->ring[queue->seen % queue->size].size;
	if (number >= queue->size)
		panic("virtio: the device hands back buffer %u of %u", number, queue->size);
	*descriptor = (uint16_t)number;
	queue->seen++;
	return 1;
}

/* The same, for a device that is waited for; 0 when it has not answered within that time. */
int queue_await(struct queue *queue, unsigned seconds, uint16_t *descriptor, uint32_t *size)
{
	uint64_t deadline = uz_clock_monotonic() + seconds * NANOSECONDS;
	while (!queue_take(queue, descriptor, size)) {
		if (uz_clock_monotonic() > deadline)
			return 0;
		__builtin_ia32_pause();
	}
	return 1;
}

/* Ask for an interrupt with the next buffer, or ask to be spared them; a pending buffer may come with either. */
void queue_interrupts(struct queue *queue, int wanted)
{
	enum { FAR = 0x8000 };	/* entries that are not used before this is called again */
	if (queue->has_events)
		*used_event(queue) = (uint16_t)(queue->seen + (wanted ? 0 : FAR));
	else
		queue->available->flags = wanted ? 0 : NO_INTERRUPT;
	barrier();
}
