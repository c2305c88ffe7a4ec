/* The console: the tender's standard output. */
#include "guest.h"
#include "hvt.h"

void uz_console_write(const char *data, size_t size) { hvt_call(HVT_PUTS, &(struct hvt_puts){data, size}); }
