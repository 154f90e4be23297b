/* Devices: who they are, what they said last, and what they shall run. */
#ifndef SERVER_REPO_DEVICES_H
#define SERVER_REPO_DEVICES_H

#include "proto/wire/limits.h"
#include "proto/wire/report.h"
#include "server/db/db.h"

/* What the director tells it; changing it makes the version grow. */
struct desired_row {
	char path[LIMIT_TARGET_NAME]; /* "": stay as you are */
	struct sha256 digest;
	char order[16]; /* desired_order_name */
	struct camp_id campaign;
	uint64_t version; /* of the director's targets.json */
};

struct device_row {
	struct dev_id id;
	char hardware[ID_TEXT_MAX], labels[LIMIT_TEXT], agent[32];
	struct rel_id running;
	struct sha256 running_digest;
	char slot[8], state[16];
	struct rel_id target;
	uint64_t done, total;
	enum err_code code;
	char cause[ID_TEXT_MAX], text[LIMIT_TEXT];
	uint64_t epoch, seq;
	ms_t registered, reported;
	struct desired_row desired;
	bool ordered_back;
	struct camp_id campaign; /* under way, with it as a recipient; or "" */
	uint32_t position;       /* there */
	ms_t contact;            /* read only; 0: never */
};

/* ERR_NOT_FOUND. */
int devices_get(struct db *db, const char *id, struct device_row *out, struct err *e) MUST_CHECK;
/* Adds or replaces. */
int devices_put(struct db *db, const struct device_row *d, struct err *e) MUST_CHECK;

/* In order of id. A non-zero return of `each` ends it and is handed up. */
typedef int devices_each_f(void *ctx, const struct device_row *d, struct err *e);
int devices_each(struct db *db, devices_each_f *each, void *ctx, struct err *e) MUST_CHECK;

/* What a poll needs to know, by one statement. */
struct device_poll {
	uint64_t version;        /* of the desired state */
	struct camp_id campaign; /* under way, or "" */
	uint32_t position;       /* there */
	bool waiting;            /* a recipient there that has not been admitted */
	bool settled;            /* no update is under way on it */
	bool freed;              /* it has left a campaign, and has said nothing since */
	bool may_be_back;        /* ordered back, and it runs what it shall */
	uint64_t signed_version; /* of the newest signed targets.json; 0: none */
	char etag[80];           /* of its timestamp.json, or "" */
	int64_t refresh_s;       /* when its files must be signed again */
};
int devices_poll(struct db *db, const char *id, struct device_poll *out, struct err *e) MUST_CHECK;

/* Is an update under way in this state of the device? A device that has never told one is settled.
 */
bool device_is_settled(const char *state);

int devices_join(struct db *db, const char *id, const char *campaign, uint32_t position,
	struct err *e) MUST_CHECK;
/* Frees every device of a campaign for the next one. */
int devices_leave(struct db *db, const char *campaign, struct err *e) MUST_CHECK;
/* It was seen that this one is free. */
int devices_note_free(struct db *db, const char *id, struct err *e) MUST_CHECK;

/* Progress and last contact: gathered by the caller, written seldom. */
int devices_touch(struct db *db, const char *id, ms_t at, struct err *e) MUST_CHECK;
int devices_progress(
	struct db *db, const char *id, uint64_t done, uint64_t total, struct err *e) MUST_CHECK;
int devices_contact(struct db *db, const char *id, ms_t *out, struct err *e) MUST_CHECK;

int devices_count(struct db *db, uint64_t *out, struct err *e) MUST_CHECK;

/* How many devices have each state, or run each release ("": none). Looks at every device. */
enum devices_by { DEVICES_BY_STATE, DEVICES_BY_RUNNING };
typedef int devices_tally_f(void *ctx, const char *what, uint64_t n, struct err *e);
int devices_tally(struct db *db, enum devices_by by, devices_tally_f *each, void *ctx,
	struct err *e) MUST_CHECK;

#endif
