/*
 * The platform contract: all that a target offers to Python. Each target implements these functions and no others;
 * the Python module `_unizone` is generated from this file (build/dns_build/binding.py), so it holds plain declarations.
 *
 * A function that can fail returns a result; what can't be cured stops the image with a message (see `uz_exit`).
 */
#ifndef UNIZONE_H
#define UNIZONE_H

#include <stddef.h>
#include <stdint.h>

enum uz_result {
	UZ_OK,
	UZ_INVALID,	/* an argument is out of range */
	UZ_FAILED	/* the device said so */
};

/* Text to the console; returns when all of it is on its way. */
void uz_console_write(const char *data, size_t size);

/* Nanoseconds since some start; never goes back. */
uint64_t uz_clock_monotonic(void);

/* Nanoseconds since 1970 UTC, asked of the host on each call, or ten times a second where that takes long. */
uint64_t uz_clock_wall(void);

/* Octets fit for secrets. Stops the image where the machine has none: it never makes them up. */
void uz_random(void *buffer, size_t size);

/* Octets of RAM that the image has beside itself, and how many of them are free. */
uint64_t uz_memory(void);
uint64_t uz_memory_free(void);

/* Network devices are numbered from 0. */
unsigned uz_network_count(void);

struct uz_network_info {
	uint8_t mac[6];
	uint16_t mtu;	/* octets of payload, without the Ethernet header */
};

/* UZ_INVALID when there is no such device. */
enum uz_result uz_network_info(unsigned device, struct uz_network_info *info);

/*
 * Take up to `limit` frames: frame i goes to buffer + i * slot, its length to lengths[i].
 * A frame that is longer than `slot` is dropped. Returns how many were taken.
 */
unsigned uz_network_receive(unsigned device, uint8_t *buffer, size_t slot, uint64_t *lengths, unsigned limit);

/*
 * Give `count` frames to the device, in order: frame i is the lengths[i] octets from memory + starts[i] on. Returns how
 * many it took; fewer when its queue is full. A frame that no device could send is taken and dropped.
 */
unsigned uz_network_send(unsigned device, const uint8_t *memory, const uint64_t *starts, const uint64_t *lengths,
			 unsigned count);

/* Block devices are numbered from 0. */
unsigned uz_block_count(void);

struct uz_block_info {
	uint64_t sectors;
	uint32_t sector_size;	/* octets */
};

/* UZ_INVALID when there is no such device. */
enum uz_result uz_block_info(unsigned device, struct uz_block_info *info);

/* Whole sectors from `sector` on; each returns when it is done. UZ_INVALID outside the device. */
enum uz_result uz_block_read(unsigned device, uint64_t sector, uint8_t *data, size_t size);
enum uz_result uz_block_write(unsigned device, uint64_t sector, const uint8_t *data, size_t size);

/* Return when all that was written is on the medium. */
enum uz_result uz_block_flush(unsigned device);

/* Wait for a frame on any device, or until `deadline` (of the monotonic clock). Returns 1 when there may be frames. */
int uz_poll(uint64_t deadline);

/* End the image with an exit code. */
_Noreturn void uz_exit(int code);

#endif
