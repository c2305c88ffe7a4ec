/*
 * The system calls that musl makes, where no kernel is: about thirty do something, the others say that there is no
 * such thing. Numbers and errors are Linux's, which is what musl was built for.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>

#include "guest.h"
#include "syscall.h"
#include "x86.h"

enum { SET_FS = 0x1002, EXIT_SIGNAL = 128 };

/* Linux's struct sigaction. */
struct action {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

static struct action on_terminate;

static uint64_t nanoseconds(const struct timespec *t) { return (uint64_t)t->tv_sec * NANOSECONDS + (uint64_t)t->tv_nsec; }

static long write_out(int file, const struct iovec *parts, int count)
{
	long written = 0;
	if (file == 0)
		return -EBADF;
	for (int i = 0; i < count; i++) {
		if (file >= FIRST_FILE) {
			long result = file_write(file, parts[i].iov_base, parts[i].iov_len);
			if (result < 0)
				return written ? written : result;
		} else {
			uz_console_write(parts[i].iov_base, parts[i].iov_len);
		}
		written += (long)parts[i].iov_len;
	}
	return written;
}

static long read_in(int file, const struct iovec *parts, int count)
{
	long got = 0;
	if (file == 0)
		return 0;	/* nobody types at the console */
	for (int i = 0; i < count; i++) {
		long result = file_read(file, parts[i].iov_base, parts[i].iov_len);
		if (result < 0)
			return result;
		got += result;
	}
	return got;
}

static long map(size_t size, int protection, int flags)
{
	if (!size)
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS) || flags & MAP_FIXED)
		return -ENODEV;
	if (protection & PROT_EXEC)
		return -EACCES;	/* nothing is ever both writable and executable */
	void *start = memory_pages((size + PAGE_SIZE - 1) / PAGE_SIZE);
	return start ? (long)start : -ENOMEM;
}

static long unmap(void *start, size_t size)
{
	if ((size_t)start % PAGE_SIZE)
		return -EINVAL;
	memory_free(start, (size + PAGE_SIZE - 1) / PAGE_SIZE);
	return 0;
}

static long clock_get(clockid_t clock, struct timespec *time)
{
	uint64_t now;
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		now = uz_clock_wall();
		break;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		now = uz_clock_monotonic();
		break;
	default:
		return -EINVAL;
	}
	time->tv_sec = (time_t)(now / NANOSECONDS);
	time->tv_nsec = (long)(now % NANOSECONDS);
	return 0;
}

static long sleep_until(clockid_t clock, int is_absolute, const struct timespec *request)
{
	uint64_t deadline = nanoseconds(request);
	if (!is_absolute)
		deadline += uz_clock_monotonic();
	else if (clock == CLOCK_REALTIME)
		deadline += uz_clock_monotonic() - uz_clock_wall();
	while (uz_clock_monotonic() < deadline)
		uz_poll(deadline);
	return 0;
}

/* There is one thread: what it waits for can only be a time-out. */
static long futex(const int *word, int operation, int value, const struct timespec *timeout)
{
	enum { WAIT = 0, COMMAND = 127 };
	if ((operation & COMMAND) != WAIT)
		return 0;
	if (*(volatile const int *)word != value)
		return -EAGAIN;
	if (!timeout)
		panic("the only thread waits for another one");
	sleep_until(CLOCK_MONOTONIC, 0, timeout);
	return -ETIMEDOUT;
}

static long status(int file, struct stat *status)
{
	long size = file < FIRST_FILE ? 0 : file_size(file);
	if (size < 0)
		return size;
	memset(status, 0, sizeof *status);
	status->st_mode = (file < FIRST_FILE ? S_IFCHR : S_IFREG) | 0600;
	status->st_size = size;
	status->st_blksize = PAGE_SIZE;
	return 0;
}

static long status_of(const char *path, struct stat *found)
{
	long file = file_open(path);
	if (file < 0)
		return file;
	long result = status((int)file, found);
	file_close((int)file);
	return result;
}

/* One signal comes: a machine that is to end gets it from guest_terminate(). */
static long signal_action(int number, const struct action *action, struct action *before)
{
	if (before)
		*before = number == SIGTERM ? on_terminate : (struct action){.handler = SIG_DFL};
	if (action && number == SIGTERM)
		on_terminate = *action;
	return 0;
}

void guest_terminate(void)
{
	if (on_terminate.handler == SIG_DFL)
		uz_exit(EXIT_SIGNAL + SIGTERM);
	if (on_terminate.handler != SIG_IGN)
		on_terminate.handler(SIGTERM);
}

static long name(struct utsname *name)
{
	memset(name, 0, sizeof *name);
	strcpy(name->sysname, "unizone");
	strcpy(name->nodename, "unizone");
	strcpy(name->machine, "x86_64");
	return 0;
}

/* Setting the thread pointer changes where the stack protector's canary is, so this function has none. */
__attribute__((no_stack_protector))
long __uk_syscall(long n, long a, long b, long c, long d, long e, long f)
{
	(void)e, (void)f;
	switch (n) {
	case SYS_write:
		return write_out((int)a, &(struct iovec){(void *)b, (size_t)c}, 1);
	case SYS_writev:
		return write_out((int)a, (const struct iovec *)b, (int)c);
	case SYS_read:
		return read_in((int)a, &(struct iovec){(void *)b, (size_t)c}, 1);
	case SYS_readv:
		return read_in((int)a, (const struct iovec *)b, (int)c);
	case SYS_memfd_create:
		return file_create();
	case SYS_open:
		return file_open((const char *)a);
	case SYS_openat:
		return file_open((const char *)b);
	case SYS_close:
		return a < FIRST_FILE ? 0 : file_close((int)a);
	case SYS_fstat:
		return status((int)a, (struct stat *)b);
	case SYS_newfstatat:
		return d & AT_EMPTY_PATH ? status((int)a, (struct stat *)c) : status_of((const char *)b, (struct stat *)c);
	case SYS_stat:
		return status_of((const char *)a, (struct stat *)b);
	case SYS_fcntl:
		return a < FIRST_FILE || file_size((int)a) >= 0 ? 0 : -EBADF;
	case SYS_ioctl:
		return -ENOTTY;
	case SYS_lseek:
		return -ESPIPE;
	case SYS_lstat: case SYS_access: case SYS_faccessat: case SYS_readlink: case SYS_readlinkat:
	case SYS_statx:
		return -ENOENT;
	case SYS_getcwd:
		strcpy((char *)a, "/");
		return 2;
	case SYS_mmap:
		return map((size_t)b, (int)c, (int)d);
	case SYS_munmap:
		return unmap((void *)a, (size_t)b);
	case SYS_brk:
		return 0;	/* no heap but what is mapped */
	case SYS_mprotect: case SYS_madvise:
		return 0;
	case SYS_clock_gettime:
		return clock_get((clockid_t)a, (struct timespec *)b);
	case SYS_clock_getres:
		if (b)
			*(struct timespec *)b = (struct timespec){.tv_nsec = 1};
		return 0;
	case SYS_nanosleep:
		return sleep_until(CLOCK_MONOTONIC, 0, (const struct timespec *)a);
	case SYS_clock_nanosleep:
		return sleep_until((clockid_t)a, (int)b & TIMER_ABSTIME, (const struct timespec *)c);
	case SYS_getrandom:
		uz_random((void *)a, (size_t)b);
		return b;
	case SYS_futex:
		return futex((const int *)a, (int)b, (int)c, (const struct timespec *)d);
	case SYS_arch_prctl:
		if (a != SET_FS)
			return -EINVAL;
		wrmsr(MSR_FS_BASE, (uint64_t)b);
		return 0;
	case SYS_rt_sigaction:
		return signal_action((int)a, (const struct action *)b, (struct action *)c);
	case SYS_uname:
		return name((struct utsname *)a);
	case SYS_getpid: case SYS_gettid: case SYS_set_tid_address:
		return 1;
	case SYS_getuid: case SYS_geteuid: case SYS_getgid: case SYS_getegid: case SYS_rt_sigprocmask:
	case SYS_sigaltstack: case SYS_sched_yield:
		return 0;
	case SYS_exit: case SYS_exit_group:
		uz_exit((int)a);
	case SYS_tkill: case SYS_tgkill: case SYS_kill:
		panic("the program raised signal %ld", n == SYS_tgkill ? c : b);
	default:
		return -ENOSYS;
	}
}

int __clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
	(void)function, (void)stack, (void)flags, (void)argument;
	return -ENOSYS;	/* "can't start new thread" */
}

void __unmapself(void *stack, size_t size) { panic("a thread ends that never began: %p, %zu", stack, size); }
void __restore(void) { panic("return from a signal that never came"); }
void __restore_rt(void) { __restore(); }
