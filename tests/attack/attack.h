/* Attacks on a device and on its server, over real HTTP, against the real programs. Each is a
 * function of the name that the list of attacks (docs/attacks.md) gives it; attacks.tbl.h says what
 * is expected of it.
 *
 * A test begins with a device that runs toy-1 and a server that offers toy-2, all well and signed.
 * The attack spoils that. Then the device asks, and must
 *   - refuse, with the expected error, which its server or its log is told;
 *   - leave its home as it was, byte for byte, but for what `enum attack_kind` names;
 *   - take toy-2 as soon as the world is well again.
 *
 * Every test is a process of its own, so whatever it changes is gone afterwards. A failed
 * expectation ends it. */
#ifndef TESTS_ATTACK_ATTACK_H
#define TESTS_ATTACK_ATTACK_H

#include "tests/attack/attacks.tbl.h"
#include "tests/lib/expect.h"
#include "tests/lib/httpd.h"
#include "tests/lib/parcel.h"
#include "tests/lib/trepo.h"

enum attack_kind {
	/* Nothing changes but what any question leaves: lines in history.log; in journal/state.0
	 * and .1 the numbers of record, of last report and of the director version that was dealt
	 * with; the empty folder reports. */
	ATTACK_REFUSED,
	/* The same where not even reports get through: they wait in reports. */
	ATTACK_MUTED,
	/* Besides, a new root of the repository was rightly accepted before the refusal:
	 * trust/REPO/root.json and N.root.json. */
	ATTACK_ROOTED,
	/* A rightly signed time was believed: trust/time.json. */
	ATTACK_TIMED,
	/* What was signed was in order and is kept (trust, documents); its content was not. The
	 * inactive slot may be written, the outcome is remembered (outcome.json, quarantine.json,
	 * dossiers); the slot that runs, the links to it and the counter floor are as they were. */
	ATTACK_FAILED,
	/* The agent was killed in the middle of something: what it goes on with by itself is its
	   own business. */
	ATTACK_CUT,
	/* The function does everything by itself. */
	ATTACK_OWN,
};

struct bed;

struct attack {
	const char *group, *name, *defender;
	enum attack_kind kind;
	enum err_code code;
	void (*run)(struct bed *b);
};

#define X(group, name, ...) void attack_##name(struct bed *b);
ATTACKS(X)
#undef X

/* ---- bed.c ---- */

#define DEVICE    "dev-1"
#define HARDWARE  "edge-x86"
#define TOY_PARTS 2

/* Of every role but root: what the device has, what is offered, and what is offered when the world
 * is well again. */
#define VERSION_FIRST 10
#define VERSION_GOOD  20
#define VERSION_AGAIN 100

/* A release: code (a tar, compressed) and data (a file, the same in each). */
struct toy {
	char id[ID_TEXT_MAX], path[LIMIT_TARGET_NAME];
	struct component part[TOY_PARTS];
	struct buf artifact[TOY_PARTS];
	struct buf document;
	struct buf summary; /* of a gate, or empty */
	struct repo_match match;
};

/* What became of a question. */
struct verdict {
	int exit;
	char kind[16]; /* of the report that says so: "refused", "outcome"; "log" when only the log
			  does */
	enum err_code code;
	char text[512];
};

struct bed {
	const struct attack *attack;
	char dir[256], www[280], home[280]; /* absolute */
	char first_www[280];                /* as it was before any attack */
	int64_t now_s;
	struct trepo image, director;
	struct toy good;                   /* toy-2 */
	struct httpd *server;              /* serves www */
	void (*serve_more)(struct bed *b); /* whenever a server begins; or NULL */
	int64_t clock_s;                   /* what the device's clock says; 0: it is right */
	unsigned cut_at;                   /* the moment at which it is killed, see shim/cut.c */
	bool saved;                        /* www holds what is offered */
	char server_conf[512],
		net_conf[256]; /* more lines for these sections of the agent's configuration */
	const char *url;       /* the agent's server; NULL: `server` */
	void (*meanwhile)(struct bed *b); /* device_run_until: called before the signal */
	struct buf log;                   /* of the agent's last run */
	struct verdict verdict;
};

/* Makes keys, repositories and a device that runs toy-1, in the folder `dir`. */
void bed_make(struct bed *b, const char *dir);
/* A copy of that device and of what is served to it, in the folder `dir`. */
void bed_copy(struct bed *b, const char *dir);
/* What is served becomes what was served before any attack. */
void bed_restore(struct bed *b);
/* Runs a shell's command, which must succeed, in the folder of the test. */
void bed_shell(struct bed *b, const char *command);
/* Removes its folder. */
void bed_discard(struct bed *b);
/* A new server for `www`. */
void bed_serve(struct bed *b);

void toy_make(struct toy *t, unsigned n);
void toy_fini(struct toy *t);
/* Replaces a part by this archive; the document follows. */
void toy_set_code(struct toy *t, const struct parcel_entry *v, enum compression how);
/* The document, from the parts; `change` (NULL: nothing) is a path and a JSON value for
 * patch_write. */
void toy_write(struct toy *t, const char *change, const char *value);

/* Offers it: in the parts of all approvers and of the director, and its files in www. */
void bed_offer(struct bed *b, const struct toy *t);
/* Signs everything as it stands, and puts it into www. */
void bed_publish(struct bed *b);
/* The same, but one file's bytes are changed once it is signed and before anything pins it: the
 * first `from` becomes `to`. */
void bed_publish_edited(
	struct bed *b, struct trepo *r, enum trepo_file f, struct str from, struct str to);
/* Signs a part of the image repository, or of the director's, as it now stands, and all that pins
 * it; the rest stays as it was published. */
void bed_sign_again(struct bed *b, struct trepo *r, enum trepo_file f);
/* Puts it into www as it was signed. */
void bed_save(struct bed *b);
/* Sets a member of a part: "roles.timestamp.threshold", JSON; NULL takes it away. */
void bed_set(struct trepo *r, enum trepo_file f, const char *path, const char *value);
/* The entry of a release in a targets part. */
json_t *bed_entry(struct trepo *r, enum trepo_file f, const struct toy *t);
/* All roles but root get this version. */
void bed_set_versions(struct bed *b, uint64_t version);
/* One file of www: "image/2.root.json". */
void bed_write(struct bed *b, const char *path, struct str bytes);
void bed_remove(struct bed *b, const char *path);
void bed_misbehave(
	struct bed *b, const char *path, enum httpd_manner manner, uint64_t n, const char *body);
/* "artifacts/DIGEST" of a part of a release. */
const char *bed_artifact(const struct toy *t, unsigned part);

/* ---- device.c: the agent ---- */

/* Runs backstay-agent --once to its end; fills b->verdict and b->log. */
void device_ask(struct bed *b);
/* Runs backstay-agent until its log shows `text`, and ends it with this signal; 0: it ends by
 * itself. */
void device_run_until(struct bed *b, const char *text, int sig);
/* Runs backstay-agent --once, which is killed at the nth moment of shim/cut.c. False when it ended
 * before. */
bool device_cut_at(struct bed *b, unsigned nth);
/* The answer of backstay status --json, while the agent runs. The caller's to free. */
json_t *device_status(struct bed *b);
int device_provision(struct bed *b, const char *repo, struct buf *out_text);
/* Does the device run this release, looked at from outside: the link, the bytes behind it? */
bool device_runs(struct bed *b, unsigned n);
void device_must_run(struct bed *b, unsigned n);

/* Ends the test with the agent's log. */
void PRINTF(2, 3) blame(struct bed *b, const char *fmt, ...);

/* ---- judge.c: what changed ---- */

struct before {
	struct buf files;
	struct buf record; /* of the journal, without what may change */
};
void before_fini(struct before *x);
/* Does the journal say that no update is under way? */
bool judge_is_idle(struct bed *b);
void judge_look(struct bed *b, enum attack_kind kind, struct before *out);
void judge_unchanged(struct bed *b, const struct before *before, const struct before *after);

/* ---- the usual course ---- */

/* Spoils, asks, judges by kind and code: in a process of its own, so that *b stays as it is. The
 * verdict comes back. */
void attack_try(
	struct bed *b, void (*spoil)(struct bed *b), enum attack_kind kind, enum err_code code);
/* Does this in a process of its own, for a device of its own, so that *b stays as it is. The
 * verdict comes back. */
void attack_apart(struct bed *b, void (*what)(struct bed *b));
/* The world is well again: the device asks, and runs toy-2. */
void attack_heal(struct bed *b);

#endif
