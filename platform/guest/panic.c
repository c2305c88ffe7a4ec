/* Last words: text to the console without the C library's streams, registers, and the calls that led there. */
#include <stdarg.h>
#include <string.h>

#include "guest.h"

struct symbol {
	uint32_t address;	/* images lie below 4 GB */
	uint32_t name;		/* offset in symbol_names */
};

/* Written by the builder after the first link (build/dns_build/symbols.py), sorted by address. */
extern const struct symbol symbols[];
extern const uint32_t symbol_count;
extern const char symbol_names[];
extern char text_start[], text_end[];

static void put_number(uint64_t value, unsigned base)
{
	char digits[20], *next = digits + sizeof digits;
	do
		*--next = "0123456789abcdef"[value % base];
	while (value /= base);
	uz_console_write(next, (size_t)(digits + sizeof digits - next));
}

static void say_with(const char *format, va_list arguments)
{
	for (const char *run = format;; format++) {
		if (*format && *format != '%')
			continue;
		uz_console_write(run, (size_t)(format - run));
		if (!*format)
			return;
		int is_long = 0;
		while (*++format == 'l' || *format == 'z')
			is_long = 1;
		switch (*format) {
		case 's': {
			const char *text = va_arg(arguments, const char *);
			uz_console_write(text, strlen(text));
			break;
		}
		case 'c':
			uz_console_write(&(char){(char)va_arg(arguments, int)}, 1);
			break;
		case 'p':
			uz_console_write("0x", 2);
			put_number((uint64_t)va_arg(arguments, void *), 16);
			break;
		case 'd': {
			int64_t value = is_long ? va_arg(arguments, int64_t) : va_arg(arguments, int);
			if (value < 0)
				uz_console_write("-", 1);
			put_number(value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
			break;
		}
		case 'u':
		case 'x':
			put_number(is_long ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned), *format == 'u' ? 10 : 16);
			break;
		}
		run = format + 1;
	}
}

void say(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	say_with(format, arguments);
	va_end(arguments);
}

static void say_place(uint64_t address)
{
	uint32_t low = 0, high = symbol_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	say("  %p", (void *)address);
	if (low && address < (uint64_t)text_end)
		say(" %s+%lu", symbol_names + symbols[low - 1].name, address - symbols[low - 1].address);
	say("\n");
}

/* Everything is compiled with frame pointers: rbp leads to the caller's rbp and the address to return to. */
static void say_calls(const uint64_t *frame)
{
	for (int depth = 0; depth < 32; depth++) {
		uint64_t at = (uint64_t)frame;
		if (at < PAGE_SIZE || at % 8 || at >= memory_top() - 16)
			return;
		uint64_t caller = frame[1];
		if (caller < (uint64_t)text_start || caller >= (uint64_t)text_end)
			return;
		say_place(caller);
		if (frame[0] <= at)
			return;
		frame = (const uint64_t *)frame[0];
	}
}

/* A second fault while the first is told ends the image without another word. */
static void begin(void)
{
	static int begun;
	if (begun++)
		uz_exit(EXIT_PANIC);
}

void panic(const char *format, ...)
{
	begin();
	va_list arguments;
	va_start(arguments, format);
	say("\npanic: ");
	say_with(format, arguments);
	va_end(arguments);
	say("\ncalls:\n");
	say_calls(__builtin_frame_address(0));
	uz_exit(EXIT_PANIC);
}

void refuse(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	say("unizone: ");
	say_with(format, arguments);
	va_end(arguments);
	say("\n");
	uz_exit(EXIT_NO_MACHINE);
}

void panic_trap(const struct registers *r)
{
	static const char *const names[] = {
		"division by zero", "debug", "non-maskable interrupt", "breakpoint", "overflow", "bound", "invalid instruction",
		"no floating point", "double fault", "9", "invalid task", "segment not present", "stack segment",
		"general protection", "page fault", "15", "floating point", "alignment", "machine check", "vector unit",
	};
	uint64_t address;
	__asm__ volatile("mov %%cr2, %0" : "=r"(address));
	begin();
	say("\npanic: %s, error %lx", r->vector < array_length(names) ? names[r->vector] : "interrupt", r->error);
	if (r->vector == 14)
		say(": %s %p", r->error & 16 ? "execution of" : r->error & 2 ? "write to" : "read of", (void *)address);
	say("\n rax %lx rbx %lx rcx %lx rdx %lx\n rsi %lx rdi %lx rbp %lx rsp %lx\n", r->rax, r->rbx, r->rcx, r->rdx, r->rsi,
	    r->rdi, r->rbp, r->rsp);
	say(" r8 %lx r9 %lx r10 %lx r11 %lx\n r12 %lx r13 %lx r14 %lx r15 %lx\n vector %lu rflags %lx\ncalls:\n", r->r8, r->r9,
	    r->r10, r->r11, r->r12, r->r13, r->r14, r->r15, r->vector, r->rflags);
	say_place(r->rip);
	say_calls((const uint64_t *)r->rbp);
	uz_exit(EXIT_PANIC);
}
