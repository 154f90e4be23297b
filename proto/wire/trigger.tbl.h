/* Typed rollback triggers. One row per type; the release format, the evaluator, `explain`, the manual and the tests are
 * made from it. What a type measures, and its numbers, are rows of trigger_table.c. New types go to the end: records
 * hold their numbers.
 *  id, name in JSON, what it means */
#define TRIGGER_TABLE(X)                                                                                               \
	X(START_FAILED, "start_failed",                                                                                \
		"the new version was not up within its start timeout")                                                 \
	X(SMOKE_FAILED, "smoke_failed",                                                                                \
		"a smoke test on the sealed, inactive slot failed")                                                    \
	X(CRASH_LOOP, "crash_loop",                                                                                    \
		"the workload ended or was restarted at least this many times within the window")                      \
	X(HEALTH_FAILED, "health_failed",                                                                              \
		"more than this share of the health checks of a window failed, in k of m windows")                     \
	X(LATENCY, "latency",                                                                                          \
		"the quantile of a latency histogram is over its budget in k of m windows")                            \
	X(ERROR_RATE, "error_rate",                                                                                    \
		"failed over all requests exceeds the share in k of m windows")                                        \
	X(OPERATOR, "operator",                                                                                        \
		"an authorised person ordered it at the device")                                                       \
	X(UNDECIDED, "undecided",                                                                                      \
		"the trial was not decided in time: the agent was lost, or the new version could not be judged")       \
	X(BOOT_FAILED, "boot_failed",                                                                                  \
		"the boot loader gave the new version up: it was started as often as it may, and never accepted")      \
	X(QUALITY, "quality",                                                                                          \
		"what the workload decides is no longer what was decided before: rejects, overrides, disagreement")    \
	X(DRIFT, "drift",                                                                                              \
		"the distribution of a score has moved away from its reference")                                       \
	X(RESOURCE, "resource",                                                                                        \
		"memory, disk or processors are used beyond a limit, sustained")                                       \
	X(THERMAL, "thermal",                                                                                          \
		"the machine is throttled, or hotter than it may be")                                                  \
	X(CONNECTIVITY, "connectivity",                                                                                \
		"the device has not reached its server since the switch")                                              \
	X(FLEET, "fleet",                                                                                              \
		"a signed order of the fleet names the old release while the new one is on trial")

/*  id, name, what it is compared with */
#define TRIGGER_COMPARATOR_TABLE(X)                                                                \
	X(ABSOLUTE, "absolute", "the threshold itself, in the unit of the measure")                \
	X(BASELINE, "baseline", "the device's own value before the swap")                          \
	X(CHAMPION, "champion",                                                                    \
		"the value of the old version that runs beside it, in the same window; in a "      \
		"soak none does, so no release is packed or signed with it")                       \
	X(TRAINING, "training",                                                                    \
		"the counts that the release brings; raises an alarm, never a rollback")

/*  id, name, what a window without enough samples counts as */
#define TRIGGER_BLIND_TABLE(X)                                                                     \
	X(IGNORE, "ignore", "the window does not count")                                           \
	X(TRIP, "trip", "the window counts as bad: silence is a failure of its own kind")          \
	X(WAIT, "wait",                                                                            \
		"the window does not count, and nothing is accepted until there is one that does")

/*  id, name in explain, what follows a value, digits behind its point */
#define TRIGGER_UNIT_TABLE(X)                                                                      \
	X(NONE, "event", "", 0)                                                                    \
	X(COUNT, "times", "", 0)                                                                   \
	X(SHARE, "share", " %", 2)                                                                 \
	X(SECONDS, "seconds", " s", 3)                                                             \
	X(MEBIBYTES, "MiB", " MiB", 1)                                                             \
	X(CELSIUS, "degrees Celsius", " C", 1)                                                     \
	X(KELVIN, "degrees", " K", 1)                                                              \
	X(SCORE, "score", "", 3)

/*  id, name in JSON, what the distance of two distributions is */
#define TRIGGER_DISTANCE_TABLE(X)                                                                  \
	X(PSI, "psi", "population stability index: sum of (q - p) ln(q / p)")                      \
	X(JS, "js", "Jensen-Shannon distance, the root of the divergence in bits, from 0 to 1")
