#include "agent/ident/ident.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/ident/ident_key.h"
#include "proto/trust/digest.h"
#include "proto/wire/base64.h"
#include "proto/wire/limits.h"
#include "proto/wire/routes.h"

#define FOLDER     "identity"
#define NEW_KEY    FOLDER "/new.pem"
#define INVITED    FOLDER "/invited"
#define TOKEN_MAX  ((size_t)256)
#define RETRY_PART 20 /* of a certificate's life, between two tries to renew it */
#define RETRY_MAX  MINUTE(60)

struct ident {
	struct ident_conf c;
	bool has, ended;
	int64_t from_s, until_s;
	ms_t next_try; /* monotonic */
};

/* ---- what is there ---- */

static int load(struct ident *i, struct err *e)
{
	CLEANUP(ident_wipe) struct buf pem = {0};
	int rc = fs_read_file(i->c.fs, IDENT_FILE, IDENT_PEM_MAX, &pem, e);

	if (rc == -ERR_NOT_FOUND)
		return 0;
	TRY(rc);
	if (ident_life(buf_str(&pem), i->c.device, &i->from_s, &i->until_s, e) < 0)
		return err_wrap(e, IDENT_FILE);
	i->has = true;
	i->ended = false;
	return 0;
}

int ident_open(const struct ident_conf *c, struct ident **out, struct err *e)
{
	struct ident *i = mem_new(sizeof *i);

	*i = (struct ident){.c = *c};
	int rc = load(i, e);

	/* What was damaged is of no use; an invitation makes it good again. */
	if (rc < 0 && rc != -ERR_ALTERED) {
		ident_close(&i);
		return rc;
	}
	*out = i;
	return 0;
}

void ident_close(struct ident **i)
{
	mem_free(i);
}

void ident_has_ended(struct ident *i)
{
	i->ended = true;
}

/* ---- the invitation ---- */

/* Not beneath home: it is brought here by whoever sets the device up. Empty when there is none. */
static int read_token(const struct ident *i, struct buf *out, struct err *e)
{
	int fd = i->c.token_file[0] ? open(i->c.token_file, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n;

	if (fd < 0)
		return !i->c.token_file[0] || errno == ENOENT
			       ? 0
			       : err_sys(e, errno, "%s", i->c.token_file);
	n = read(fd, buf_reserve(out, TOKEN_MAX), TOKEN_MAX);
	close(fd);
	if (n < 0)
		return err_sys(e, errno, "%s", i->c.token_file);
	out->n = (size_t)n;
	while (out->n && str_has_char(" \r\n", (char)out->p[out->n - 1]))
		out->n--;
	return 0;
}

static void format_used(struct str token, char out[SHA256_TEXT])
{
	struct sha256 digest;

	digest_of(token.p, token.n, &digest);
	sha256_format(&digest, out);
}

static int is_used(const struct ident *i, struct str token, bool *out, struct err *e)
{
	BUF_AUTO last = {0};
	char used[SHA256_TEXT];
	int rc = fs_read_file(i->c.fs, INVITED, SHA256_TEXT, &last, e);

	*out = false;
	if (rc == -ERR_NOT_FOUND)
		return 0;
	TRY(rc);
	format_used(token, used);
	*out = str_is(buf_str(&last), used);
	return 0;
}

/* ---- asking ---- */

/* Asks for a certificate for the key, and appends it to `io_pem`, which begins with the key. */
static int ask(struct ident *i, enum route route, const char *token, const atomic_bool *cancel,
	struct buf *io_pem, struct err *e)
{
	BUF_AUTO csr = {0}, text = {0}, bundle = {0};
	struct http_answer a CLEANUP(http_answer_fini) = {0};
	struct ident_ask q = {.with_identity = !token,
		.token = token,
		.path = route_path(route),
		.cancel = cancel};

	TRY(ident_request(buf_str(io_pem), i->c.device, &csr, e));
	base64_encode(buf_str(&csr), &text);
	q.body = buf_str(&text);
	TRY(i->c.send(i->c.self, &q, &a, e));
	TRY(http_check(&a, token ? "enrolment" : "renewal", e));
	if (base64_decode(buf_str(&a.body), &bundle, e) < 0 ||
		ident_answer(buf_str(&bundle), buf_str(io_pem), i->c.device, io_pem, e) < 0)
		return err_set(e, ERR_ALTERED, "%s: the server's answer is no certificate of %s",
			token ? "enrolment" : "renewal", i->c.device);
	return 0;
}

static int save(struct ident *i, const struct buf *pem, struct err *e)
{
	TRY(fs_write_file(i->c.fs, IDENT_FILE, pem->p, pem->n, 0600, e));
	return load(i, e);
}

/* ---- enrolling ---- */

static int load_new_key(struct ident *i, struct buf *out, struct err *e)
{
	int rc = fs_read_file(i->c.fs, NEW_KEY, IDENT_PEM_MAX, out, e);

	if (rc != -ERR_NOT_FOUND)
		return rc;
	TRY(i->c.fs->ops->mkdir(i->c.fs, FOLDER, 0700, e));
	TRY(i->c.fs->ops->sync_dir(i->c.fs, "", e));
	TRY(ident_key_new(out, e));
	return fs_write_file(i->c.fs, NEW_KEY, out->p, out->n, 0600, e);
}

/* The identity first, then the note that the invitation is used, then the key goes: after a cut
 * between any two of them asking again gives the same certificate. */
static int enrol(struct ident *i, struct str token, const atomic_bool *cancel, struct err *e)
{
	CLEANUP(ident_wipe) struct buf pem = {0};
	char used[SHA256_TEXT], text[TOKEN_MAX + 1];

	TRY(str_copy(token, text, sizeof text, e));
	TRY(load_new_key(i, &pem, e));
	TRY(ask(i, ROUTE_EST_ENROLL, text, cancel, &pem, e));
	TRY(save(i, &pem, e));
	format_used(token, used);
	TRY(fs_write_file(i->c.fs, INVITED, used, strlen(used), 0600, e));
	TRY(i->c.fs->ops->unlink(i->c.fs, NEW_KEY, e));
	return i->c.fs->ops->sync_dir(i->c.fs, FOLDER, e);
}

/* ---- renewing ---- */

static int renew(struct ident *i, const atomic_bool *cancel, struct err *e)
{
	CLEANUP(ident_wipe) struct buf old = {0}, pem = {0};
	struct str rest;

	TRY(fs_read_file(i->c.fs, IDENT_FILE, IDENT_PEM_MAX, &old, e));
	/* the key, without the certificate behind it */
	rest = buf_str(&old);
	const char *end = memmem(rest.p, rest.n, "-----BEGIN CERTIFICATE", 22);
	buf_add(&pem, rest.p, end ? (size_t)(end - rest.p) : rest.n);
	TRY(ask(i, ROUTE_EST_REENROLL, NULL, cancel, &pem, e));
	return save(i, &pem, e);
}

static bool is_usable(const struct ident *i, ms_t wall)
{
	return i->has && wall / 1000 < i->until_s;
}

/* One that has ended is of no use for anything else: then nothing is waited for. */
static bool is_due(const struct ident *i, ms_t wall, ms_t mono)
{
	int64_t now_s = wall / 1000, life = i->until_s - i->from_s;

	if (!is_usable(i, wall))
		return true;
	return mono >= i->next_try &&
	       ((i->ended && now_s < i->from_s) || now_s >= i->from_s + life * 2 / 3);
}

static void try_later(struct ident *i, ms_t mono)
{
	i->next_try = mono + MIN(SEC(i->until_s - i->from_s) / RETRY_PART, RETRY_MAX);
}

/* ---- all together ---- */

static int change(struct ident *i, struct str token, bool is_new, ms_t wall, ms_t mono,
	const atomic_bool *cancel, struct ident_news *out, struct err *e)
{
	int rc;

	if (is_new)
		rc = enrol(i, token, cancel, e);
	else if (i->has && is_due(i, wall, mono))
		rc = renew(i, cancel, e);
	else
		return i->has ? 0 : err_set(e, ERR_DENIED, "no identity, and no invitation");
	out->changed = rc == 0;
	if (rc < 0)
		try_later(i, mono);
	return rc;
}

int ident_keep(struct ident *i, ms_t wall, ms_t mono, const atomic_bool *cancel,
	struct ident_news *out, struct err *e)
{
	CLEANUP(ident_wipe) struct buf token = {0};
	bool used = true;
	int rc;

	*out = (struct ident_news){.trouble = {.code = ERR_OK}};
	TRY(read_token(i, &token, e));
	if (token.n)
		TRY(is_used(i, buf_str(&token), &used, e));
	rc = change(i, buf_str(&token), !used && mono >= i->next_try, wall, mono, cancel, out, e);
	if (rc < 0 && is_usable(i, wall)) {
		out->trouble = *e;
		return 0;
	}
	return rc < 0 ? err_wrap(e, "identity") : 0;
}
