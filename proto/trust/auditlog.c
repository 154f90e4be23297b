#include "proto/trust/auditlog.h"

#include <stdio.h>
#include <string.h>

#include "proto/trust/meta_priv.h"

/* ---- one row ---- */

static void set_text(json_t *o, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(o, key, json_string(text));
}

json_t *audit_row_encode(const struct audit_row *r)
{
	json_t *o = json_pack("{s:I, s:I, s:s, s:s, s:s}", "n", (json_int_t)r->n, "at",
		(json_int_t)r->at, "who", r->who, "what", r->what, "text", r->text);
	char hex[SHA256_TEXT];

	set_text(o, "campaign", r->campaign);
	set_text(o, "device", r->device);
	set_text(o, "engine", r->engine);
	if (!sha256_is_zero(&r->policy)) {
		sha256_format(&r->policy, hex);
		set_text(o, "policy", hex);
	}
	return o;
}

int audit_row_parse(const json_t *o, const char *where, struct audit_row *out, struct err *e)
{
	static const char *const known[] = {
		"n", "at", "who", "what", "campaign", "device", "text", "policy", "engine", NULL};
	struct audit_row r = {0};
	uint64_t at;

	TRY(json_only(o, where, known, e));
	TRY(json_u64(o, where, "n", 1, META_VERSION_MAX, &r.n, e));
	TRY(json_u64(o, where, "at", 0, META_VERSION_MAX, &at, e));
	TRY(json_text(o, where, "who", r.who, sizeof r.who, e));
	TRY(json_text(o, where, "what", r.what, sizeof r.what, e));
	TRY(json_text_opt(o, where, "campaign", r.campaign, sizeof r.campaign, e));
	TRY(json_text_opt(o, where, "device", r.device, sizeof r.device, e));
	TRY(json_text(o, where, "text", r.text, sizeof r.text, e));
	TRY(json_text_opt(o, where, "engine", r.engine, sizeof r.engine, e));
	TRY(json_digest_opt(o, where, "policy", &r.policy, e));
	r.at = (ms_t)at;
	*out = r;
	return 0;
}

static bool is_utf8(const char *s)
{
	JSON_AUTO *j = json_string(s);

	return j != NULL;
}

static void tidy(char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			s[i] = ' ';
	for (unsigned cut = 0; cut < 3 && n && !is_utf8(s); cut++)
		s[--n] = 0;
	if (!is_utf8(s))
		for (size_t i = 0; i < n; i++)
			if ((unsigned char)s[i] >= 0x80)
				s[i] = '?';
}

void audit_row_tidy(struct audit_row *r)
{
	tidy(r->who);
	tidy(r->what);
	tidy(r->campaign);
	tidy(r->device);
	tidy(r->text);
	tidy(r->engine);
}

static void chain_json(const struct sha256 *before, const json_t *row, struct sha256 *out)
{
	BUF_AUTO bytes = {0};
	struct digest d;

	json_canonical(row, &bytes);
	digest_init(&d);
	digest_add(&d, before->b, sizeof before->b);
	digest_add(&d, bytes.p, bytes.n);
	digest_fini(&d, out);
}

void auditlog_chain(const struct sha256 *before, const struct audit_row *r, struct sha256 *out)
{
	JSON_AUTO *row = audit_row_encode(r);

	chain_json(before, row, out);
}

/* ---- checkpoints ---- */

bool auditlog_has_signers(const struct meta *root)
{
	return json_object_get(root->signed_part, AUDITLOG_TYPE) != NULL;
}

static int signers_of(const struct meta *root, struct signers *out, struct err *e)
{
	const json_t *role;

	if (!auditlog_has_signers(root))
		return err_set(e, ERR_UNSIGNED, "root names nobody who signs checkpoints");
	TRY(json_obj(root->signed_part, "root", AUDITLOG_TYPE, &role, e));
	return signers_read(
		json_object_get(root->signed_part, "keys"), role, "root." AUDITLOG_TYPE, out, e);
}

static int read_part(const json_t *part, struct auditlog_checkpoint *out, struct err *e)
{
	static const char *const known[] = {"_type", "n", "chain", "time", NULL};
	static const char where[] = "checkpoint";
	struct auditlog_checkpoint c;
	char type[32], time[32];

	TRY(json_only(part, where, known, e));
	TRY(json_text(part, where, "_type", type, sizeof type, e));
	if (strcmp(type, AUDITLOG_TYPE) != 0)
		return err_set(e, ERR_BAD_INPUT, "%s: its _type is %s", where, type);
	TRY(json_u64(part, where, "n", 1, META_VERSION_MAX, &c.n, e));
	TRY(json_digest(part, where, "chain", &c.chain, e));
	TRY(json_text(part, where, "time", time, sizeof time, e));
	if (time_parse(str_of(time), &c.time_s, e) < 0)
		return err_wrap(e, "%s", where);
	*out = c;
	return 0;
}

/* Form of the whole file; takes over nothing. */
static int open_file(struct meta *m, struct err *e)
{
	static const char *const known[] = {"signed", "signatures", NULL};

	TRY(json_only(m->doc, "checkpoint", known, e));
	TRY(json_obj(m->doc, "checkpoint", "signed", &m->signed_part, e));
	TRY(signatures_check(m->doc, "checkpoint", e));
	json_canonical(m->signed_part, &m->signed_bytes);
	return 0;
}

static int check_signed(const struct meta *root, const struct meta *m, struct err *e)
{
	struct signers s;

	TRY(signers_of(root, &s, e));
	return signers_check(&s, m, "checkpoint", e);
}

static int open_bytes(struct str bytes, struct meta *m, struct err *e)
{
	if (json_read(bytes, LIMIT_AUDIT_LINE, &m->doc, e) < 0)
		return err_wrap(e, "checkpoint");
	return open_file(m, e);
}

int auditlog_checkpoint_read(struct str bytes, struct auditlog_checkpoint *out, struct err *e)
{
	CLEANUP(meta_fini) struct meta m = {0};

	TRY(open_bytes(bytes, &m, e));
	return read_part(m.signed_part, out, e);
}

int auditlog_checkpoint_verify(
	const struct meta *root, struct str bytes, struct auditlog_checkpoint *out, struct err *e)
{
	CLEANUP(meta_fini) struct meta m = {0};

	TRY(open_bytes(bytes, &m, e));
	TRY(check_signed(root, &m, e));
	return read_part(m.signed_part, out, e);
}

/* ---- an export ---- */

void auditlog_check_init(struct auditlog_check *c, const struct meta *roots, unsigned n_roots)
{
	*c = (struct auditlog_check){.roots = roots, .n_roots = n_roots};
}

static int check_head(const json_t *line, struct err *e)
{
	static const char *const known[] = {"format", "kind", NULL};
	char kind[32];
	uint64_t format;

	TRY(json_only(line, "line 1", known, e));
	TRY(json_u64(line, "line 1", "format", 1, 1, &format, e));
	TRY(json_text(line, "line 1", "kind", kind, sizeof kind, e));
	if (strcmp(kind, "backstay-audit") != 0)
		return err_set(e, ERR_BAD_INPUT, "line 1: this is a %s, no backstay-audit", kind);
	return 0;
}

static int check_place(const struct auditlog_check *c, uint64_t n, struct err *e)
{
	uint64_t want = c->rows + 1;

	if (n > want)
		return err_set(e, ERR_ALTERED, "row %llu is missing: row %llu stands in its place",
			(unsigned long long)want, (unsigned long long)n);
	if (n < want)
		return err_set(e, ERR_ALTERED, "row %llu stands again or too late, behind row %llu",
			(unsigned long long)n, (unsigned long long)c->rows);
	return 0;
}

static int check_row(struct auditlog_check *c, const json_t *line, const char *where, struct err *e)
{
	static const char *const known[] = {"row", "chain", NULL};
	struct sha256 said, chain;
	struct audit_row r;
	const json_t *row;

	TRY(json_only(line, where, known, e));
	TRY(json_obj(line, where, "row", &row, e));
	TRY(audit_row_parse(row, where, &r, e));
	TRY(json_digest(line, where, "chain", &said, e));
	TRY(check_place(c, r.n, e));
	chain_json(&c->chain, row, &chain); /* as it came, members that nobody knows included */
	if (!sha256_eq(&said, &chain))
		return err_set(e, ERR_ALTERED,
			"row %llu was altered: it does not follow from row %llu",
			(unsigned long long)r.n, (unsigned long long)c->rows);
	c->chain = chain;
	c->rows++;
	return 0;
}

/* By whom the newest root names, or else by whom an older one did. */
static int check_by_roots(struct auditlog_check *c, const struct meta *m, struct err *e)
{
	int rc = err_set(e, ERR_UNSIGNED, "no root was given");

	for (unsigned i = c->n_roots; i > 0; i--) {
		rc = check_signed(&c->roots[i - 1], m, e);
		if (rc == 0) {
			c->last_is_newest = i == c->n_roots;
			return 0;
		}
	}
	return rc;
}

static int check_binds(
	const struct auditlog_check *c, const struct auditlog_checkpoint *p, struct err *e)
{
	if (p->n < c->last.n || p->time_s < c->last.time_s)
		return err_set(e, ERR_ALTERED,
			"the checkpoint of row %llu stands behind that of row %llu",
			(unsigned long long)p->n, (unsigned long long)c->last.n);
	if (p->n != c->rows)
		return err_set(e, ERR_ALTERED,
			"a checkpoint was signed at row %llu, and stands behind row %llu",
			(unsigned long long)p->n, (unsigned long long)c->rows);
	if (!sha256_eq(&p->chain, &c->chain))
		return err_set(e, ERR_ALTERED,
			"rows %llu to %llu are not those that were signed: one was altered and the chain made anew",
			(unsigned long long)c->last.n + 1, (unsigned long long)p->n);
	return 0;
}

static int check_checkpoint(
	struct auditlog_check *c, const json_t *line, const char *where, struct err *e)
{
	static const char *const known[] = {"checkpoint", NULL};
	CLEANUP(meta_fini) struct meta m = {0};
	struct auditlog_checkpoint p;
	const json_t *file;

	TRY(json_only(line, where, known, e));
	TRY(json_obj(line, where, "checkpoint", &file, e));
	m.doc = json_incref((json_t *)file);
	TRY(open_file(&m, e));
	TRY(check_by_roots(c, &m, e));
	TRY(read_part(m.signed_part, &p, e));
	TRY(check_binds(c, &p, e));
	c->last = p;
	c->checkpoints++;
	return 0;
}

int auditlog_check_line(struct auditlog_check *c, struct str line, struct err *e)
{
	JSON_AUTO *j = NULL;
	char where[32];
	int rc;

	c->lines++;
	snprintf(where, sizeof where, "line %llu", (unsigned long long)c->lines);
	if (json_read(line, LIMIT_AUDIT_LINE, &j, e) < 0)
		return err_wrap(e, "%s, behind row %llu", where, (unsigned long long)c->rows);
	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "%s: an object is wanted", where);
	if (c->lines == 1)
		return check_head(j, e);
	rc = json_object_get(j, "row") ? check_row(c, j, where, e)
				       : check_checkpoint(c, j, where, e);
	if (rc < 0 && rc != -ERR_ALTERED)
		return err_wrap(e, "%s, behind row %llu", where, (unsigned long long)c->rows);
	return rc;
}

int auditlog_check_end(const struct auditlog_check *c, struct err *e)
{
	if (c->lines == 0)
		return err_set(e, ERR_BAD_INPUT, "the file is empty");
	if (c->last.n != c->rows)
		return err_set(e, ERR_ALTERED,
			"no checkpoint covers rows %llu to %llu: the end was cut off, or put on",
			(unsigned long long)c->last.n + 1, (unsigned long long)c->rows);
	if (c->rows && !c->last_is_newest)
		return err_set(e, ERR_UNSIGNED,
			"the last checkpoint is signed by a key that the newest root no longer names");
	return 0;
}
