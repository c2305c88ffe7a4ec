/*
 * Files in memory, for libraries that take secrets by path alone: OpenSSL's certificates and keys. A file is made by
 * memfd_create(), written to its end, and opened again as /proc/self/fd/N. There are no others.
 */
#include <errno.h>
#include <string.h>

#include "guest.h"

enum { FILES = 16, DESCRIPTORS = 32 };

static struct file {
	char *content;
	size_t size, room;	/* octets, the latter whole pages */
	unsigned descriptors;	/* none: the entry is free */
} files[FILES];

static struct descriptor {
	struct file *file;	/* NULL: free */
	size_t at;		/* what is read or written next */
} descriptors[DESCRIPTORS];

static struct descriptor *find(int number)
{
	size_t index = (size_t)number - FIRST_FILE;
	return number >= FIRST_FILE && index < DESCRIPTORS && descriptors[index].file ? &descriptors[index] : NULL;
}

static long describe(struct file *file)
{
	for (int i = 0; i < DESCRIPTORS; i++) {
		if (!descriptors[i].file) {
			descriptors[i] = (struct descriptor){.file = file};
			file->descriptors++;
			return FIRST_FILE + i;
		}
	}
	return -EMFILE;
}

long file_create(void)
{
	for (int i = 0; i < FILES; i++) {
		if (!files[i].descriptors) {
			files[i] = (struct file){0};
			return describe(&files[i]);
		}
	}
	return -ENFILE;
}

long file_open(const char *path)
{
	static const char folder[] = "/proc/self/fd/";
	int number = 0, digits = 0;
	if (strncmp(path, folder, sizeof folder - 1))
		return -ENOENT;
	for (path += sizeof folder - 1; *path >= '0' && *path <= '9' && digits < 3; path++, digits++)
		number = number * 10 + *path - '0';
	struct descriptor *found = digits && !*path ? find(number) : NULL;
	return found ? describe(found->file) : -ENOENT;
}

long file_close(int number)
{
	struct descriptor *descriptor = find(number);
	if (!descriptor)
		return -EBADF;
	struct file *file = descriptor->file;
	descriptor->file = NULL;
	if (!--file->descriptors && file->room) {
		memset(file->content, 0, file->size);	/* it may have been a key */
		memory_free(file->content, file->room / PAGE_SIZE);
	}
	return 0;
}

long file_read(int number, void *buffer, size_t size)
{
	struct descriptor *descriptor = find(number);
	if (!descriptor)
		return -EBADF;
	size_t left = descriptor->file->size - descriptor->at;
	if (size > left)
		size = left;
	if (size)
		memcpy(buffer, descriptor->file->content + descriptor->at, size);
	descriptor->at += size;
	return (long)size;
}

/* Room for `size` octets; what is there keeps its place in the file. */
static int grow(struct file *file, size_t size)
{
	if (size <= file->room)
		return 1;
	size_t room = (size + PAGE_SIZE - 1) & -PAGE_SIZE;
	char *content = memory_pages(room / PAGE_SIZE);
	if (!content)
		return 0;
	if (file->room) {
		memcpy(content, file->content, file->size);
		memset(file->content, 0, file->size);
		memory_free(file->content, file->room / PAGE_SIZE);
	}
	file->content = content;
	file->room = room;
	return 1;
}

long file_write(int number, const void *data, size_t size)
{
	struct descriptor *descriptor = find(number);
	if (!descriptor)
		return -EBADF;
	struct file *file = descriptor->file;
	if (!size)
		return 0;
	if (size > uz_memory() || !grow(file, descriptor->at + size))
		return -ENOSPC;
	memcpy(file->content + descriptor->at, data, size);
	descriptor->at += size;
	if (descriptor->at > file->size)
		file->size = descriptor->at;
	return (long)size;
}

long file_size(int number)
{
	struct descriptor *descriptor = find(number);
	return descriptor ? (long)descriptor->file->size : -EBADF;
}
