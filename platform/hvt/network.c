/* The network device `service`: one call for each frame. */
#include "guest.h"
#include "hvt.h"

static struct uz_network_info info;
static unsigned count;

void network_init(const struct hvt_manifest *manifest)
{
	const struct hvt_device *service = &manifest->devices[HVT_SERVICE];
	if (!service->is_attached)
		return;
	for (unsigned i = 0; i < sizeof info.mac; i++)
		info.mac[i] = service->network.mac[i];
	info.mtu = service->network.mtu;
	count = 1;
}

unsigned uz_network_count(void) { return count; }

enum uz_result uz_network_info(unsigned device, struct uz_network_info *to)
{
	if (device >= count)
		return UZ_INVALID;
	*to = info;
	return UZ_OK;
}

unsigned uz_network_receive(unsigned device, uint8_t *buffer, size_t slot, uint64_t *lengths, unsigned limit)
{
	if (device >= count)
		return 0;
	for (unsigned taken = 0;; taken++) {
		if (taken == limit)
			return taken;
		struct hvt_network call = {HVT_SERVICE, buffer + taken * slot, slot, HVT_AGAIN};
		hvt_call(HVT_NET_READ, &call);
		if (call.result != HVT_OK)
			return taken;
		if (call.size > slot)
			panic("hvt: a frame of %zu octets in a buffer of %zu", call.size, slot);
		lengths[taken] = call.size;
	}
}

unsigned uz_network_send(unsigned device, const uint8_t *memory, const uint64_t *starts, const uint64_t *lengths,
			 unsigned limit)
{
	if (device >= count)
		return 0;
	for (unsigned sent = 0;; sent++) {
		if (sent == limit)
			return sent;
		struct hvt_network call = {HVT_SERVICE, (void *)(memory + starts[sent]), lengths[sent], HVT_AGAIN};
		hvt_call(HVT_NET_WRITE, &call);
		if (call.result == HVT_AGAIN)
			return sent;
	}
}
