/* The console: a 16550 UART at the usual port, and a virtio console beside it. */
#include "guest.h"
#include "pvh.h"
#include "virtio.h"
#include "x86.h"

enum {
	PORT = 0x3f8,
	DATA = PORT,
	INTERRUPTS = PORT + 1,
	FIFO = PORT + 2,
	LINE = PORT + 3,
	MODEM = PORT + 4,
	STATUS = PORT + 5,
	DIVISOR_ACCESS = 0x80,
	EIGHT_BITS = 0x03,
	ROOM = 0x20,
	FIFO_SIZE = 16,
	PATIENCE = 1 << 20,	/* reads of a status that never changes: nobody is there */
};

void console_init(void)
{
	outb(INTERRUPTS, 0);
	outb(LINE, DIVISOR_ACCESS);
	outb(DATA, 1);	/* 115200 bit/s */
	outb(INTERRUPTS, 0);
	outb(LINE, EIGHT_BITS);
	outb(FIFO, 0x07);	/* on, and empty */
	outb(MODEM, 0x03);
}

static void put(char character)
{
	static int room;
	terminal_put(character);
	for (int tries = 0; !room; tries++) {
		if (inb(STATUS) & ROOM)
			room = FIFO_SIZE;
		else if (tries == PATIENCE)
			return;
	}
	outb(DATA, (uint8_t)character);
	room--;
}

void uz_console_write(const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n' && (i == 0 || data[i - 1] != '\r'))
			put('\r');
		put(data[i]);
	}
	terminal_flush();
}
