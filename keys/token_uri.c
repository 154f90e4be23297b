#include "keys/token_uri.h"

#include <p11-kit/uri.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"

/* p11-kit decodes; what it lets pass (names it does not know, names that come twice, a PIN) is
 * refused before it sees the text. */
static const char *const names[] = {"token", "serial", "manufacturer", "model", "object", "id",
	"type", "module-path", "pin-source"};
enum { ID = 5, FIRST_OF_QUERY = 7 };

#define SEEN(i)   (1U << (i))
#define TOKEN_SET (SEEN(0) | SEEN(1) | SEEN(2) | SEEN(3))
#define KEY_SET   (SEEN(4) | SEEN(5))
#define QUERY_SET (SEEN(7) | SEEN(8))

static int find_name(struct str name, size_t from, size_t to, size_t *out, struct err *e)
{
	const char *nearest = str_nearest(name, names, ARRAY_LEN(names));
	char shown[40];

	for (size_t i = from; i < to; i++)
		if (str_is(name, names[i])) {
			*out = i;
			return 0;
		}
	return err_set(e, ERR_BAD_INPUT, "key URI: '%s' may not be here%s%s",
		str_printable(name, shown, sizeof shown), nearest ? "; meant: " : "",
		nearest ? nearest : "");
}

/* A NUL would end the text for whoever opens it, and not for whoever reads and approves it. Only a
 * CKA_ID is any bytes. */
static bool has_nul(struct str value, size_t which)
{
	return which != ID && memmem(value.p, value.n, "%00", 3);
}

/* One half of the URI: attributes with a value each, between separators. */
static int scan(struct str half, char sep, size_t from, size_t to, unsigned *io_seen, struct err *e)
{
	struct str value, name;
	size_t which = 0;

	while (str_split(&half, sep, &value)) {
		str_split(&value, '=', &name);
		TRY(find_name(name, from, to, &which, e));
		if (*io_seen & SEEN(which))
			return err_set(
				e, ERR_BAD_INPUT, "key URI: '%s' is there twice", names[which]);
		if (!value.p || value.n == 0)
			return err_set(
				e, ERR_BAD_INPUT, "key URI: '%s' has no value", names[which]);
		if (has_nul(value, which))
			return err_set(
				e, ERR_BAD_INPUT, "key URI: '%s' holds a NUL byte", names[which]);
		*io_seen |= SEEN(which);
	}
	return 0;
}

static int check_form(struct str text, struct err *e)
{
	struct str rest = text, path;
	unsigned seen = 0;

	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~')
			return err_set(e, ERR_BAD_INPUT, "key URI: a blank or control byte");
	if (!str_has_prefix(text, "pkcs11:"))
		return err_set(e, ERR_BAD_INPUT, "key URI: does not begin with 'pkcs11:'");
	rest.p += strlen("pkcs11:");
	rest.n -= strlen("pkcs11:");
	str_split(&rest, '?', &path);
	TRY(scan(path, ';', 0, FIRST_OF_QUERY, &seen, e));
	TRY(scan(rest, '&', FIRST_OF_QUERY, ARRAY_LEN(names), &seen, e));
	if (!(seen & TOKEN_SET) || !(seen & KEY_SET) || (seen & QUERY_SET) != QUERY_SET)
		return err_set(e, ERR_BAD_INPUT,
			"key URI: needs token or serial, object or id, module-path and pin-source");
	return 0;
}

static bool is_private(P11KitUri *uri)
{
	CK_ATTRIBUTE *class = p11_kit_uri_get_attribute(uri, CKA_CLASS);

	return !class || (class->ulValueLen == sizeof(CK_OBJECT_CLASS) &&
				 *(CK_OBJECT_CLASS *)class->pValue == CKO_PRIVATE_KEY);
}

static int read_places(struct token_uri *u, struct err *e)
{
	u->module = p11_kit_uri_get_module_path(u->uri);
	u->pin = p11_kit_uri_get_pin_source(u->uri);
	if (u->pin && str_has_prefix(str_of(u->pin), "file:"))
		u->pin += strlen("file:");
	if (p11_kit_uri_any_unrecognized(u->uri) || !is_private(u->uri))
		return err_set(e, ERR_BAD_INPUT, "key URI: names no private key");
	if (!u->module || u->module[0] != '/')
		return err_set(e, ERR_BAD_INPUT, "key URI: module-path is not absolute");
	if (!u->pin || !u->pin[0] || u->pin[0] == '|')
		return err_set(e, ERR_BAD_INPUT, "key URI: pin-source names no file");
	return 0;
}

int token_uri_parse(struct str text, struct token_uri *out, struct err *e)
{
	struct token_uri u = {0};
	char line[LIMIT_KEY_URI_BYTES + 1];
	int rc;

	if (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	TRY(str_copy(text, line, sizeof line, e));
	TRY(check_form(text, e));
	u.uri = p11_kit_uri_new();
	if (!u.uri)
		abort();
	if (p11_kit_uri_parse(line, P11_KIT_URI_FOR_ANY, u.uri) != P11_KIT_URI_OK)
		rc = err_set(e, ERR_BAD_INPUT, "key URI: malformed");
	else
		rc = read_places(&u, e);
	if (rc < 0)
		token_uri_fini(&u);
	else
		*out = u;
	return rc;
}

void token_uri_fini(struct token_uri *u)
{
	p11_kit_uri_free(u->uri);
	*u = (struct token_uri){0};
}
