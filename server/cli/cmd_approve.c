/* backstay release propose, release approve: creator and approvers, each on a machine of their own,
 * with a folder that travels between them. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/folder.h"
#include "keys/request.h"
#include "lib/sys/clock.h"
#include "server/cli/packed_evidence.h"

#define REQUEST "request.json"

static void approval_dir(const struct cli *c, char out[512])
{
	snprintf(out, 512, "%s/approval", c->args[0]);
}

/* ---- propose ---- */

static int find_creator(const struct keystore *ks, const struct sign_key **out, struct err *e)
{
	const struct sign_key *found[LIMIT_KEYS];

	if (!keystore_find(ks, "creator", found))
		return err_set(e, ERR_NOT_FOUND,
			"no creator's key here; `backstay keys new creator-1 --keys DIR` makes one");
	*out = found[0];
	return 0;
}

/* What approvers need of the repository: what is newer than their own copy. */
static int copy_repository(const char *repo, struct fs *to, struct err *e)
{
	static const char *const roles[] = {
		"root", "targets", "engineering", "safety", "compliance"};
	struct fs from;
	int rc;

	TRY(fs_posix_open(repo, &from, e));
	rc = 0;
	for (size_t i = 0; i < ARRAY_LEN(roles) && rc == 0; i++)
		rc = folder_copy(&from, to, roles[i], i == 0, e);
	fs_posix_close(&from);
	return rc < 0 ? err_wrap(e, "%s", repo) : 0;
}

static int write_proposal(const struct cli *c, const struct buf *request, struct err *e)
{
	char dir[512], repo[512];
	struct fs to;
	int rc;

	approval_dir(c, dir);
	TRY(fs_posix_open(c->args[0], &to, e));
	rc = fs_make_dirs(&to, "approval", e);
	fs_posix_close(&to);
	TRY(rc);
	TRY(fs_posix_open(dir, &to, e));
	rc = copy_repository(packed_repo(c, repo), &to, e);
	if (rc == 0)
		rc = fs_write_file(&to, REQUEST, request->p, request->n, 0644, e);
	fs_posix_close(&to);
	return rc;
}

int cmd_RELEASE_PROPOSE(const struct cli *c, struct err *e)
{
	CLEANUP(keystore_free) struct keystore *ks = keystore_new();
	CLEANUP(mem_free) struct release *r = NULL;
	CLEANUP(packed_evidence_drop) struct packed_evidence *ev = mem_new(sizeof *ev);
	const struct sign_key *creator = NULL;
	BUF_AUTO text = {0}, request = {0};
	JSON_AUTO *answer = NULL;
	struct release_terms terms;
	char document[512];

	memset(ev, 0, sizeof *ev);
	TRY(packed_terms(c, &terms, e));
	TRY(packed_evidence_load(c->args[0], ev, e));
	packed_evidence_all(ev, &terms);
	TRY(packed_document(c->args[0], document, e));
	TRY(packed_vet(document, &text, &r, e));
	TRY(packed_keys(ks, c, "creator", e));
	TRY(find_creator(ks, &creator, e));
	TRY(request_encode(buf_str(&text), &terms, creator, &request, e));
	TRY(write_proposal(c, &request, e));
	answer = json_pack("{s:s, s:s}", "release", r->id.s, "creator", creator->keyid);
	if (!cli_json(c, answer))
		printf("%s waits for approval. Give %s to each party, which runs\n"
		       "  backstay release approve %s --role ROLE --keys ITS-KEYS\n"
		       "and bring its approval/ back. Next: backstay release publish %s\n",
			r->id.s, c->args[0], c->args[0], c->args[0]);
	return 0;
}

/* ---- approve ---- */

struct review {
	const struct cli *c;
	const char *role;
	struct request request;
	struct release *release;
	struct packed_evidence evidence;
	char document[512], approval[512];
};

static int read_request(struct review *v, struct err *e)
{
	BUF_AUTO bytes = {0}, text = {0};
	char path[600];

	approval_dir(v->c, v->approval);
	snprintf(path, sizeof path, "%s/" REQUEST, v->approval);
	if (access(path, F_OK) < 0)
		return err_set(
			e, ERR_NOT_FOUND, "%s: missing; `backstay release propose` makes it", path);
	TRY(cli_read(path, LIMIT_REQUEST_BYTES, &bytes, e));
	if (request_decode(buf_str(&bytes), &v->request, e) < 0)
		return err_wrap(e, "%s", path);
	TRY(packed_document(v->c->args[0], v->document, e));
	TRY(packed_load(v->document, &text, &v->release, e));
	TRY(request_check_document(&v->request, buf_str(&text), e));
	TRY(packed_evidence_load(v->c->args[0], &v->evidence, e));
	return packed_evidence_named(&v->evidence, &v->request.terms, e);
}

static void print_list(const char *what, unsigned n, const char (*texts)[ID_TEXT_MAX])
{
	printf("%-12s", what);
	for (unsigned i = 0; i < n; i++)
		printf(" %s", texts[i]);
	puts(n ? "" : " none");
}

static void print_review(const struct review *v)
{
	const struct release_terms *terms = &v->request.terms;
	char digest[SHA256_TEXT], creator[SHA256_TEXT];

	sha256_format(&v->request.document, digest);
	sha256_format(&terms->creator, creator);
	packed_print(v->release);
	printf("\nTo be signed as %s:\n%-12s %s\n%-12s %s\n", v->role, "path", v->request.path,
		"sha256", digest);
	print_list("hardware", terms->n_hardware, terms->hardware);
	printf("%-12s %llu\n", "counter", (unsigned long long)terms->counter);
	print_list("way back to", terms->n_rollback_to,
		(const char(*)[ID_TEXT_MAX])terms->rollback_to);
	printf("%-12s key %s\n", "made by", creator);
	for (unsigned i = 0; i < terms->evidence.n; i++)
		printf("%-12s %s\n", i ? "" : "evidence", terms->evidence.v[i].type);
}

static int ask(const struct review *v, struct err *e)
{
	char line[16];

	if (cli_flag(v->c, CLI_OPT_YES))
		return 0;
	if (!isatty(STDIN_FILENO))
		return err_set(
			e, ERR_USAGE, "--yes is needed where nobody can be asked on a terminal");
	printf("Sign this as %s? [y/N] ", v->role);
	fflush(stdout);
	if (!fgets(line, sizeof line, stdin) || (line[0] != 'y' && line[0] != 'Y'))
		return err_set(e, ERR_CANCELLED, "not signed");
	return 0;
}

/* Newer roots and targets come with the request, and prove themselves against our copy. */
static int update_copy(const struct review *v, const char *repo, struct err *e)
{
	struct fs own, bundle;
	unsigned taken;
	int rc;

	TRY(fs_posix_open(repo, &own, e));
	rc = fs_posix_open(v->approval, &bundle, e);
	if (rc == 0) {
		rc = folder_update(&own, &bundle, &taken, e);
		fs_posix_close(&bundle);
	}
	fs_posix_close(&own);
	return rc;
}

static int approve(const struct review *v, struct release_signed *out, struct err *e)
{
	CLEANUP(keystore_free) struct keystore *ks = keystore_new();
	char buf[512];
	const char *repo = packed_repo(v->c, buf);

	TRY(packed_keys(ks, v->c, "offline", e));
	TRY(update_copy(v, repo, e));
	return release_sign(repo, v->approval, ks, v->role, v->document, &v->request.terms,
		clock_system.wall(NULL) / 1000, out, e);
}

/* The server notes who has approved it, by the name of the token: with four eyes it publishes
 * nothing that three people other than the publisher have not said so of. */
static int submit(const struct review *v, const struct release_signed *done, struct err *e)
{
	JSON_AUTO *body = NULL, *answer = NULL;
	char path[700], digest[SHA256_TEXT];
	BUF_AUTO file = {0};

	if (!cli_flag(v->c, CLI_OPT_SUBMIT))
		return 0;
	if (!done->complete)
		return err_set(e, ERR_UNSIGNED, "not submitted: %s needs more signatures", v->role);
	snprintf(path, sizeof path, "%s/%s", v->approval, done->file);
	TRY(cli_read(path, LIMIT_TARGETS_BYTES, &file, e));
	sha256_format(&done->document, digest);
	body = json_pack("{s:s, s:s, s:s, s:s#}", "path", done->path, "digest", digest, "role",
		v->role, "file", file.p, file.n);
	return cli_ask(v->c, ROUTE_RELEASE_APPROVE, NULL, NULL, body, &answer, e);
}

static void review_fini(struct review *v)
{
	packed_evidence_fini(&v->evidence);
	mem_free(&v->release);
}

int cmd_RELEASE_APPROVE(const struct cli *c, struct err *e)
{
	CLEANUP(review_fini) struct review v = {.c = c, .role = cli_value(c, CLI_OPT_ROLE, NULL)};
	struct release_signed done;
	JSON_AUTO *answer = NULL;
	char digest[SHA256_TEXT];

	if (!v.role || c->n_values[CLI_OPT_ROLE] != 1)
		return err_set(e, ERR_USAGE,
			"--role engineering, safety or compliance is needed: "
			"a party signs for itself only");
	TRY(read_request(&v, e));
	if (!cli_flag(c, CLI_OPT_JSON))
		print_review(&v);
	TRY(ask(&v, e));
	TRY(approve(&v, &done, e));
	TRY(submit(&v, &done, e));
	sha256_format(&done.document, digest);
	answer = json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "role", v.role, "file", done.file,
		"path", done.path, "document", digest, "changed", done.changed, "complete",
		done.complete);
	if (!cli_json(c, answer))
		printf("\n%s %s %s in %s%s\n", v.role, done.changed ? "signed" : "had signed",
			done.path, done.file,
			done.complete ? "" : " (more signatures of this role are needed)");
	return 0;
}
