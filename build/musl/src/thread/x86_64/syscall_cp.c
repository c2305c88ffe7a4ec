/*
 * Cancellation points without a window in assembly: a cancel that arrives while the platform's call waits
 * takes effect at the next point. The empty range tells the signal handler that no call is in the window.
 */
#include "pthread_impl.h"
#include "syscall.h"

hidden long __cancel(void);
hidden const char __cp_begin[1], __cp_end[1], __cp_cancel[1];

hidden long __syscall_cp_asm(volatile int *cancel, syscall_arg_t n, syscall_arg_t a, syscall_arg_t b,
                             syscall_arg_t c, syscall_arg_t d, syscall_arg_t e, syscall_arg_t f)
{
	if (*cancel) return __cancel();
	return __uk_syscall(n, a, b, c, d, e, f);
}
