/* Where the CPU goes on exceptions and interrupts: save all registers, call trap(), and go back if that returns. */

	.text
	.macro entry vector
	.balign 16
	/* The CPU pushes an error code for these; the others get a 0 in its place. */
	.if !(\vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17 || \vector == 21)
	pushq $0
	.endif
	pushq $\vector
	jmp common
	.endm

	.globl trap_entries
	.balign 16
trap_entries:
	.set number, 0
	.rept 64
	entry number
	.set number, number + 1
	.endr

common:
	push %rax
	push %rbx
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %rbp
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	cld
	mov %rsp, %rdi
	call trap
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rbp
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rbx
	pop %rax
	add $16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
