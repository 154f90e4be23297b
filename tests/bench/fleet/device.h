/* One simulated device: the life of an agent as the server sees it, over real sockets, with a
 * report for each state of an update, and with a file for what must outlive its process. What it
 * does with a release is decided by its name and the seed alone. */
#ifndef TESTS_BENCH_FLEET_DEVICE_H
#define TESTS_BENCH_FLEET_DEVICE_H

#include "lib/prng.h"
#include "lib/sys/fs.h"
#include "tests/bench/fleet/calls.h"
#include "tests/bench/fleet/figures.h"
#include "tests/bench/fleet/reading.h"

struct herd_conf {
	uint16_t port, broker_port; /* broker_port 0: devices only poll */
	bool reconnect;
	bool fetches;                  /* artifacts, too */
	ms_t poll;                     /* between two questions */
	ms_t soak;                     /* of an update, in the mean */
	ms_t batch;                    /* between two batches of telemetry */
	uint32_t revert_ppm, fail_ppm; /* devices that go back by themselves; that give up */
	unsigned verify_each;          /* one device in so many checks every signature */
	uint64_t seed;
	struct rel_id runs; /* what devices run at first */
	struct sha256 runs_digest;
	const char *home; /* folder of the devices' files */
};

/* What the devices of one process share. */
struct herd {
	const struct herd_conf *conf;
	struct figures *figures;
	sd_event *loop;
	struct calls *calls;
	struct roots roots;
	struct fs home;
	struct prng random;
};

#define DEVICE_REPORTS 16 /* that wait */

struct waiting {
	uint64_t seq;
	bool ends; /* an outcome's */
	char *text;
};

struct device {
	struct herd *herd;
	unsigned number;
	struct dev_id id;
	/* what its file holds */
	uint64_t seq, director_seen;
	struct rel_id running, target;
	struct sha256 running_digest, target_digest;
	struct camp_id campaign;
	unsigned stage; /* enum stage_id */
	struct waiting queue[DEVICE_REPORTS];
	unsigned n_queue;
	/* what it does now */
	struct call call;
	sd_event_source *timer;
	struct reading *reading;
	struct buf document;
	unsigned artifact;            /* which one is fetched */
	char etag[80], call_etag[80]; /* of the timestamp that it has; that it is reading */
	bool calls, woken;
	unsigned fails;
	ms_t next_poll, not_before; /* mono */
	ms_t stage_ends;            /* mono */
	/* what it measures: a queue in memory, that begins anew with its process */
	uint64_t epoch, item_seq;
	ms_t next_batch;  /* mono; 0: does not measure */
	struct buf batch; /* until the server has it */
};

/* Reads its file, or begins a new life with a hello. */
void device_begin(struct device *d, struct herd *h, unsigned number);
void device_wake(struct device *d);
/* Polls anew: whether devices flood the server, or measure, has changed. */
void device_mode(struct device *d);

/* device_disk.c */
int device_save(struct device *d, struct err *e) MUST_CHECK;
bool device_load(struct device *d);

#endif
