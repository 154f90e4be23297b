/* Typed rollback triggers. One row per type; the release format, the evaluator, `explain`, the manual and the tests are
 * made from it.
 *  id, name in JSON, source of its samples, unit of its value,
 *  default threshold (thousandths of the unit), window ms, hold k of m, min_samples, what it means */
#define TRIGGER_TABLE(X)                                                                                               \
	X(START_FAILED, "start_failed", SVC, NONE, 0, 0, 1, 1, 0,                                                      \
		"the new version was not up within its start timeout")                                                 \
	X(SMOKE_FAILED, "smoke_failed", SMOKE, NONE, 0, 0, 1, 1, 0,                                                    \
		"a smoke test on the sealed, inactive slot failed")                                                    \
	X(CRASH_LOOP, "crash_loop", SVC, COUNT, 3000, 600000, 1, 1, 0,                                                 \
		"the workload ended or was restarted at least this many times within the window")                      \
	X(HEALTH_FAILED, "health_failed", HEALTH, SHARE, 500, 10000, 3, 3, 1,                                          \
		"more than this share of the health checks of a window failed, in k of m windows")                     \
	X(LATENCY, "latency", METRICS, SECONDS, 0, 60000, 3, 5, 1000,                                                  \
		"the quantile of a latency histogram is over its budget in k of m windows")                            \
	X(ERROR_RATE, "error_rate", METRICS, SHARE, 10, 60000, 3, 5, 500,                                              \
		"failed over all requests exceeds the share in k of m windows")                                        \
	X(OPERATOR, "operator", ORDER, NONE, 0, 0, 1, 1, 0,                                                            \
		"an authorised person ordered it: locally, or by a signed order of the fleet")                         \
	X(UNDECIDED, "undecided", SELF, NONE, 0, 0, 1, 1, 0,                                                           \
		"the trial was not decided in time: the agent was lost, or the new version could not be judged")       \
	X(BOOT_FAILED, "boot_failed", SELF, NONE, 0, 0, 1, 1, 0,                                                       \
		"the boot loader gave the new version up: it was started as often as it may, and never accepted")

/*  id, name, what it is compared with */
#define TRIGGER_COMPARATOR_TABLE(X)                                                        \
	X(ABSOLUTE, "absolute", "the threshold itself, in the unit of the type")           \
	X(BASELINE, "baseline", "threshold times the device's own value before the swap")

/*  id, name, what a window without enough samples counts as */
#define TRIGGER_BLIND_TABLE(X)                                                                 \
	X(IGNORE, "ignore", "the window does not count")                                      \
	X(TRIP, "trip", "the window counts as bad: silence is a failure of its own kind")
