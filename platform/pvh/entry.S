/*
 * Where a machine starts the image: 32-bit protected mode without paging, by a PVH note or by multiboot 1.
 * Switches to 64 bits on page tables that map the first 4 GB to themselves, and calls C.
 */
#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0x00010003	/* pages aligned, memory map wanted, addresses are in this header */
#define XEN_ELFNOTE_PHYS32_ENTRY 18

#define CR0_PAGING 0x80000001
#define CR4_PAE_SSE 0x00000620		/* PAE, and SSE for CPython: FXSR, XMMEXCPT */
#define MSR_EFER 0xc0000080
#define EFER_LONG_NX 0x00000900

	.section .note.boot, "a", @note
	.balign 4
	.long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
	.asciz "Xen"
	.long pvh_entry

	/* In the first 8 KB of the file. A loader that reads ELF files for 32 bits only takes the addresses from here. */
	.balign 4
multiboot_header:
	.long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)
	.long multiboot_header, image_start, data_end, image_end, multiboot_entry

	.section .text.entry, "ax", @progbits
	.code32
	.globl target_entry
target_entry:
pvh_entry:
	movl $0, boot_protocol
	jmp 1f
multiboot_entry:
	movl $1, boot_protocol
1:	mov %ebx, boot_information
	cld

	/* Directories of 2 MB pages for 4 GB. */
	mov $boot_directories, %edi
	mov $0x83, %eax			/* present, writable, large */
	mov $2048, %ecx
2:	mov %eax, (%edi)
	movl $0, 4(%edi)
	add $8, %edi
	add $0x200000, %eax
	loop 2b
	movl $boot_directories + 0x0003, boot_pointers
	movl $boot_directories + 0x1003, boot_pointers + 8
	movl $boot_directories + 0x2003, boot_pointers + 16
	movl $boot_directories + 0x3003, boot_pointers + 24
	movl $boot_pointers + 3, boot_root

	mov $CR4_PAE_SSE, %eax
	mov %eax, %cr4
	mov $boot_root, %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	mov $EFER_LONG_NX, %eax
	xor %edx, %edx
	wrmsr
	mov %cr0, %eax
	and $0xfffffff3, %eax		/* no emulation of floating point, no task switch trap */
	or $CR0_PAGING | 2, %eax
	mov %eax, %cr0
	lgdt boot_segments_register
	ljmp $8, $3f

	.code64
3:	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	xor %ebp, %ebp
	fninit
	/* The stack lies behind the image, where a small machine has no RAM: find that out on one that is in the file. */
	mov $boot_stack_top, %rsp
	call guest_memory
	mov $stack_top, %rsp
	call guest_start

	.section .rodata
	.balign 8
boot_segments:
	.quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff
boot_segments_register:
	.word . - boot_segments - 1
	.long boot_segments

	.section .data
	.globl boot_protocol, boot_information
boot_protocol:
	.long 0
boot_information:
	.long 0

	.balign 4096
boot_root:
	.skip 4096
boot_pointers:
	.skip 4096
boot_directories:
	.skip 4 * 4096
	.skip 8192
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
