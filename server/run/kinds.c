#include "server/run/kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/wire/report.h"

void kinds_of(const struct device_row *d, const char *by, char out[ID_TEXT_MAX])
{
	struct str value = {"", 0};

	if (strcmp(by, "hardware") == 0)
		value = str_of(d->hardware);
	else
		(void)labels_find(str_of(d->labels), str_of(by), &value);
	if (value.n)
		snprintf(out, ID_TEXT_MAX, "%.*s", (int)MIN(value.n, ID_TEXT_MAX - 1), value.p);
	else
		snprintf(out, ID_TEXT_MAX, "-");
}

unsigned kinds_add(struct kinds *k, const char *name)
{
	unsigned i = 0;

	while (i < k->n && strcmp(k->v[i].name, name) != 0)
		i++;
	if (i == KINDS_MAX)
		return KINDS_OTHER;
	if (i == k->n) {
		k->n++;
		k->v[i].n = 0;
		snprintf(k->v[i].name, sizeof k->v[i].name, "%s", name);
	}
	k->v[i].n++;
	return i;
}

static int by_size(const void *a, const void *b)
{
	const struct kind *const *x = a, *const *y = b;

	if ((*x)->n != (*y)->n)
		return (*x)->n > (*y)->n ? -1 : 1;
	return strcmp((*x)->name, (*y)->name);
}

void kinds_rank(const struct kinds *k, unsigned most, unsigned out_stratum[KINDS_MAX + 1],
	char (*out_name)[ID_TEXT_MAX], unsigned *out_n)
{
	const struct kind *order[KINDS_MAX] = {NULL};
	bool all = k->n <= most && k->n < KINDS_MAX;
	unsigned named = all ? k->n : most - 1;

	for (unsigned i = 0; i < k->n; i++)
		order[i] = &k->v[i];
	qsort(order, k->n, sizeof order[0], by_size);
	for (unsigned i = 0; i <= KINDS_MAX; i++)
		out_stratum[i] = named;
	for (unsigned i = 0; i < named; i++) {
		out_stratum[order[i] - k->v] = i;
		snprintf(out_name[i], ID_TEXT_MAX, "%s", order[i]->name);
	}
	if (!all)
		snprintf(out_name[named], ID_TEXT_MAX, "other");
	*out_n = named + !all;
}
