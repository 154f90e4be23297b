#include <assert.h>

#include "agent/boot/grub_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* The block is made whole first: nearly all other input ends at its length. What was read and holds
 * no escapes is read again from what is written of it, if that fits. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char head[] = "# GRUB Environment Block\n";
	char bytes[GRUB_ENV_BYTES];
	struct grub_env env, again;
	struct err e;

	if (grub_env_parse((struct str){(const char *)p, n}, &env, &e) == 0)
		assert(n == GRUB_ENV_BYTES && env.n <= LIMIT_GRUB_VARS);
	n = n < sizeof bytes - (sizeof head - 1) ? n : sizeof bytes - (sizeof head - 1);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = '#';
	for (size_t i = 0; i < sizeof head - 1; i++)
		bytes[i] = head[i];
	for (size_t i = 0; i < n; i++)
		bytes[sizeof head - 1 + i] = (char)p[i];
	if (grub_env_parse((struct str){bytes, sizeof bytes}, &env, &e) < 0)
		return 0;
	for (unsigned i = 0; i < env.n; i++)
		for (const char *c = env.var[i].value; *c; c++)
			if (*c == '\\' || *c == '\n' || env.var[i].name[0] == '#')
				return 0;
	grub_env_format(&env, bytes);
	assert(grub_env_parse((struct str){bytes, sizeof bytes}, &again, &e) == 0);
	assert(again.n == env.n);
	return 0;
}
