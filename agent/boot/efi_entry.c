#include "agent/boot/efi_entry.h"

#include <stdio.h>
#include <string.h>

#define PREFIX    "backstay-"
#define SUFFIX    ".conf"
#define COUNT_MAX 99

static int no_entry(struct err *e)
{
	return err_set(e, ERR_BAD_INPUT, "this is no entry of backstay");
}

static int parse_count(struct str s, unsigned *out, struct err *e)
{
	uint64_t n;

	TRY(str_to_u64(s, 0, COUNT_MAX, &n, e));
	*out = (unsigned)n;
	return 0;
}

/* LEFT or LEFT-DONE */
static int parse_counts(struct str s, struct efi_entry *t, struct err *e)
{
	struct str left;

	(void)!str_split(&s, '-', &left);
	TRY(parse_count(left, &t->left, e));
	return s.p ? parse_count(s, &t->done, e) : 0;
}

static int parse_generation(struct str s, struct efi_entry *t, struct err *e)
{
	uint64_t n;

	TRY(str_to_u64(s, EFI_GENERATION_MIN + 1, EFI_GENERATION_MAX, &n, e));
	t->generation = (uint32_t)n;
	return 0;
}

int efi_entry_parse(struct str file, struct efi_entry *out, struct err *e)
{
	const size_t ends = strlen(PREFIX) + strlen(SUFFIX);
	struct efi_entry t = {0};
	struct str rest, name, generation;

	if (file.n < ends || !str_has_prefix(file, PREFIX) ||
		memcmp(file.p + file.n - strlen(SUFFIX), SUFFIX, strlen(SUFFIX)) != 0)
		return no_entry(e);
	rest = (struct str){file.p + strlen(PREFIX), file.n - ends};
	if (!str_split(&rest, '-', &name) || !name.n || !rest.p)
		return no_entry(e);
	TRY(str_copy(name, t.name, sizeof t.name, e));
	(void)!str_split(&rest, '+', &generation);
	TRY(parse_generation(generation, &t, e));
	t.counted = rest.p != NULL;
	if (t.counted)
		TRY(parse_counts(rest, &t, e));
	*out = t;
	return 0;
}

const char *efi_entry_format(const struct efi_entry *t, char out[LIMIT_EFI_NAME])
{
	int n = snprintf(
		out, LIMIT_EFI_NAME, PREFIX "%s-%lu", t->name, (unsigned long)t->generation);

	if (t->counted)
		n += snprintf(out + n, LIMIT_EFI_NAME - (size_t)n, t->done ? "+%u-%u" : "+%u",
			t->left, t->done);
	snprintf(out + n, LIMIT_EFI_NAME - (size_t)n, SUFFIX);
	return out;
}
