/*
 * What `_ssl` asks of `_socket`, for programs whose TLS runs over the event loop's transports alone. `_ssl` is compiled
 * with this header in the place of CPython's own: there may be no `_socket` in C, and no file descriptor is ever wrapped.
 */
#pragma once

typedef int SOCKET_T;
#define INVALID_SOCKET (-1)

typedef struct {
	PyObject_HEAD
	SOCKET_T sock_fd;
	PyTime_t sock_timeout;
} PySocketSockObject;

typedef struct {
	PyTypeObject *Sock_Type;
} PySocketModule_APIObject;

/* The type of what SSLContext._wrap_socket takes: there is no value of it. */
static PyTypeObject no_socket = {
	PyVarObject_HEAD_INIT(NULL, 0)
	.tp_name = "_ssl.no_socket",
	.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
};

static inline PySocketModule_APIObject *PySocketModule_ImportModuleAndAPI(void)
{
	static PySocketModule_APIObject api = {&no_socket};
	return PyType_Ready(&no_socket) < 0 ? NULL : &api;
}
