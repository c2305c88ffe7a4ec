/*
 * Where a machine starts the image: 32-bit protected mode without paging, by a PVH note or by multiboot 1 or 2.
 * Switches to 64 bits on page tables that map the first 4 GB to themselves, and calls C.
 */
#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0x00010003	/* pages aligned, memory map wanted, addresses are in this header */
#define MULTIBOOT2_MAGIC 0xe85250d6
#define XEN_ELFNOTE_PHYS32_ENTRY 18

#define PATTERN 0x756e697a
#define LEAST_BESIDE 6			/* megabytes: see memory.c, where those below the image count as well */
#define UART 0x3f8
#define UART_STATUS 0x3fd
#define UART_ROOM 0x20

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

	/* In the first 32 KB. It tells where ACPI's tables are, which after UEFI nobody else does. */
	.section .header.boot, "a", @progbits
	.balign 8
multiboot2_header:
	.long MULTIBOOT2_MAGIC, 0, multiboot2_end - multiboot2_header
	.long -(MULTIBOOT2_MAGIC + (multiboot2_end - multiboot2_header))
	.short 3, 0			/* the entry; its tag is padded to 8 */
	.long 12, multiboot2_entry, 0
	.short 0, 0			/* the last tag */
	.long 8
multiboot2_end:

	.section .text.entry, "ax", @progbits
	.code32
	.globl target_entry
target_entry:
pvh_entry:
	movl $0, boot_protocol
	jmp 1f
multiboot2_entry:
	movl $2, boot_protocol
	jmp 1f
multiboot_entry:
	movl $1, boot_protocol
1:	mov %ebx, boot_information
	cld
	movl $PATTERN, image_end - 4	/* is there RAM for all of the image? */
	cmpl $PATTERN, image_end - 4
	jne too_small

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

	/* Nothing but this page is sure to be there: no stack, no C. */
	.code32
too_small:
	mov $image_end, %eax
	shr $20, %eax
	add $LEAST_BESIDE + 1, %eax
	mov $10, %cl
	div %cl
	add %al, megabytes
	add %ah, megabytes + 1
	mov $too_small_text, %esi
1:	mov $UART_STATUS, %edx
2:	in %dx, %al
	test $UART_ROOM, %al
	jz 2b
	mov $UART, %edx
	lodsb
	out %al, %dx
	test %al, %al
	jnz 1b
	lidt no_gates			/* an exception that can't be delivered resets the machine */
	int3
too_small_text:
	.ascii "unizone: memory: the RAM ends before the image does; give the machine at least "
megabytes:
	.ascii "00 MB\r\nunizone: exit 71\r\n\0"
no_gates:
	.skip 6

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
