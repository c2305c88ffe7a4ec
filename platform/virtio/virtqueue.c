/* Virtqueues (virtio 1.2, 2.7) and the start of a device (3.1.1), the same over every transport. */
#include "guest.h"
#include "virtio.h"

enum { NO_INTERRUPT = 1 };
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8 };

static void barrier(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

/* Reset, agree on features, set up queues 0 to count - 1. 0 when the device doesn't agree. */
int virtio_start(struct virtio *device, uint64_t wanted, struct queue *queues, unsigned count)
{
	const struct transport *transport = device->transport;
	transport->set_status(device, 0);
	while (transport->status(device) != 0)
		;	/* 4.1.4.3.2: wait for the reset */
	transport->set_status(device, ACKNOWLEDGE);
	transport->set_status(device, ACKNOWLEDGE | DRIVER);
	uint64_t features = transport->features(device) & wanted;
	if (device->is_legacy)
		features &= 0xffffffff;
	else if (!(features & FEATURE_VERSION_1))
		return 0;
	transport->accept(device, features);
	if (!device->is_legacy) {
		transport->set_status(device, ACKNOWLEDGE | DRIVER | FEATURES_OK);
		if (!(transport->status(device) & FEATURES_OK))
			return 0;
	}
	for (unsigned i = 0; i < count; i++) {
		struct queue *queue = &queues[i];
		unsigned size = transport->queue_size(device, (uint16_t)i);
		if (!device->is_legacy && size > RING_MAX)
			size = RING_MAX;	/* a legacy device dictates its size */
		if (!size || size > RING_MAX || size & (size - 1))
			return 0;
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

void queue_tell(struct virtio *device, struct queue *queue)
{
	enum { NO_NOTIFY = 1 };
	if (!queue->added)
		return;
	queue->added = 0;
	barrier();
	if (!(queue->used->flags & NO_NOTIFY))
		device->transport->notify(device, queue->number);
}

int queue_pending(const struct queue *queue) { return queue->used->index != queue->seen; }

/* Take one buffer back; 0 when there is none. */
int queue_take(struct queue *queue, uint16_t *descriptor, uint32_t *size)
{
	if (!queue_pending(queue))
		return 0;
	barrier();
	uint32_t number = queue->used->ring[queue->seen % queue->size].descriptor;
	*size = queue->used->ring[queue->seen % queue->size].size;
	if (number >= queue->size)
		panic("virtio: the device hands back buffer %u of %u", number, queue->size);
	*descriptor = (uint16_t)number;
	queue->seen++;
	return 1;
}

/* Ask for interrupts, or ask to be spared them; a pending buffer may come with either. */
void queue_interrupts(struct queue *queue, int wanted)
{
	queue->available->flags = wanted ? 0 : NO_INTERRUPT;
	barrier();
}
