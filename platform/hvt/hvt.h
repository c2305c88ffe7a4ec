/*
 * Calls to the tender of the solo5 hvt ABI, version 2: a structure's address goes to the port of the call, and the
 * answer is in the structure when the instruction is over. Addresses are physical, which here is what pointers are.
 */
#ifndef HVT_H
#define HVT_H

#include <stddef.h>
#include <stdint.h>

enum { HVT_WALLTIME = 1, HVT_PUTS, HVT_POLL, HVT_BLOCK_WRITE, HVT_BLOCK_READ, HVT_NET_WRITE, HVT_NET_READ, HVT_HALT };
enum { HVT_OK, HVT_AGAIN };	/* results */

struct hvt_walltime {
	uint64_t nanoseconds;
};

struct hvt_puts {
	const char *data;
	size_t size;
};

struct hvt_poll {
	uint64_t timeout;	/* nanoseconds from now */
	uint64_t ready;		/* one bit for each device */
	int result;
};

struct hvt_network {
	uint64_t device;	/* index in the manifest */
	void *data;
	size_t size;		/* of a frame that was read: its own */
	int result;
};

struct hvt_block {
	uint64_t device;
	uint64_t offset;	/* octets */
	void *data;
	size_t size;
	int result;
};

struct hvt_halt {
	void *cookie;
	int status;
};

struct hvt_boot {
	uint64_t memory_size, kernel_end, cycle_frequency;
	const char *command_line;
	const struct hvt_manifest *manifest;
	uint32_t host_features, guest_features;	/* none of them is asked for */
	void *ring;
};

enum { HVT_DEVICE_BLOCK = 1, HVT_DEVICE_NETWORK, HVT_RESERVED = 1 << 30 };

/* One device: declared in the image with its name and type, filled in by the tender. */
struct hvt_device {
	char name[68];
	uint32_t type;
	union {
		struct {
			uint64_t capacity;
			uint16_t block_size;
		} block;
		struct {
			uint8_t mac[6];
			uint16_t mtu;
		} network;
	};
	uint64_t host;		/* the tender's own */
	uint8_t is_attached;
};

/* The first entry is reserved. The tender insists on all devices that are declared. */
#ifdef UNIZONE_BLOCK
enum { HVT_SERVICE = 1, HVT_STORAGE, HVT_DEVICES };
#else
enum { HVT_SERVICE = 1, HVT_DEVICES, HVT_STORAGE = HVT_DEVICES };
#endif

struct hvt_manifest {
	uint32_t version, count;
	struct hvt_device devices[HVT_DEVICES];
};

static inline void hvt_call(int number, volatile void *argument)
{
	enum { PORTS = 0x500 };
	__asm__ volatile("outl %0, %1" : : "a"((uint32_t)(uint64_t)argument), "d"((uint16_t)(PORTS + number)) : "memory");
}

extern const struct hvt_boot *hvt_boot;
extern uint64_t hvt_cycle_frequency;

void network_init(const struct hvt_manifest *manifest);
void block_init(const struct hvt_manifest *manifest);

#endif
