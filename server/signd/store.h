/* What the process that signs must not forget: versions, counters and last files of each device,
 * the image repository as it was shown, budgets, and where its log stands. SQLite, because every
 * signature changes several of these at once and a table of devices grows. */
#ifndef SERVER_SIGND_STORE_H
#define SERVER_SIGND_STORE_H

#include "server/db/db.h"
#include "server/signd/core/chain.h"
#include "server/signd/core/shown.h"
#include "server/signd/core/rule.h"

/* Opens or makes the file. ERR_BUSY when another process has it. */
int store_open(const char *path, struct db *out, struct err *e) MUST_CHECK;

/* One that nothing was signed for comes back with is_known false. */
int store_device(struct db *db, const char *id, struct sign_device *out, struct err *e) MUST_CHECK;
int store_put_device(
	struct db *db, const char *id, const struct sign_device *d, struct err *e) MUST_CHECK;

/* The last file of a role; ERR_NOT_FOUND. `device` is "" for the image repository, whose files are
 * kept here, too: root, what people signed, snapshot and timestamp; the last checkpoint of the
 * audit log is under a name that no device can have. */
int store_file(struct db *db, const char *device, const char *role, struct signed_file *out,
	struct err *e) MUST_CHECK;
int store_put_file(
	struct db *db, const char *device, const struct signed_file *f, struct err *e) MUST_CHECK;

/* Everything that is kept of the image repository; no root yet: *out is empty. */
int store_image(struct db *db, struct shown *out, struct err *e) MUST_CHECK;
int store_put_image(struct db *db, const struct shown *im, struct err *e) MUST_CHECK;

/* Budgets and the log's end. */
int store_state(
	struct db *db, struct sign_budgets *out, struct chain *out_log, struct err *e) MUST_CHECK;
int store_put_state(struct db *db, const struct sign_budgets *b, const struct chain *log,
	struct err *e) MUST_CHECK;

#endif
