/* What the parts of a simulated device know of each other. */
#ifndef TESTS_BENCH_FLEET_DEVICE_PARTS_H
#define TESTS_BENCH_FLEET_DEVICE_PARTS_H

#include "proto/wire/report.h"
#include "tests/bench/fleet/device.h"

/* An update, state by state, as agents tell it (agent/core/update.tbl.h). */
enum stage_id {
	IDLE,
	ACCEPTED,
	STAGING,
	SEALED,
	READY,
	SWITCHING,
	STARTING,
	SOAKING,
	COMMITTING,
	COMMITTED,
	REVERTING,
	RESTORING,
	REVERTED,
	FAILED,
	STAGES
};

struct stage {
	const char *name;
	enum stage_id next;
	bool ends;
	enum err_code code; /* of an outcome */
};

/* device.c */
ms_t device_now(void);
/* Around a span: from half of it to one and a half. */
ms_t device_spread(struct device *d, ms_t span);
void device_die(const struct device *d, const struct err *e);
/* Whatever comes next, unless an answer is still waited for. */
void device_go_on(struct device *d);
void device_sleep_until(struct device *d, ms_t mono);
/* Asks for d->call.path, or posts `body`, which is borrowed until `done`. */
void device_call(struct device *d, void (*done)(struct call *), struct str body);
/* True when there is an answer that can be used; otherwise the device tries again later. */
bool device_is_answer(struct device *d, bool may_miss, enum span timed);
void device_wait_out(struct device *d, enum err_retry class_);
struct device *device_of(struct call *c);

/* device_poll.c: what is wanted? */
void device_poll(struct device *d);

/* device_update.c */
const struct stage *device_stage(const struct device *d);
bool device_is_busy(const struct device *d);
/* What the director wants, which may be what runs. */
void device_decide(struct device *d, const struct desired *want);
/* One step of an update that is under way. */
void device_step(struct device *d);

/* device_tell.c */
void device_queue(struct device *d, enum report_kind kind);
void device_send_report(struct device *d);

/* device_measure.c: telemetry, from when the fleet is told to measure. */
void device_measure(struct device *d);
/* Mono; INT64_MAX: never. */
ms_t device_batch_due(const struct device *d);
void device_send_batch(struct device *d);

#endif
