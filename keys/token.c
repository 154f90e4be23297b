#include "keys/token.h"

#include <openssl/crypto.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>
#include <pthread.h>
#include <string.h>

#include "keys/token_public.h"
#include "lib/buf.h"

#define SLOTS_MAX     64
#define ATTRIBUTE_MAX 1024 /* bytes of one part of a public key */

struct token {
	struct token_uri uri;
	CK_FUNCTION_LIST *module;
	bool is_initialized, has_session;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
	char pin[LIMIT_PIN_BYTES];
	size_t pin_n;
	pthread_mutex_t lock; /* a session does one thing at a time */
};

/* ---- what a token answers, and what that means ---- */

static const struct answer {
	CK_RV rv;
	enum err_code code;
	bool reopen; /* a new session may help */
} answers[] = {
	{CKR_PIN_INCORRECT, ERR_DENIED, false},
	{CKR_PIN_INVALID, ERR_DENIED, false},
	{CKR_PIN_LEN_RANGE, ERR_DENIED, false},
	{CKR_PIN_EXPIRED, ERR_DENIED, false},
	{CKR_PIN_LOCKED, ERR_DENIED, false},
	{CKR_MECHANISM_INVALID, ERR_BAD_INPUT, false},
	{CKR_KEY_TYPE_INCONSISTENT, ERR_BAD_INPUT, false},
	{CKR_SESSION_HANDLE_INVALID, ERR_IO, true},
	{CKR_SESSION_CLOSED, ERR_IO, true},
	{CKR_USER_NOT_LOGGED_IN, ERR_IO, true},
	{CKR_OBJECT_HANDLE_INVALID, ERR_IO, true},
	{CKR_KEY_HANDLE_INVALID, ERR_IO, true},
	{CKR_DEVICE_REMOVED, ERR_IO, true},
	{CKR_TOKEN_NOT_PRESENT, ERR_IO, true},
};

static const struct answer *answer_of(CK_RV rv)
{
	static const struct answer other = {CKR_GENERAL_ERROR, ERR_IO, false};

	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		if (answers[i].rv == rv)
			return &answers[i];
	return &other;
}

static int check(CK_RV rv, const char *what, struct err *e)
{
	if (rv == CKR_OK)
		return 0;
	return err_set(e, answer_of(rv)->code, "token: %s: %s", what, p11_kit_strerror(rv));
}

/* ---- finding token and key ---- */

static int find_slot(struct token *t, CK_SLOT_ID *out, struct err *e)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG n = SLOTS_MAX;
	unsigned fits = 0;

	TRY(check(t->module->C_GetSlotList(CK_TRUE, slots, &n), "list of slots", e));
	for (CK_ULONG i = 0; i < n; i++) {
		CK_TOKEN_INFO info;

		if (t->module->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
			p11_kit_uri_match_token_info(t->uri.uri, &info) == 1 && fits++ == 0)
			*out = slots[i];
	}
	if (fits == 0)
		return err_set(e, ERR_NOT_FOUND, "token: no token here fits the URI");
	if (fits > 1)
		return err_set(e, ERR_CONFLICT, "token: %u tokens fit the URI", fits);
	return 0;
}

/* The one object of a class with the label and id of the URI. */
static int find_object(struct token *t, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *out, struct err *e)
{
	CK_ATTRIBUTE want[3] = {{CKA_CLASS, &class, sizeof class}}, *a;
	static const CK_ATTRIBUTE_TYPE named[] = {CKA_LABEL, CKA_ID};
	const char *what = class == CKO_PRIVATE_KEY ? "private key" : "public key";
	CK_OBJECT_HANDLE found[2];
	CK_ULONG n = 1;

	for (size_t i = 0; i < ARRAY_LEN(named); i++)
		if ((a = p11_kit_uri_get_attribute(t->uri.uri, named[i])))
			want[n++] = *a;
	TRY(check(t->module->C_FindObjectsInit(t->session, want, n), what, e));
	n = 0;
	TRY(check(t->module->C_FindObjects(t->session, found, 2, &n), what, e));
	TRY(check(t->module->C_FindObjectsFinal(t->session), what, e));
	if (n == 0)
		return err_set(e, ERR_NOT_FOUND, "token: no %s fits the URI", what);
	if (n > 1)
		return err_set(e, ERR_CONFLICT, "token: more than one %s fits the URI", what);
	*out = found[0];
	return 0;
}

/* ---- a session ---- */

static void disconnect(struct token *t)
{
	if (t->has_session)
		t->module->C_CloseSession(t->session);
	t->has_session = false;
}

static int log_in(struct token *t, struct err *e)
{
	CK_RV rv = t->module->C_Login(t->session, CKU_USER, (CK_UTF8CHAR *)t->pin, t->pin_n);

	return rv == CKR_USER_ALREADY_LOGGED_IN ? 0 : check(rv, "log in", e);
}

static int connect_token(struct token *t, struct err *e)
{
	CK_SLOT_ID slot = 0;

	TRY(find_slot(t, &slot, e));
	TRY(check(t->module->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &t->session),
		"open a session", e));
	t->has_session = true;
	TRY(log_in(t, e));
	return find_object(t, CKO_PRIVATE_KEY, &t->key, e);
}

static int load_module(struct token *t, struct err *e)
{
	t->module = p11_kit_module_load(t->uri.module, 0);
	if (!t->module)
		return err_set(e, ERR_NOT_FOUND, "token: module %s: %s", t->uri.module,
			p11_kit_message() ? p11_kit_message() : "cannot be loaded");
	TRY(check(p11_kit_module_initialize(t->module), "module", e));
	t->is_initialized = true;
	return 0;
}

int token_open(struct str uri, struct str pin, struct token **out, struct err *e)
{
	CLEANUP(token_close) struct token *t = mem_new(sizeof *t);

	pthread_mutex_init(&t->lock, NULL);
	if (pin.n > sizeof t->pin)
		return err_set(
			e, ERR_TOO_LARGE, "token: a PIN of more than %zu bytes", sizeof t->pin);
	memcpy(t->pin, pin.p, pin.n);
	t->pin_n = pin.n;
	TRY(token_uri_parse(uri, &t->uri, e));
	TRY(load_module(t, e));
	TRY(connect_token(t, e));
	*out = t;
	t = NULL;
	return 0;
}

void token_close(struct token **t)
{
	struct token *it = *t;

	if (!it)
		return;
	disconnect(it);
	if (it->is_initialized)
		p11_kit_module_finalize(it->module);
	if (it->module)
		p11_kit_module_release(it->module);
	token_uri_fini(&it->uri);
	OPENSSL_cleanse(it->pin, sizeof it->pin);
	pthread_mutex_destroy(&it->lock);
	mem_free(t);
}

/* ---- the public half ---- */

struct attribute {
	char bytes[ATTRIBUTE_MAX];
	struct str value;
};

static int read_attribute(struct token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
	struct attribute *out, struct err *e)
{
	CK_ATTRIBUTE a = {type, out->bytes, sizeof out->bytes};

	TRY(check(t->module->C_GetAttributeValue(t->session, object, &a, 1), "public key", e));
	out->value = (struct str){out->bytes, MIN(a.ulValueLen, sizeof out->bytes)};
	return 0;
}

static int read_public(struct token *t, CK_OBJECT_HANDLE object, EVP_PKEY **out, struct err *e)
{
	CK_KEY_TYPE type = 0;
	CK_ATTRIBUTE a = {CKA_KEY_TYPE, &type, sizeof type};
	struct attribute first, second;
	bool is_rsa;

	TRY(check(t->module->C_GetAttributeValue(t->session, object, &a, 1), "public key", e));
	if (type != CKK_EC && type != CKK_RSA)
		return err_set(e, ERR_BAD_INPUT, "token: a key that is neither ECDSA nor RSA");
	is_rsa = type == CKK_RSA;
	TRY(read_attribute(t, object, is_rsa ? CKA_MODULUS : CKA_EC_PARAMS, &first, e));
	TRY(read_attribute(t, object, is_rsa ? CKA_PUBLIC_EXPONENT : CKA_EC_POINT, &second, e));
	*out = is_rsa ? token_public_rsa(first.value, second.value)
		      : token_public_ec(first.value, second.value);
	if (!*out)
		return err_set(e, ERR_BAD_INPUT, "token: neither ECDSA P-256, P-384 nor RSA");
	return 0;
}

int token_public(struct token *t, EVP_PKEY **out, struct err *e)
{
	CK_OBJECT_HANDLE object = 0;
	int rc;

	pthread_mutex_lock(&t->lock);
	rc = find_object(t, CKO_PUBLIC_KEY, &object, e);
	if (rc == 0)
		rc = read_public(t, object, out, e);
	pthread_mutex_unlock(&t->lock);
	return rc;
}

/* ---- signing ---- */

static CK_RV sign_once(struct token *t, enum sig_scheme scheme, struct str digest, uint8_t *out_sig,
	CK_ULONG *io_n)
{
	CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, digest.n};
	CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0}, rsa = {CKM_RSA_PKCS_PSS, &pss, sizeof pss};
	CK_RV rv = CKR_SESSION_CLOSED;

	if (t->has_session)
		rv = t->module->C_SignInit(
			t->session, scheme == SIG_RSA_PSS_SHA256 ? &rsa : &ecdsa, t->key);
	return rv != CKR_OK ? rv
			    : t->module->C_Sign(
				      t->session, (CK_BYTE *)digest.p, digest.n, out_sig, io_n);
}

static int sign_locked(struct token *t, enum sig_scheme scheme, struct str digest, uint8_t *out_sig,
	CK_ULONG *io_n, struct err *e)
{
	CK_ULONG room = *io_n;
	CK_RV rv = sign_once(t, scheme, digest, out_sig, io_n);

	if (rv != CKR_OK && answer_of(rv)->reopen) {
		disconnect(t);
		TRY(connect_token(t, e));
		*io_n = room;
		rv = sign_once(t, scheme, digest, out_sig, io_n);
	}
	return check(rv, "sign", e);
}

int token_sign(struct token *t, enum sig_scheme scheme, struct str digest, uint8_t out_sig[SIG_MAX],
	size_t *out_n, struct err *e)
{
	CK_ULONG n = SIG_MAX;
	int rc;

	pthread_mutex_lock(&t->lock);
	rc = sign_locked(t, scheme, digest, out_sig, &n, e);
	pthread_mutex_unlock(&t->lock);
	if (rc == 0)
		*out_n = n;
	return rc;
}
