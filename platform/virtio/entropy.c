/* Random octets from a virtio-rng device (virtio 1.2, 5.4), for CPUs that have none. */
#include <string.h>

#include "guest.h"
#include "virtio.h"

enum { CHUNK = 256, PATIENCE_S = 10 };

static struct virtio device;
static int has_device;
static struct queue queue;
static uint8_t chunk[CHUNK];

void entropy_device(const struct virtio *found)
{
	if (has_device)
		return;
	device = *found;
	device.has_interrupts = 0;	/* it is waited for */
	has_device = virtio_start(&device, FEATURE_VERSION_1, &queue, 1);
	if (has_device)
		virtio_ready(&device);
}

size_t target_random(void *to, size_t size)
{
	uint16_t descriptor;
	uint32_t given;
	if (!has_device)
		return 0;
	queue_add(&queue, 0, (uint64_t)chunk, size < CHUNK ? (uint32_t)size : CHUNK, 1);
	queue_tell(&device, &queue);
	if (!queue_await(&queue, PATIENCE_S, &descriptor, &given))
		refuse("the device for random numbers has not answered for %d seconds", PATIENCE_S);
	if (given > size || given > CHUNK)
		panic("virtio-rng: %u octets in a buffer for %zu", given, size);
	memcpy(to, chunk, given);
	memset(chunk, 0, given);
	return given;
}
