/* The thread pointer is set by a call of the platform, as every other system call. */
#include "pthread_impl.h"
#include "syscall.h"

#define ARCH_SET_FS 0x1002

int __set_thread_area(void *pointer)
{
	return __syscall(SYS_arch_prctl, ARCH_SET_FS, pointer);
}
