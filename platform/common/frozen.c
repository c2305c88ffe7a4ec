/*
 * Code of frozen modules is packed (see dns_build/frozen.py). CPython reads each module's code by one function, whose
 * calls the linker leads here (--wrap); what it unpacks is given back as soon as the code object is made.
 */
#include <Python.h>
#include <marshal.h>

#include <lz4.h>
#include <stdint.h>
#include <string.h>

extern const char unizone_frozen[], unizone_frozen_end[];

PyObject *__real_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size);
PyObject *__wrap_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size);

static uint64_t checksum(const char *data, size_t size)
{
	uint64_t sum = 0, word;
	for (size_t at = 0; at < size; at += sizeof word) {
		memcpy(&word, data + (size - at < sizeof word ? size - sizeof word : at), sizeof word);
		sum = sum * 31 + word;	/* odd: every word counts */
	}
	return sum;
}

PyObject *__wrap_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size)
{
	if (data < unizone_frozen || data >= unizone_frozen_end)
		return __real_PyMarshal_ReadObjectFromString(data, size);
	/* What is told of a block stands behind it, because CPython takes code that begins with zero for none. */
	struct __attribute__((packed)) {
		uint64_t checksum;
		uint32_t size;	/* octets when unpacked */
	} about;
	size -= sizeof about;
	memcpy(&about, data + size, sizeof about);
	char *code = PyMem_RawMalloc(about.size);
	if (!code)
		return PyErr_NoMemory();
	PyObject *object = NULL;
	if (checksum(data, (size_t)size) == about.checksum &&
	    LZ4_decompress_safe(data, code, (int)size, (int)about.size) == (int)about.size)
		object = __real_PyMarshal_ReadObjectFromString(code, about.size);
	else
		PyErr_SetString(PyExc_ValueError, "packed code is damaged"); /* becomes ImportError with the module's name */
	PyMem_RawFree(code);
	return object;
}
