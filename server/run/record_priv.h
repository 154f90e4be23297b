/* What the files of records share. */
#ifndef SERVER_RUN_RECORD_PRIV_H
#define SERVER_RUN_RECORD_PRIV_H

#include "proto/wire/report.h"
#include "server/repo/events.h"
#include "server/repo/releases.h"
#include "server/run/configuration.h"
#include "server/run/run_priv.h"

#define RECORD_ROWS 100000 /* of one list */

/* Members that are empty, zero or 0 are left out. */
void record_text(json_t *o, const char *key, const char *text);
void record_number(json_t *o, const char *key, int64_t n);
void record_digest(json_t *o, const char *key, const struct sha256 *d);
/* Text that is JSON already; nothing when it is none. */
void record_json(json_t *o, const char *key, struct str text);

/* An audit row with its chain's value; for audit_each and its like, with a list as ctx. */
int record_add_row(void *list, const struct audit_row *a, const struct sha256 *chain,
	struct err *e) MUST_CHECK;

/* One that holds {"n", "at_ms", "source", ..., "digest"} and the members of configuration_encode.
 */
json_t *record_configuration(const struct configuration_row *c);

/* A release as software: what its document says, and its counter. */
json_t *record_software(const struct release_row *row, struct str document);
/* The same by its digest; *out stays NULL when it was not published here. */
int record_software_of(
	struct run *r, const struct sha256 *digest, json_t **out, struct err *e) MUST_CHECK;

/* Who signed it, who approved it, which evidence it has and how its gates were judged. */
int record_vouching(
	struct run *r, const struct release_row *row, json_t *record, struct err *e) MUST_CHECK;

/* What a person or the server has ordered in a campaign, as events have it. */
bool record_is_order(enum wave_ev_kind kind);
json_t *record_order(const struct wave_event *ev);
/* The policy and who made the campaign. */
json_t *record_campaign(const struct campaign_row *c);

/* "requirements": which of what is asked for is there, by record.tbl.h. */
enum record_scope { RECORD_VEHICLE, RECORD_RELEASE };
void record_judge(enum record_scope scope, json_t *record);

#endif
