#include "agent/boot/grub_env.h"

#include <assert.h>
#include <string.h>

#define HEAD "# GRUB Environment Block\n"

/* Where the variable stands, or n. */
static unsigned find(const struct grub_env *env, struct str name)
{
	unsigned i = 0;

	while (i < env->n && !str_is(name, env->var[i].name))
		i++;
	return i;
}

/* Takes one value off *rest, up to the newline that ends it; GRUB puts a backslash before what
 * would end it too early. */
static int take_value(struct str *rest, char out[LIMIT_GRUB_VALUE], struct err *e)
{
	size_t n = 0, i = 0;

	for (; i < rest->n && rest->p[i] != '\n'; i++) {
		if (rest->p[i] == '\\' && ++i == rest->n)
			break;
		if (n + 1 == LIMIT_GRUB_VALUE)
			return err_set(e, ERR_TOO_LARGE, "a value of the block is too long");
		if (!rest->p[i])
			return err_set(e, ERR_BAD_INPUT, "a value of the block holds a NUL");
		out[n++] = rest->p[i];
	}
	if (i >= rest->n)
		return err_set(e, ERR_BAD_INPUT, "the block ends in a value");
	out[n] = 0;
	rest->p += i + 1;
	rest->n -= i + 1;
	return 0;
}

static int take_variable(struct str *rest, struct grub_env *env, struct err *e)
{
	struct grub_env one = {.n = 1};
	struct str name;
	unsigned at;

	if (!memchr(rest->p, '=', rest->n) || !str_split(rest, '=', &name))
		return err_set(e, ERR_BAD_INPUT, "a line of the block without '='");
	if (!name.n || memchr(name.p, '\n', name.n))
		return err_set(e, ERR_BAD_INPUT, "a line of the block without a name");
	TRY(str_copy(name, one.var[0].name, LIMIT_GRUB_NAME, e));
	TRY(take_value(rest, one.var[0].value, e));
	at = find(env, name);
	if (at == LIMIT_GRUB_VARS)
		return err_set(e, ERR_TOO_LARGE, "more than %d variables", LIMIT_GRUB_VARS);
	env->n += at == env->n;
	env->var[at] = one.var[0];
	return 0;
}

static void skip_line(struct str *rest)
{
	struct str line;

	(void)!str_split(rest, '\n', &line);
}

int grub_env_parse(struct str bytes, struct grub_env *out, struct err *e)
{
	struct grub_env env = {0};
	struct str rest = bytes;

	if (bytes.n != GRUB_ENV_BYTES || !str_has_prefix(bytes, HEAD))
		return err_set(e, ERR_BAD_INPUT, "this is no environment block of GRUB");
	skip_line(&rest);
	while (rest.n) {
		if (*rest.p == '#' || *rest.p == '\n')
			skip_line(&rest);
		else
			TRY(take_variable(&rest, &env, e));
	}
	*out = env;
	return 0;
}

static void add(char out[GRUB_ENV_BYTES], size_t *at, const char *text)
{
	size_t n = strlen(text);

	assert(*at + n <= GRUB_ENV_BYTES);
	memcpy(out + *at, text, n);
	*at += n;
}

void grub_env_format(const struct grub_env *env, char out[GRUB_ENV_BYTES])
{
	size_t at = 0;

	memset(out, '#', GRUB_ENV_BYTES);
	add(out, &at, HEAD);
	for (unsigned i = 0; i < env->n; i++) {
		add(out, &at, env->var[i].name);
		add(out, &at, "=");
		add(out, &at, env->var[i].value);
		add(out, &at, "\n");
	}
}

const char *grub_env_value(const struct grub_env *env, const char *name)
{
	unsigned at = find(env, str_of(name));

	return at < env->n ? env->var[at].value : "";
}

void grub_env_put(struct grub_env *env, const char *name, const char *value)
{
	unsigned at = find(env, str_of(name));
	int rc;

	assert(at < LIMIT_GRUB_VARS);
	env->n += at == env->n;
	rc = str_copy(str_of(name), env->var[at].name, LIMIT_GRUB_NAME, NULL);
	if (rc == 0)
		rc = str_copy(str_of(value), env->var[at].value, LIMIT_GRUB_VALUE, NULL);
	assert(rc == 0);
}
