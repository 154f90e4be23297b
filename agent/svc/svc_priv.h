/* The drivers, and what they share. */
#ifndef AGENT_SVC_SVC_PRIV_H
#define AGENT_SVC_SVC_PRIV_H

#include <systemd/sd-bus.h>

#include "agent/svc/svc.h"
#include "lib/sys/fs.h"
#include "lib/sys/proc.h"

extern const struct svc_driver svc_systemd, svc_exec, svc_http_reload, svc_reboot, svc_none;

#define SVC_PATH_MAX 512

/* ---- the message bus (svc_bus.c) ---- */

/* A connection for each call: nothing to hold open while there is nothing to do, and nothing to
 * mend when the bus was restarted. */
int svc_bus_open(sd_bus **out, struct err *e) MUST_CHECK;
void svc_bus_close(sd_bus **bus);
/* An answer "no" of whoever was called, or of the bus, as one of our errors; frees *bus_error. */
int svc_bus_refused(const char *what, int rc, sd_bus_error *bus_error, struct err *e) MUST_CHECK;

/* ---- units of the service manager (svc_unit.c) ---- */

struct svc_unit_view {
	bool active, failed;
	uint32_t pid, restarts;
};

/* A call of the manager that makes a job: VERB(unit, "replace", what `fill` adds). */
struct svc_unit_call {
	const char *verb, *unit;
	int (*fill)(sd_bus_message *, void *ctx); /* negative errno; NULL: adds nothing */
	void *ctx;
};

/* Returns when the job is done; ERR_START_FAILED when it did not succeed, ERR_TIMEOUT. */
int svc_unit_call(const struct svc_unit_call *c, ms_t timeout, struct err *e) MUST_CHECK;
int svc_unit_order(const char *verb, const char *unit, ms_t timeout, struct err *e) MUST_CHECK;
/* Is it active? Asked of a unit of any kind; svc_unit_look is for services. */
int svc_unit_is_there(const char *unit, bool *out, struct err *e) MUST_CHECK;
/* A unit that the manager does not know is not active. */
int svc_unit_look(const char *unit, struct svc_unit_view *out, struct err *e) MUST_CHECK;

/* ---- where slots lie (svc_place.c) ---- */

/* HOME/slots/X without symbolic links; ERR_NOT_FOUND. */
int svc_place_of_slot(
	const struct svc_conf *c, unsigned slot, char out[SVC_PATH_MAX], struct err *e) MUST_CHECK;
/* The slot that a folder is (by device and inode, whatever it is called), or SLOT_NONE. */
unsigned svc_place_slot(const struct svc_conf *c, const char *dir);
/* The slot that HOME/current names, or SLOT_NONE. */
unsigned svc_place_current(const struct svc_conf *c);

/* ---- who runs (svc_record.c): RUN_DIR/workload.json ---- */

struct svc_record {
	struct proc_id id; /* pid 0: nobody */
	unsigned slot;     /* it serves from, or SLOT_NONE */
	uint32_t ended;
	uint32_t restarts; /* systemd: NRestarts when it was last seen */
	bool failed;       /* systemd: the unit was, when it was last seen */
	bool down;         /* exec: nobody is meant to run: stopped, or between stop and start */
};

/* A missing file is an empty record. A process of an earlier boot is nobody, but still counted. */
int svc_record_load(struct fs *run, struct svc_record *out, struct err *e) MUST_CHECK;
int svc_record_save(struct fs *run, const struct svc_record *r, struct err *e) MUST_CHECK;

/* ---- its log (svc_log.c) ---- */

/* When the log at `path` (appended to by whoever has it open) is longer than `max`: keeps it as
 * PATH.1 and begins anew. */
int svc_log_trim(const char *path, uint64_t max, struct err *e) MUST_CHECK;
/* Appends the last `max` bytes of PATH.1 and PATH, read as one, from the beginning of a line. */
int svc_log_tail_of(const char *path, size_t max, struct buf *out, struct err *e) MUST_CHECK;
/* The last `max` bytes of a text, from the beginning of a line where there is one. */
void svc_log_add_end(const struct buf *text, size_t max, struct buf *out);

/* The same out of the journal of a unit (svc_journal.c). */
int svc_journal_tail_of(const char *unit, size_t max, struct buf *out, struct err *e) MUST_CHECK;

#endif
