/*
 * Code of frozen modules is packed (see dns_build/freeze.py). CPython reads each module's code by one function, whose
 * calls the linker leads here (--wrap); what it unpacks is given back as soon as the code object is made.
 */
#include <Python.h>
#include <marshal.h>

#include <stdint.h>
#include <string.h>
#include <zlib.h>

extern const char unizone_frozen[], unizone_frozen_end[];

PyObject *__real_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size);
PyObject *__wrap_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size);

PyObject *__wrap_PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t size)
{
	if (data < unizone_frozen || data >= unizone_frozen_end)
		return __real_PyMarshal_ReadObjectFromString(data, size);
	uint32_t whole; /* octets when unpacked; it stands last, because CPython takes code that begins with zero for none */
	size -= sizeof whole;
	memcpy(&whole, data + size, sizeof whole);
	unsigned char *code = PyMem_RawMalloc(whole);
	if (!code)
		return PyErr_NoMemory();
	uLongf length = whole;
	int state = uncompress(code, &length, (const unsigned char *)data, (uLong)size);
	PyObject *object = NULL;
	if (state == Z_OK && length == whole)
		object = __real_PyMarshal_ReadObjectFromString((const char *)code, whole);
	else
		PyErr_SetString(PyExc_ValueError, "packed code is damaged"); /* becomes ImportError with the module's name */
	PyMem_RawFree(code);
	return object;
}
