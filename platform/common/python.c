/*
 * The main program of every image: start CPython on the frozen modules and call the application.
 * UNIZONE_MODULE and UNIZONE_FUNCTION come from the builder.
 */
#include <Python.h>

#include <stdlib.h>

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
	PyObject *module = PyImport_ImportModule(UNIZONE_MODULE);
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
