#include "server/signd/signd_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/sys/log.h"

#define STORE      "signer.db"
#define LOCK       "lock"
#define LOCK_PAUSE 20 /* ms */

static const char *const key_roles[] = {"image-snapshot", "image-timestamp", "director-targets",
	"director-snapshot", "director-timestamp"};

static const struct bucket_rule refusal_rule = {.burst = 1000, .per_hour = 3600};

/* ---- opening ---- */

static ms_t mono(void)
{
	return clock_system.mono(clock_system.self);
}

/* A server that was killed and started again starts its signer again, while the old one may still
 * be about to end. */
static int lock_data(struct signd *d, struct err *e)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE * 1000000L};
	ms_t until = mono() + d->c.patience;
	char path[FS_PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", d->c.data, LOCK);
	d->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (d->lock < 0)
		return err_sys(e, errno, "%s", path);
	while (flock(d->lock, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_sys(e, errno, "%s", path);
		if (mono() >= until)
			return err_set(e, ERR_BUSY, "%s: another process signs there", path);
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int open_data(struct signd *d, struct err *e)
{
	if (mkdir(d->c.data, 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "%s", d->c.data);
	TRY(fs_posix_open(d->c.data, &d->fs, e));
	return lock_data(d, e);
}

static int open_keys(struct signd *d, struct err *e)
{
	const struct sign_key *found[LIMIT_KEYS];

	d->keys = keystore_new();
	TRY(keystore_load(d->keys, d->c.keys, e));
	for (size_t i = 0; i < ARRAY_LEN(key_roles); i++)
		if (!keystore_find(d->keys, key_roles[i], found))
			return err_set(e, ERR_NOT_FOUND, "%s: there is no key %s", d->c.keys,
				key_roles[i]);
	return 0;
}

static int open_store(struct signd *d, struct err *e)
{
	char path[FS_PATH_MAX];
	struct chain known;

	snprintf(path, sizeof path, "%s/%s", d->c.data, STORE);
	TRY(store_open(path, &d->db, e));
	TRY(store_state(&d->db, &d->budgets, &known, e));
	return book_open(&d->book, &d->fs, SIGND_LOG, &known, e);
}

static int read_root(const char *path, struct buf *out, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char dir[FS_PATH_MAX];
	struct fs fs;
	int rc;

	fs_dirname(path, dir, sizeof dir);
	TRY(fs_posix_open(*dir ? dir : slash ? "/" : ".", &fs, e));
	rc = fs_read_file(&fs, slash ? slash + 1 : path, LIMIT_ROOT_BYTES, out, e);
	fs_posix_close(&fs);
	return rc < 0 ? err_wrap(e, "%s", path) : 0;
}

/* The root is provisioned once; later ones come by the chain. */
static int open_image(struct signd *d, struct err *e)
{
	d->image = mem_new(sizeof *d->image);
	shown_init(d->image);
	TRY(store_image(&d->db, d->image, e));
	if (!d->image->root.n)
		TRY(read_root(d->c.root, &d->image->root, e));
	return shown_load(d->image, d->c.clock->wall(d->c.clock->self) / 1000, e);
}

static int open_all(struct signd *d, struct err *e)
{
	TRY(open_keys(d, e));
	TRY(open_data(d, e));
	TRY(open_store(d, e));
	return open_image(d, e);
}

int signd_open(const struct signd_conf *c, struct signd **out, struct err *e)
{
	struct signd *d = mem_new(sizeof *d);
	int rc;

	memset(d, 0, sizeof *d);
	d->c = *c;
	d->lock = d->book.fd = -1;
	rc = open_all(d, e);
	if (rc < 0)
		signd_close(&d);
	else
		*out = d;
	return rc;
}

void signd_close(struct signd **dp)
{
	struct signd *d = *dp;

	if (!d)
		return;
	shown_free(&d->image);
	book_close(&d->book);
	db_close(&d->db);
	keystore_free(&d->keys);
	if (d->fs.ops)
		fs_posix_close(&d->fs);
	if (d->lock >= 0)
		close(d->lock);
	mem_free(dp);
}

/* ---- signing ---- */

int signing_sign(struct signing *s, const char *key_role, const char *role, json_t *part,
	struct repo_head head, struct signed_file *out, struct err *e)
{
	JSON_AUTO *owned = part;
	struct chain_note *note = &s->notes[s->n];
	const struct sign_key *keys[LIMIT_KEYS];
	unsigned n = keystore_find(s->d->keys, key_role, keys);

	*out = (struct signed_file){.version = head.version, .expires_s = head.expires_s};
	snprintf(out->role, sizeof out->role, "%s", role);
	if (sign_meta(owned, keys, n, &out->bytes, e) < 0) {
		buf_fini(&out->bytes);
		return err_wrap(e, "%s", key_role);
	}
	*note = (struct chain_note){.at = s->now, .version = head.version};
	snprintf(note->peer, sizeof note->peer, "%s", s->peer);
	snprintf(note->what, sizeof note->what, "%s", key_role);
	digest_of(out->bytes.p, out->bytes.n, &note->digest);
	s->n++;
	s->reply->made++;
	return 0;
}

static int put_all(struct signing *s, const struct sign_budgets *left, signing_put_f *put,
	void *ctx, struct err *e)
{
	TRY(put(ctx, &s->d->db, e));
	return store_put_state(&s->d->db, left, &s->d->book.at, e);
}

int signing_commit(struct signing *s, const struct sign_budgets *left, signing_put_f *put,
	void *ctx, struct err *e)
{
	struct signd *d = s->d;

	TRY(book_add(&d->book, s->notes, s->n, e));
	if (put) {
		TRY(db_begin(&d->db, e));
		TRY(db_end(&d->db, put_all(s, left, put, ctx, e), e));
	}
	d->budgets = *left;
	return 0;
}

/* ---- answering ---- */

static int decide(struct signing *s, const struct ask *a, struct err *e)
{
	switch (a->kind) {
	case ASK_IMAGE:
		return signing_image(s, &a->image, e);
	case ASK_DIRECTOR:
		return signing_director(s, &a->director, e);
	case ASK_TIME:
		return signing_time(s, &a->time, e);
	case ASK_CHECKPOINT:
		return signing_checkpoint(s, &a->checkpoint, e);
	case ASK_LOOK:
	case ASK_KIND_MAX:
		break;
	}
	return 0;
}

/* What was asked for as far as it is known. */
static void note_refusal(
	struct signing *s, const struct ask *a, const struct err *why, struct chain_note *out)
{
	const char *path = a->kind == ASK_DIRECTOR ? a->director.path : a->image.path;

	*out = (struct chain_note){.at = s->now, .why = *why};
	snprintf(out->peer, sizeof out->peer, "%s", s->peer);
	snprintf(out->what, sizeof out->what, "%s", ask_kind_name(a->kind));
	snprintf(out->device, sizeof out->device, "%s",
		a->kind == ASK_TIME ? a->time.device.s : a->director.device.s);
	snprintf(out->release, sizeof out->release, "%s", path);
	if (a->kind == ASK_DIRECTOR)
		snprintf(
			out->order, sizeof out->order, "%s", desired_order_name(a->director.order));
}

/* A flood of refusals must not fill the disk. */
static void log_refusal(struct signing *s, const struct ask *a, const struct err *why)
{
	struct chain_note note;
	struct err e;

	if (!bucket_take(&s->d->refusals, &refusal_rule, s->now))
		return;
	note_refusal(s, a, why, &note);
	if (book_add(&s->d->book, &note, 1, &e) < 0)
		log_err(LOG_ID_STORE, &e, "what=%s", SIGND_LOG);
	log_err(LOG_ID_SIGN_REFUSED, why, "peer=\"%s\" what=%s device=%s release=%s", s->peer,
		note.what, *note.device ? note.device : "-", *note.release ? note.release : "-");
}

void signd_answer(struct signd *d, const char *peer, struct str frame, struct buf *out)
{
	CLEANUP(mem_free) struct ask *a = mem_new(sizeof *a);
	struct reply *reply CLEANUP(mem_free) = mem_new(sizeof *reply);
	struct signing s = {.d = d, .peer = peer, .reply = reply};
	struct err e = {0};
	int rc;

	memset(reply, 0, sizeof *reply);
	s.now = d->c.clock->wall(d->c.clock->self);
	memset(a, 0, sizeof *a);
	a->kind = ASK_KIND_MAX;
	rc = ask_parse(frame, a, &e);
	if (rc == 0)
		rc = decide(&s, a, &e);
	reply->line = d->book.at.n;
	if (rc < 0) {
		log_refusal(&s, a, &e);
		reply_format_err(&e, out);
	} else
		reply_format(reply, out);
	ask_fini(a);
	reply_fini(reply);
}
