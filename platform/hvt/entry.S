/* Where a tender starts the image: 64-bit mode, all of memory mapped to itself, the boot information in rdi. */
#define MSR_EFER 0xc0000080
#define EFER_NO_EXECUTE 0x800

	.section .text.entry, "ax", @progbits
	.globl target_entry
target_entry:
	mov %rdi, hvt_boot
	cld
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	xor %ebp, %ebp
	fninit
	mov $MSR_EFER, %ecx
	rdmsr
	or $EFER_NO_EXECUTE, %eax
	wrmsr
	/* The stack of the image lies behind it, where a small machine has no RAM; the tender's is at the end of RAM. */
	call guest_memory
	mov $stack_top, %rsp
	call guest_start

	.section .note.GNU-stack, "", @progbits
