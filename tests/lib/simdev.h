/* A device in a glass: the agent's whole driver with real slots, boot links, journal, quarantine
 * and reports on any struct fs. The server, the workload and time are simulated. Everything is
 * decided by the seed. The four laws are watched at every operation that changes a name, and when
 * the device comes to rest; the first that is broken stays in `violation`. */
#ifndef TESTS_LIB_SIMDEV_H
#define TESTS_LIB_SIMDEV_H

#include "agent/agent.h"
#include "lib/prng.h"
#include "proto/wire/report.h"
#include "tests/lib/guardfs.h"

/* ---- the vendor ---- */

#define SIM_RELEASES 15

enum sim_fault {
	SIM_GOOD,
	SIM_SLOW, /* it needs most of its start timeout to come up */
	SIM_NO_START,
	SIM_FAILS_SMOKE,
	SIM_ERRS,
	SIM_DISAGREES, /* with the old one, beside which it runs first */
	SIM_NO_BOOT    /* the machine does not come up with it, by a boot loader */
};

struct sim_release {
	struct rel_id id;
	uint64_t counter;
	enum sim_fault fault;
	struct buf image; /* of a release for raw slots */
	struct buf document;
	struct sha256 digest; /* of the document */
};

struct sim_vendor {
	unsigned n;
	struct sim_release rel[SIM_RELEASES];
	struct fs shelf; /* artifacts, named by digest, in the folder "shelf" */
};

void sim_vendor_init(struct sim_vendor *v);
void sim_vendor_fini(struct sim_vendor *v);
/* Components: a model that is new in every release, a configuration that never changes. Ten seconds
 * of soak, watched for an error rate and a crash loop. */
struct sim_release *sim_vendor_make(
	struct sim_vendor *v, const char *id, uint64_t counter, enum sim_fault fault);

/* The same, to be compared with the old one before the switch. */
struct sim_release *sim_vendor_make_shadow(
	struct sim_vendor *v, const char *id, uint64_t counter, enum sim_fault fault);

/* The same; it must keep the connection: three seconds without are too many. */
struct sim_release *sim_vendor_make_online(
	struct sim_vendor *v, const char *id, uint64_t counter, enum sim_fault fault);

/* The same; nine of ten of its scores were low in training, and half of them are here. */
struct sim_release *sim_vendor_make_trained(
	struct sim_vendor *v, const char *id, uint64_t counter, enum sim_fault fault);

/* The same for raw slots: one image, of a few sectors. */
struct sim_release *sim_vendor_make_image(
	struct sim_vendor *v, const char *id, uint64_t counter, enum sim_fault fault);

/* ---- the server ---- */

#define SIM_REPORTS 256

struct sim_server {
	bool down;
	const struct sim_release *want; /* NULL: stay as you are */
	bool rollback;
	uint64_t version;  /* of the director's targets */
	struct err refuse; /* not OK: the fetch fails with it */
	bool turns_away;   /* and it is the server's own answer */
	unsigned n_reports;
	struct {
		uint64_t seq, hash;
		enum report_kind kind;
		enum err_code code;
		char txn[TXN_TEXT], target[ID_TEXT_MAX], state[16];
		bool dossier;
	} report[SIM_REPORTS];
	struct report switched; /* the newest of its kind */
};

/* ---- the device ---- */

struct simdev {
	struct fs *disk; /* below the guard */
	struct guardfs guard;
	struct agent_conf conf;
	struct sim_vendor *vendor;
	struct sim_server server;
	struct agent *agent;
	struct prng random;
	uint64_t boot_id;
	ms_t now, booted;           /* wall clock, and when the machine was started */
	ms_t skew;                  /* of the wall clock that the agent sees */
	ms_t wake;                  /* mono */
	struct precond_facts facts; /* what preconditions see */
	unsigned looks;             /* for them, so far */
	struct lease_answer lease;  /* what the server says to a question for one */
	unsigned leases;            /* asked for so far */
	struct {
		bool alive, down;
		unsigned slot;
		uint32_t ended;
		ms_t ready;                /* it runs from then on; 0: it is not being started */
		uint64_t requests, errors; /* since the machine's start */
	} work;
	struct {
		bool has;               /* checks of its own, before its agent starts */
		unsigned rounds, fails; /* so many rounds to come fail */
		bool wanted_fails;
	} checks;
	struct {
		bool cannot;    /* run two, before its agent starts */
		unsigned fails; /* so many comparisons to come cannot be made */
		unsigned runs;
	} shadow;
	bool commit_seen;       /* the record has said COMMITTED in this life */
	char told[128];         /* what the service manager was told last */
	struct promise promise; /* that was made last */
	unsigned promises;      /* so far */
	/* Telemetry, if the configuration has it: what is measured, and who is told. */
	void (*measure)(void *self, struct measure *out);
	int (*send_telemetry)(void *self, struct str batch, const atomic_bool *cancel,
		struct telemetry_ack *out, ms_t *out_retry_after, struct err *e);
	bool (*post)(void *self, enum push_topic topic, struct str bytes);
	bool (*next_ack)(void *self, struct telemetry_ack *out);
	void *ctx;     /* of whoever set them */
	bool loader;   /* the machine is started from a slot, by a boot loader (loader.h) */
	unsigned from; /* then: from which */
	bool restarts; /* somebody has asked for a restart of the machine */
	char violation[256];
};

void simdev_init(struct simdev *d, struct fs *disk, struct sim_vendor *v, uint64_t seed);
/* From now on its slots are two devices, which are made. Before the first agent. */
void simdev_use_raw(struct simdev *d);
/* From now on the machine is started from its slots, by GRUB. What `current` named runs. */
void simdev_use_loader(struct simdev *d);
/* *d is a copy of a device without an agent: it goes on with another disk. */
void simdev_adopt(struct simdev *d, struct fs *disk);
void simdev_fini(struct simdev *d);

/* The machine starts: the service manager starts what `current` names. */
void simdev_power_up(struct simdev *d);
/* The agent starts (again). A failure leaves none; it is not a violation. */
int simdev_start_agent(struct simdev *d, struct err *e);
/* The agent is gone, as by SIGKILL. */
void simdev_stop_agent(struct simdev *d);

/* Orders `r` under the next director version. */
void simdev_want(struct simdev *d, const struct sim_release *r, bool rollback);

/* Runs until `until` says so, or the device has settled, or `lost` (may be NULL) says that the disk
 * is gone. A device that has not come to rest after an hour of its time is a violation. */
void simdev_run(
	struct simdev *d, bool (*until)(const struct simdev *), bool (*lost)(void *ctx), void *ctx);

/* What stands, seen without the agent. */
unsigned simdev_active(struct simdev *d);
unsigned simdev_confirmed(struct simdev *d);
/* The release whose whole content lies in the slot, by reading every file; NULL: none. */
const struct sim_release *simdev_content(struct simdev *d, unsigned slot);
/* A slot that is marked valid holds what its mark names. Opens the slots, which may make their
 * folders. */
void simdev_check_marks(struct simdev *d);
/* The laws at rest: active is confirmed, valid and whole, and runs. */
void simdev_check_rest(struct simdev *d);
void PRINTF(2, 3) simdev_blame(struct simdev *d, const char *fmt, ...);

#endif
