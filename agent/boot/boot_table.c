#include <stdlib.h>
#include <string.h>

#include "agent/boot/boot_priv.h"

static const struct boot_adapter *const adapters[] = {&boot_symlink, &boot_none};

const struct boot_adapter *boot_adapter_find(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(adapters); i++)
		if (strcmp(adapters[i]->kind, kind) == 0)
			return adapters[i];
	return NULL;
}

int boot_open(struct fs *fs, const char *kind, struct boot **out, struct err *e)
{
	const struct boot_adapter *a = boot_adapter_find(kind);

	if (!a)
		return err_set(e, ERR_CONFIG, "there is no boot adapter \"%s\"", kind);
	struct boot *b = mem_new(sizeof *b);
	*b = (struct boot){.adapter = a, .fs = fs};
	*out = b;
	return 0;
}

void boot_close(struct boot **b)
{
	free(*b);
	*b = NULL;
}

const struct boot_adapter *boot_adapter_of(const struct boot *b)
{
	return b->adapter;
}
