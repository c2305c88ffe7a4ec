/* Network devices (virtio 1.2, 5.1): one receiving and one sending queue, frames copied in and out of fixed buffers. */
#include <string.h>

#include "guest.h"
#include "virtio.h"

enum { RECEIVE, SEND, QUEUES, DEVICES = 4, BUFFER = 2048, FRAME_MIN = 14, MTU = 1500 };

struct network {
	struct virtio device;
	struct queue queues[QUEUES];
	uint8_t *buffers[QUEUES];	/* BUFFER octets for each descriptor */
	unsigned header;		/* octets before each frame */
	unsigned sending;		/* descriptors that were ever used for sending */
	struct uz_network_info info;
};

static struct network networks[DEVICES];
static unsigned count;

static uint8_t *buffer_of(struct network *network, unsigned queue, unsigned descriptor)
{
	return network->buffers[queue] + (size_t)descriptor * BUFFER;
}

static void give_back(struct network *network, uint16_t descriptor)
{
	queue_add(&network->queues[RECEIVE], descriptor, (uint64_t)buffer_of(network, RECEIVE, descriptor), BUFFER, 1);
}

void network_device(const struct virtio *found)
{
	if (count == DEVICES)
		return;
	struct network *network = &networks[count];
	network->device = *found;
	struct virtio *device = &network->device;
	if (!virtio_start(device, FEATURE_MAC | FEATURE_EVENT_INDEX | FEATURE_VERSION_1, network->queues, QUEUES))
		return;
	/* 5.1.6.1: legacy headers lack the last field. */
	network->header = device->is_legacy ? 10 : 12;
	for (unsigned i = 0; i < sizeof network->info.mac; i++)
		network->info.mac[i] = device->transport->configuration(device, i);
	network->info.mtu = MTU;
	for (unsigned i = 0; i < QUEUES; i++) {
		network->buffers[i] = memory_pages((size_t)network->queues[i].size * BUFFER / PAGE_SIZE);
		if (!network->buffers[i])
			refuse("memory: too little RAM for the buffers of a network device");
	}
	for (uint16_t i = 0; i < network->queues[RECEIVE].size; i++)
		give_back(network, i);
	virtio_ready(device);
	queue_tell(device, &network->queues[RECEIVE]);
	count++;
}

unsigned uz_network_count(void) { return count; }

enum uz_result uz_network_info(unsigned number, struct uz_network_info *info)
{
	if (number >= count)
		return UZ_INVALID;
	*info = networks[number].info;
	return UZ_OK;
}

unsigned uz_network_receive(unsigned number, uint8_t *buffer, size_t slot, uint64_t *lengths, unsigned limit)
{
	if (number >= count)
		return 0;
	struct network *network = &networks[number];
	unsigned taken = 0;
	uint16_t descriptor;
	uint32_t size;
	while (taken < limit && queue_take(&network->queues[RECEIVE], &descriptor, &size)) {
		if (size > BUFFER)
			panic("virtio-net: a frame of %u octets in a buffer of %u", size, BUFFER);
		/* What is no frame, or too long for the caller, is dropped. */
		if (size >= network->header + FRAME_MIN && size - network->header <= slot) {
			size -= network->header;
			memcpy(buffer + taken * slot, buffer_of(network, RECEIVE, descriptor) + network->header, size);
			lengths[taken++] = size;
		}
		give_back(network, descriptor);
	}
	queue_tell(&network->device, &network->queues[RECEIVE]);
	return taken;
}

unsigned uz_network_send(unsigned number, const uint8_t *memory, const uint64_t *starts, const uint64_t *lengths,
			 unsigned limit)
{
	if (number >= count)
		return 0;
	struct network *network = &networks[number];
	struct queue *queue = &network->queues[SEND];
	unsigned sent = 0;
	uint16_t descriptor;
	uint32_t ignored;
	for (; sent < limit; sent++) {
		if (lengths[sent] < FRAME_MIN || lengths[sent] > BUFFER - network->header)
			continue;
		if (!queue_take(queue, &descriptor, &ignored)) {
			if (network->sending == queue->size)
				break;
			descriptor = (uint16_t)network->sending++;
		}
		/* The header stays the zeros that it is: nothing is left to the device, checksums are ours. */
		uint8_t *buffer = buffer_of(network, SEND, descriptor);
		memcpy(buffer + network->header, memory + starts[sent], lengths[sent]);
		queue_add(queue, descriptor, (uint64_t)buffer, (uint32_t)(network->header + lengths[sent]), 0);
	}
	queue_tell(&network->device, queue);
	return sent;
}

int network_pending(void)
{
	for (unsigned i = 0; i < count; i++)
		if (queue_pending(&networks[i].queues[RECEIVE]))
			return 1;
	return 0;
}

int network_interrupts(int wanted)
{
	int all = 1;
	for (unsigned i = 0; i < count; i++) {
		struct virtio *device = &networks[i].device;
		device->transport->acknowledge(device);
		queue_interrupts(&networks[i].queues[RECEIVE], wanted);
		all &= device->has_interrupts;
	}
	return all;
}
