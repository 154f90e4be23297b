/* A server's insides with keys, releases and simulated devices, in the current folder: the engine
 * without HTTP. Time stands still unless the test moves it. Failures inside end the test. */
#ifndef TESTS_LIB_FLEET_H
#define TESTS_LIB_FLEET_H

#include "proto/trust/director.h"
#include "server/repo/campaigns.h"
#include "server/repo/devices.h"
#include "server/repo/recipients.h"
#include "server/run/run.h"
#include "tests/lib/paper.h"
#include "tests/lib/signproc.h"

struct fleet {
	ms_t now;
	struct clock clock;
	struct db store;       /* the file */
	struct db_fault fault; /* between the store and the server */
	struct db db;          /* what the server uses */
	struct signproc signing;
	struct signer *signer;
	struct run_conf conf;
	struct run *run;
};

/* A device as the server sees it. */
struct fleet_device {
	char id[ID_TEXT_MAX];
	uint64_t seq;
	struct rel_id running;
	struct sha256 running_digest;
	const char *state;
	const char *labels;
	char etag[80]; /* of the timestamp.json that it has */
	/* what it was told last, as proto/trust read it */
	struct desired desired;
	struct rel_id target; /* from the path */
};

/* Makes keys (once a folder) and an empty store, imports the repositories. */
void fleet_open(struct fleet *f);
void fleet_close(struct fleet *f);
/* Closes it, and every later fleet_open begins with what it holds now. */
void fleet_keep(struct fleet *f);
/* The server is killed and started again: whatever it had not committed is gone. */
void fleet_restart(struct fleet *f);
void fleet_pass(struct fleet *f, ms_t span); /* and tick */

/* Signs the release "toy/ID.json" for the hardware "edge" by all three roles and publishes it.
 * `back_to` is NULL or a release that it pre-authorises. */
void fleet_release(struct fleet *f, const char *id, uint64_t counter, const char *back_to);
/* Stores the artifact of a signed release, and fills what publish_release takes. */
struct publish_in;
void fleet_publish_in(struct fleet *f, const struct paper *p, struct publish_in *out);

/* Registers with a hello. `running` may be "". */
void fleet_device(struct fleet *f, struct fleet_device *d, const char *id, const char *running);
/* n of them, "lane-0" to "lane-(n-1)". */
void fleet_lanes(struct fleet *f, struct fleet_device *d, unsigned n, const char *running);
/* What the device says; `text` may be NULL. The campaign and target are those of what it was told
 * last. */
int fleet_report(struct fleet *f, struct fleet_device *d, enum report_kind kind, enum err_code code,
	struct err *e);
/* Asks for timestamp.json; when it changed, refreshes and verifies both repositories as a device
 * does. True when it was told something that it does not run. */
bool fleet_poll(struct fleet *f, struct fleet_device *d);
/* Polls, and does what it is told until the outcome: "committed", "reverted", "failed". False when
 * there was nothing to do. */
bool fleet_update(struct fleet *f, struct fleet_device *d, const char *outcome);

/* A draft with `waves` as JSON (other members of a policy may follow) for all devices. */
void fleet_campaign(struct fleet *f, const char *id, const char *release, const char *waves,
	unsigned max_failures);
void fleet_order(struct fleet *f, const char *campaign, enum wave_ev_kind order);

enum wave_phase fleet_phase(struct fleet *f, const char *campaign);
enum recipient_state fleet_state(struct fleet *f, const char *campaign, const char *device);
uint32_t fleet_position(struct fleet *f, const char *campaign, const char *device);
/* Do the events of a campaign, replayed, give the state that is stored, and do the recipients add
 * up to its counts? */
void fleet_check(struct fleet *f, const char *campaign);
/* Everything that is stored, as text. */
void fleet_dump(struct fleet *f, struct buf *out);

#endif
