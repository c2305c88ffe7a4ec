/* From the entry of a target to main(): memory, page tables, exceptions, devices, then musl's own start. */
#include <elf.h>
#include <string.h>

#include "guest.h"
#include "x86.h"

enum { RANGES = 64, ARGUMENTS = 128, LINE = 4096, RANDOM = 16 };

extern const Elf64_Ehdr image_start;	/* the image's own ELF header */

int main(int argc, char **argv);
int __libc_start_main(int (*main)(int, char **), int argc, char **argv, void (*init)(void), void (*fini)(void),
		      void (*loader)(void));
void guest_memory(void);
void guest_start(void);

/* What musl expects on the stack of a new process: arguments, environment, auxiliary vector. */
static struct {
	char *words[ARGUMENTS + 2];
	Elf64_auxv_t auxiliary[8];
} process;
static char line[LINE];
static uint8_t canary[RANDOM];

/* Words of the command line, as a shell would part them: quotes hold a word together. */
static int split(char **words, int limit)
{
	int count = 0;
	const char *from = target_command_line();
	char *to = line, *last = line + sizeof line - 1;	/* the last one is for a 0 */
	for (;;) {
		while (*from == ' ')
			from++;
		if (!*from)
			return count;
		if (count == limit)
			refuse("boot parameters: more than %d words", limit);
		if (to > last)
			refuse("boot parameters: more than %d characters", LINE);
		words[count++] = to;
		for (char quote = 0; *from && (quote || *from != ' '); from++) {
			if (*from == quote)
				quote = 0;
			else if (!quote && (*from == '"' || *from == '\''))
				quote = *from;
			else if (to < last)
				*to++ = *from;
			else
				refuse("boot parameters: more than %d characters", LINE);
		}
		*to++ = 0;
	}
}

static int target_words(char **words)
{
	static char program[] = "unizone", verb[] = "serve";
	words[0] = program;
	words[1] = verb;
	return 2 + split(words + 2, ARGUMENTS - 2);
}

__attribute__((no_stack_protector))
void guest_memory(void)
{
	/* The canary is read through the thread pointer; until musl sets it up, it is read from these zeros. */
	static uint64_t early_thread[8] = {0};
	wrmsr(MSR_FS_BASE, (uint64_t)early_thread);

	struct memory_range ranges[RANGES];
	unsigned count = target_memory(ranges, RANGES);
	memory_init(ranges, count);
	cpu_init();
	paging_init(ranges, count);
}

void guest_start(void)
{
	target_init();
	uz_random(canary, sizeof canary);
	int argc = target_words(process.words);
	/* argv, NULL, environment, NULL, auxiliary vector: one after the other without a hole. */
	Elf64_auxv_t *next = (Elf64_auxv_t *)(process.words + argc + 2);
	*next++ = (Elf64_auxv_t){AT_PAGESZ, {PAGE_SIZE}};
	*next++ = (Elf64_auxv_t){AT_RANDOM, {(uint64_t)canary}};
	*next++ = (Elf64_auxv_t){AT_PHDR, {(uint64_t)&image_start + image_start.e_phoff}};
	*next++ = (Elf64_auxv_t){AT_PHNUM, {image_start.e_phnum}};
	*next++ = (Elf64_auxv_t){AT_PHENT, {image_start.e_phentsize}};
	*next = (Elf64_auxv_t){AT_NULL, {0}};
	__libc_start_main(main, argc, process.words, NULL, NULL, NULL);
	panic("main returned");
}
