/*
 * The main program of every image: start CPython on the frozen modules and call the application.
 * UNIZONE_MODULE and UNIZONE_FUNCTION come from the builder.
 */
#include <Python.h>

#include <stdlib.h>

/* Calls of C by C inside CPython until RecursionError. Its own limit is meant for stacks of 8 MB; machines have 1 MB (see
   guest/image.ld), which is enough for 400 of the largest, list.sort(). A start takes less than 60. */
enum { C_RECURSION = 300 };

static void check(PyStatus status)
{
	if (PyStatus_Exception(status))
		Py_ExitStatusException(status);
}

static void start(int argc, char **argv)
{
	PyPreConfig before;
	PyPreConfig_InitIsolatedConfig(&before);
	before.utf8_mode = 1;
	check(Py_PreInitialize(&before));

	PyConfig config;
	PyConfig_InitIsolatedConfig(&config);
	config.install_signal_handlers = 1;
	config.site_import = 0;
	config.write_bytecode = 0;
	config.pathconfig_warnings = 0;
	config.module_search_paths_set = 1; /* empty: every module is frozen or linked */
	/* Names that are known need no search of a file system. */
	check(PyConfig_SetString(&config, &config.program_name, L"unizone"));
	check(PyConfig_SetString(&config, &config.executable, L""));
	check(PyConfig_SetString(&config, &config.base_executable, L""));
	check(PyConfig_SetString(&config, &config.prefix, L""));
	check(PyConfig_SetString(&config, &config.base_prefix, L""));
	check(PyConfig_SetString(&config, &config.exec_prefix, L""));
	check(PyConfig_SetString(&config, &config.base_exec_prefix, L""));
	check(PyConfig_SetBytesArgv(&config, argc, argv));
	check(Py_InitializeFromConfig(&config));
	PyConfig_Clear(&config);
}

int main(int argc, char **argv)
{
	start(argc, argv);
	PyThreadState_Get()->c_recursion_remaining = C_RECURSION;
	PyGC_Disable(); /* modules have next to nothing to collect; the application decides from when on that is looked for */
	PyObject *prepared = PyImport_ImportModule("unizone_prepared");
	PyObject *module = prepared ? PyImport_ImportModule(UNIZONE_MODULE) : NULL;
	PyObject *result = module ? PyObject_CallMethod(module, UNIZONE_FUNCTION, NULL) : NULL;
	if (!result) {
		PyErr_Print(); /* exits by itself for SystemExit */
		exit(EXIT_FAILURE);
	}
	long code = result == Py_None ? EXIT_SUCCESS : PyLong_AsLong(result);
	if (Py_FinalizeEx() < 0)
		exit(EXIT_FAILURE);
	exit((int)code);
}
