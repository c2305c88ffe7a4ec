/*
 * Packs with LZ4 what standard input has and writes it to standard output, piece by piece: the length in 32 bits, then
 * the octets. It runs where images are built, and is no part of them.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "lz4hc.h"

static void *room(size_t size)
{
	void *memory = malloc(size ? size : 1);
	if (!memory)
		exit(EXIT_FAILURE);
	return memory;
}

int main(void)
{
	uint32_t size;
	while (fread(&size, sizeof size, 1, stdin) == 1) {
		int bound = LZ4_compressBound((int)size);
		char *plain = room(size), *packed = room((size_t)bound);
		if (fread(plain, 1, size, stdin) != size)
			return EXIT_FAILURE;
		uint32_t length = (uint32_t)LZ4_compress_HC(plain, packed, (int)size, bound, LZ4HC_CLEVEL_MAX);
		if (!length || fwrite(&length, sizeof length, 1, stdout) != 1 || fwrite(packed, 1, length, stdout) != length)
			return EXIT_FAILURE;
		free(plain);
		free(packed);
	}
	return ferror(stdin) || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
