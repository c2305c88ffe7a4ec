/*
 * System calls of the C library on a real kernel: the only file of the project with the `syscall` instruction.
 * It is also the default in libc.a, so that programs of the build (CPython's own interpreter) run on the builder's machine.
 * A target without a kernel defines all of these symbols itself (platform/guest/syscall.c).
 */
#define SYS_munmap 11
#define SYS_rt_sigreturn 15
#define SYS_clone 56
#define SYS_exit 60

	.text

/* long __uk_syscall(long n, long a, long b, long c, long d, long e, long f) */
	.globl __uk_syscall
	.type __uk_syscall, @function
__uk_syscall:
	mov %rdi, %rax
	mov %rsi, %rdi
	mov %rdx, %rsi
	mov %rcx, %rdx
	mov %r8, %r10
	mov %r9, %r8
	mov 8(%rsp), %r9
	syscall
	ret
	.size __uk_syscall, . - __uk_syscall

/* int __clone(int (*function)(void *), void *stack, int flags, void *argument, pid_t *parent, void *tls, pid_t *child) */
	.globl __clone
	.type __clone, @function
__clone:
	and $-16, %rsi
	sub $16, %rsi
	mov %rdi, (%rsi)		/* the child finds its function and its argument on its stack */
	mov %rcx, 8(%rsi)
	mov %rdx, %rdi			/* flags, stack, parent, child, tls: the kernel's order */
	mov %r8, %rdx
	mov 8(%rsp), %r10
	mov %r9, %r8
	mov $SYS_clone, %eax
	syscall
	test %eax, %eax
	jnz 1f
	xor %ebp, %ebp
	pop %rax
	pop %rdi
	call *%rax
	mov %eax, %edi
	mov $SYS_exit, %eax
	syscall
1:	ret
	.size __clone, . - __clone

/* _Noreturn void __unmapself(void *stack, size_t size): the end of a thread, which can't return to its stack */
	.globl __unmapself
	.type __unmapself, @function
__unmapself:
	mov $SYS_munmap, %eax
	syscall
	xor %edi, %edi
	mov $SYS_exit, %eax
	syscall
	.size __unmapself, . - __unmapself

/* Where signal handlers return to */
	.globl __restore, __restore_rt
	.type __restore_rt, @function
__restore:
__restore_rt:
	mov $SYS_rt_sigreturn, %eax
	syscall
	.size __restore_rt, . - __restore_rt

	.section .note.GNU-stack, "", @progbits
