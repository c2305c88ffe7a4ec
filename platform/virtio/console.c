/* The console: a 16550 UART at the usual port. */
#include "guest.h"
#include "pvh.h"
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

void uz_console_write(const char *data, size_t size)
{
	static int room;
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n') {
			static const char carriage_return[] = "\r";
			if (i == 0 || data[i - 1] != '\r')
				uz_console_write(carriage_return, 1);
		}
		if (!room) {
			for (int tries = 0; !(inb(STATUS) & ROOM); tries++)
				if (tries == PATIENCE)
					return;
			room = FIFO_SIZE;
		}
		outb(DATA, (uint8_t)data[i]);
		room--;
	}
}
