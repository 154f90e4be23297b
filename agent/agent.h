/* The agent's driver. One loop: event -> upd_step -> journal -> actions; each finished action is a
 * new event. There is no other place that changes the state, and no work that is only remembered by
 * a stack: after a power cut the record says what to do. See DESIGN.md. */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "agent/agent_conf.h"
#include "agent/boot/boot.h"
#include "agent/core/promise.h"
#include "agent/ctl/ctl.h"
#include "agent/health/health.h"
#include "agent/jobs.h"
#include "agent/net/desired.h"
#include "agent/precond/precond.h"
#include "agent/push/push.h"
#include "agent/shadow/shadow.h"
#include "agent/slot/slot.h"
#include "agent/stage/stage.h"
#include "agent/tele/measure.h"
#include "agent/worker/worker.h"
#include "proto/wire/lease.h"
#include "proto/wire/telemetry.h"
#include "lib/sys/clock.h"

/* Everything the driver touches. The program fills it with the machine (world.h); the power-cut
 * test with a simulated disk, a simulated workload and a clock that it turns itself. */
struct agent_world {
	struct fs *fs;      /* home */
	struct fs *devices; /* where the paths of raw slots begin; NULL: there are none */
	struct fs *boot_fs; /* the boot loader's files; NULL: where the configuration says */
	unsigned booted;    /* the slot that the machine was started from, or SLOT_NONE */
	bool crashed;       /* the start before has left a record of a crash */
	struct clock clock;
	uint64_t boot_id; /* of this start of the machine */
	enum jobs_kind executor;
	unsigned slot_threads; /* that may work at once inside the slot driver; 0: one */
	int64_t built_s;       /* when the agent was built, seconds since 1970; 0: not known */
	void *self;            /* given to the functions below */

	/* Called in the loop's thread. */
	uint64_t (*random)(void *self);
	/* Call agent_run at that time; a new wish replaces the one before. */
	void (*wake)(void *self, ms_t mono);
	/* Has somebody set the wall clock since the machine started? NULL: nobody knows. */
	bool (*clock_is_set)(void *self);
	/* One line about what goes on, for the service manager. */
	void (*tell)(void *self, const char *line);
	/* Tells who holds the agent to it what it promises about this update. NULL: nobody does. */
	void (*promise)(void *self, const struct promise *p, const struct txn_id *txn);
	/* The process that talks to the network; NULL: there is none besides this one. */
	void (*worker)(void *self, struct worker_view *out);
	/* Who wakes the agent; false, or NULL: nobody does. */
	bool (*push)(void *self, struct push_view *out);

	/* Passes a message to a broker, if there is one; whether it arrived says an ack. False:
	 * there is another way only. NULL: there is never one. */
	bool (*post)(void *self, enum push_topic topic, struct str bytes);
	/* The next ack that came, false: there is none. NULL with post. */
	bool (*next_ack)(void *self, struct telemetry_ack *out);

	/* From now on, a fetch of what is carried asks this folder, and artifacts are looked for
	 * there first. NULL: not here. */
	int (*carry)(void *self, const char *dir, struct err *) MUST_CHECK;

	/* Called in job threads, LANE_NET. Where to ask is the world's to add. */
	int (*fetch)(void *self, const struct desired_in *in, struct desired_out *out,
		struct err *) MUST_CHECK;
	int (*send)(void *self, const atomic_bool *cancel, unsigned *out_left,
		ms_t *out_retry_after, struct err *) MUST_CHECK;

	/* LANE_NET. A disruption lease; NULL: there is nobody to ask. */
	int (*lease)(void *self, const struct lease_ask *ask, const atomic_bool *cancel,
		struct lease_answer *out, struct err *) MUST_CHECK;

	/* LANE_SLOT. `room` lives as long as the source is used. */
	struct stage_source (*source)(
		void *self, struct stage_http *room, const atomic_bool *cancel);
	int (*smoke)(void *self, unsigned slot, const struct release *r, const atomic_bool *cancel,
		struct buf *out_log, struct err *) MUST_CHECK;

	/* LANE_SLOT. Runs what lies in the slot beside the workload until there is a verdict; see
	 * shadow_run. NULL: no second workload can be run here. */
	int (*shadow)(void *self, const struct shadow_ask *ask, struct buf *out_log,
		struct err *) MUST_CHECK;

	/* LANE_SLOT. One round of the machine's own checks; NULL: it has none. */
	int (*health)(void *self, unsigned slot, const char *release, const atomic_bool *cancel,
		struct health_round *out, struct err *) MUST_CHECK;

	/* LANE_SVC. `start` with SLOT_NONE ends the workload. */
	int (*start)(void *self, unsigned slot, enum activation how, ms_t timeout,
		const atomic_bool *cancel, struct err *) MUST_CHECK;
	int (*look)(void *self, struct svc_view *out, struct err *) MUST_CHECK;
	int (*log_tail)(void *self, size_t max, struct buf *out, struct err *) MUST_CHECK;

	/* LANE_SVC, LANE_SLOT. What preconditions of the types in `want` are judged by; NULL:
	 * nothing can be seen. */
	void (*facts)(void *self, unsigned want, struct precond_facts *out);

	/* LANE_METER. What machine and workload look like just now; NULL: nothing can be seen. */
	void (*measure)(void *self, struct measure *out);
	/* LANE_NET. Tells the server; NULL: there is none. */
	int (*send_telemetry)(void *self, struct str batch, const atomic_bool *cancel,
		struct telemetry_ack *out, ms_t *out_retry_after, struct err *) MUST_CHECK;

	/* A probe remembers its last look; looks happen in LANE_SVC, the rest in the loop's. */
	int (*probe_open)(void *self, const struct trig_rule *rules, unsigned n, void **out_probe,
		struct err *) MUST_CHECK;
	void (*probe_look)(void *probe, ms_t now, struct sample out[LIMIT_TRIGGERS]);
	void (*probe_close)(void *probe);
};

struct agent; /* opaque */

/* Loads the journal and the quarantine and asks for the first look at the machine; what was under
 * way goes on when that look is there. `conf` and what `w` points to must outlive it. ERR_IO,
 * ERR_BAD_INPUT when the journal is there and cannot be used. */
int agent_open(const struct agent_conf *conf, const struct agent_world *w, struct agent **out,
	struct err *e) MUST_CHECK;
/* Cancels all jobs and waits for them. Nothing is lost: the journal has it. */
void agent_close(struct agent **a);

/* Readable when agent_run has something to do; -1 with the inline executor. */
int agent_fd(const struct agent *a);

/* Collects what jobs have ended, does what is due, steps until nothing is left to do now, and asks
 * `wake` for the next time. Call it when agent_fd is readable and when `wake` said. */
void agent_run(struct agent *a);

/* Somebody says that the server has news: it is asked soon, at most once a second for that. Call
 * agent_run after it. */
void agent_nudge(struct agent *a);

/* Answers the control socket (a ctl_answer_f; ctx is the agent). */
int agent_answer(void *ctx, enum ctl_cmd cmd, const json_t *request, json_t **out_answer,
	struct err *e) MUST_CHECK;

/* Asks a folder once, as soon as possible, and carries out what comes of it: the same checks, the
 * same staging. agent_trouble tells how it ended. ERR_BUSY while another is read, ERR_NOT_FOUND. */
int agent_carry(struct agent *a, const char *dir, struct err *e) MUST_CHECK;

/* This agent is not the device's own, which was lost or does not decide: as soon as it has looked
 * at the machine, an update on trial is taken back, with this as the reason. To be called before
 * agent_run. */
void agent_rescue(struct agent *a, const char *why);

/* Is there nothing left to do: the server was asked since agent_open and said nothing new or could
 * not be reached, no update runs, and no report waits that could be sent? */
bool agent_is_settled(const struct agent *a);
/* What stands in the way of being up to date: the server's last failure or refusal (the folder's,
 * when one was carried here), or an update that is stuck (ERR_NEED_HAND). 0 when nothing does. */
int agent_trouble(const struct agent *a, struct err *e) MUST_CHECK;

enum upd_state agent_state(const struct agent *a);

#endif
