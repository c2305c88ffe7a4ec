/* A virtio console (virtio 1.2, 5.3): its first port gets what the UART gets. Nobody types at it. */
#include "guest.h"
#include "virtio.h"

enum { RECEIVE, SEND, QUEUES, PATIENCE_S = 1 };

static struct virtio device;
static struct queue queues[QUEUES];
static int has_device;
static char text[PAGE_SIZE];	/* before the device is found, what was said until then */
static size_t waiting;

void terminal_device(const struct virtio *found)
{
	if (has_device)
		return;
	device = *found;
	device.has_interrupts = 0;	/* it is waited for */
	if (!virtio_start(&device, FEATURE_VERSION_1, queues, QUEUES))
		return;
	virtio_ready(&device);
	has_device = 1;
	terminal_flush();
}

void terminal_put(char character)
{
	if (waiting == sizeof text)
		terminal_flush();
	if (waiting < sizeof text)
		text[waiting++] = character;
}

void terminal_flush(void)
{
	uint16_t descriptor;
	uint32_t ignored;
	if (!has_device || !waiting)
		return;
	queue_add(&queues[SEND], 0, (uint64_t)text, (uint32_t)waiting, 0);
	queue_tell(&device, &queues[SEND]);
	/* A console whose reader has stopped must not stop the service. */
	has_device = queue_await(&queues[SEND], PATIENCE_S, &descriptor, &ignored);
	waiting = 0;
}
