#include "server/run/token.h"

#include <stdio.h>

#include "lib/sys/entropy.h"
#include "proto/trust/digest.h"

#define SECRET_BYTES 32
#define MARK         '~' /* is in no id */

void token_new(const char *name, char out[TOKEN_TEXT], struct sha256 *out_digest)
{
	uint8_t secret[SECRET_BYTES];
	char hex[2 * SECRET_BYTES + 1];

	entropy_fill(secret, sizeof secret);
	hex_encode(secret, sizeof secret, hex);
	snprintf(out, TOKEN_TEXT, "%s%c%s", name, MARK, hex);
	token_digest(str_of(out), out_digest);
}

int token_name(struct str token, const char *otherwise, char out[ID_TEXT_MAX], struct err *e)
{
	struct str rest = token, name;

	if (token.n == 0 || token.n >= TOKEN_TEXT + ID_TEXT_MAX)
		return err_set(e, ERR_DENIED, "no token");
	if (!str_split(&rest, MARK, &name) || !rest.p)
		name = str_of(otherwise);
	if (id_parse(name, "name", out, NULL) < 0)
		return err_set(e, ERR_DENIED, "no token");
	return 0;
}

void token_digest(struct str token, struct sha256 *out)
{
	digest_of(token.p, token.n, out);
}

bool token_is(struct str token, const struct sha256 *digest)
{
	struct sha256 given;
	unsigned differ = 0;

	token_digest(token, &given);
	for (size_t i = 0; i < sizeof given.b; i++)
		differ |= given.b[i] ^ digest->b[i];
	return differ == 0;
}
