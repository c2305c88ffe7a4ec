/* What the folder guest/ (the layer below musl where no kernel is) asks of a target, and offers to it. */
#ifndef GUEST_H
#define GUEST_H

#include <stddef.h>
#include <stdint.h>

#include "unizone.h"

#define PAGE_SIZE 4096ul
#define NANOSECONDS 1000000000ull

#define array_length(array) (sizeof(array) / sizeof(array)[0])

/* -- what a target gives ------------------------------------------------------------------------------------------ */

struct memory_range {
	uint64_t start, end;
};

/* Usable RAM, any order, page alignment not needed. Called once, before anything is allocated. */
unsigned target_memory(struct memory_range *ranges, unsigned limit);

/* The words that came with the start of the machine, separated by spaces; lasts for ever. */
const char *target_command_line(void);

/* Devices and clocks. The page tables are final, allocation works. */
void target_init(void);

/* Some octets fit for secrets from a device; how many, 0 when there is none. */
size_t target_random(void *buffer, size_t size);

/* -- memory.c ----------------------------------------------------------------------------------------------------- */

/* Page allocator over all usable RAM above the image. */
void memory_init(const struct memory_range *ranges, unsigned count);

/* Zeroed pages, or NULL. */
void *memory_pages(size_t count);
void memory_free(void *start, size_t count);

uint64_t memory_top(void);	/* end of RAM */

/* -- paging.c ----------------------------------------------------------------------------------------------------- */

/* Page tables in which nothing is both writable and executable, and guard pages are absent. */
void paging_init(const struct memory_range *ranges, unsigned count);

/* Make device registers, or tables of firmware, at `start` accessible, uncached. The address does not change. */
volatile void *paging_map_device(uint64_t start, size_t size);

/* The same for memory that a hypervisor shares, which is not uncached. */
void *paging_map_shared(uint64_t start, size_t size);

/* Empty the TLB. An emulator's has 256 entries to begin with, and grows only when it is emptied and was nearly full; at
   that size, every other access to Python's memory would walk the tables in software. Next to nothing to a CPU. */
void paging_forget(void);

/* -- block.c ------------------------------------------------------------------------------------------------------ */

enum disk_operation { DISK_READ, DISK_WRITE, DISK_FLUSH };	/* the first two as virtio and Xen number them */
enum { DISK_PATIENCE_S = 10 };	/* for one request */

/* A disk of the target. What it reads and writes is its buffer, which is never anybody else's: the host may change it. */
struct disk {
	uint64_t sectors;
	uint32_t sector_size;
	enum uz_result (*request)(struct disk *disk, enum disk_operation operation, uint64_t sector, size_t size);
	uint8_t *buffer;
	size_t limit;		/* octets of a request */
	int is_left;
};

void disk_add(struct disk *disk, size_t most);	/* with a buffer for requests of so many octets */
enum uz_result disk_leave(struct disk *disk, int is_silent);	/* tell that it misbehaves, and don't ask it again */

/* -- syscall.c ---------------------------------------------------------------------------------------------------- */

/* The machine is asked to end: what SIGTERM is to a program of a kernel. */
void guest_terminate(void);

/* -- files.c ------------------------------------------------------------------------------------------------------ */

/* Files of memfd_create(), which last for as long as a descriptor of them is open. All say errors as Linux does. */
enum { FIRST_FILE = 3 };	/* descriptors below are the console */

long file_create(void);
long file_open(const char *path);	/* one below /proc/self/fd, at its beginning */
long file_close(int file);
long file_read(int file, void *buffer, size_t size);
long file_write(int file, const void *data, size_t size);
long file_size(int file);

/* -- cpu.c, traps.S ----------------------------------------------------------------------------------------------- */

enum { VECTOR_TIMER = 32, VECTOR_DEVICE, VECTOR_BUTTON, VECTOR_SPURIOUS = 63, VECTORS = 64 };

void cpu_init(void);
void cpu_set_interrupt(unsigned vector, void (*handler)(void));

/* -- pvclock.c ---------------------------------------------------------------------------------------------------- */

struct pvclock {
	uint32_t version, reserved0;
	uint64_t counter, nanoseconds;
	uint32_t multiplier;
	int8_t shift;
	uint8_t flags, reserved1[2];
};

struct pvclock_boot {
	uint32_t version, seconds, nanoseconds;	/* the wall clock when the other one began */
};

uint64_t pvclock_monotonic(const volatile struct pvclock *clock);
uint64_t pvclock_wall(const volatile struct pvclock_boot *boot, const volatile struct pvclock *clock);

/* -- panic.c ------------------------------------------------------------------------------------------------------ */

struct registers {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

enum { EXIT_PANIC = 70, EXIT_NO_MACHINE = 71 };

/* Text to the console, for what comes before or instead of Python. Understands %s %d %u %x %p %c and l, z. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Say it, with the calls that led here, and end the image. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An exception of the CPU. */
_Noreturn void panic_trap(const struct registers *registers);

/* Say what the machine lacks and end the image: no backtrace, it is no fault of the program. */
_Noreturn void refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
