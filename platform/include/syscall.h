/* What musl calls instead of a kernel (build/musl/). One file of each image defines all of these. */
#ifndef SYSCALL_H
#define SYSCALL_H

#include <stddef.h>

/* Linux's system call `n`: a result, or minus an error number. */
long __uk_syscall(long n, long a, long b, long c, long d, long e, long f);

/* Start a thread; minus an error number where there are none. */
int __clone(int (*function)(void *), void *stack, int flags, void *argument, ...);

/* The last thing that a thread does: give its stack back. */
void __unmapself(void *stack, size_t size);

/* Where the handlers of signals return to. */
void __restore(void);
void __restore_rt(void);

#endif
