#include <stdlib.h>
#include <string.h>

#include "agent/boot/boot_priv.h"

static const struct boot_adapter *const adapters[] = {
	&boot_symlink, &boot_none, &boot_grub, &boot_uboot, &boot_efi};

const struct boot_adapter *boot_adapter_find(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(adapters); i++)
		if (strcmp(adapters[i]->kind, kind) == 0)
			return adapters[i];
	return NULL;
}

int boot_open(
	const struct boot_place *at, const struct boot_conf *c, struct boot **out, struct err *e)
{
	const struct boot_adapter *a = boot_adapter_find(c->kind);

	if (!a)
		return err_set(e, ERR_CONFIG, "there is no boot adapter \"%s\"", c->kind);
	struct boot *b = mem_new(sizeof *b);
	*b = (struct boot){.adapter = a,
		.home = at->home,
		.files = at->files,
		.booted = at->booted,
		.crashed = at->crashed};
	memcpy(b->name, c->name, sizeof b->name);
	int rc = a->open(b, c, e);

	if (rc < 0) {
		mem_free(&b);
		return rc;
	}
	*out = b;
	return 0;
}

void boot_close(struct boot **b)
{
	if (!*b)
		return;
	(*b)->adapter->close(*b);
	mem_free(b);
}

const struct boot_adapter *boot_adapter_of(const struct boot *b)
{
	return b->adapter;
}

int boot_open_nothing(struct boot *b UNUSED, const struct boot_conf *c UNUSED, struct err *e UNUSED)
{
	return 0;
}

void boot_close_nothing(struct boot *b UNUSED)
{
}

int boot_open_files(struct boot *b, const char *dir, struct err *e)
{
	if (b->files)
		return 0;
	TRY(fs_posix_open(dir, &b->own, e));
	b->files = &b->own;
	return 0;
}

void boot_close_files(struct boot *b)
{
	if (b->files == &b->own)
		fs_posix_close(&b->own);
}
