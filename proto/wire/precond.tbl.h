/* Typed preconditions: what must hold before an update may go on. One row per type; the release format, the configuration,
 * the evaluator, `explain`, the manual and the tests are made from it.
 *  id, name in JSON and configuration, which numbers it has, before which phases if nothing is said, before which it may be
 *  asked, what it counts as when it cannot be seen, does it hold up an ordered rollback, least and greatest number,
 *  what it means */
#define PRECOND_TABLE(X)                                                                                           \
	X(POWER, "power", POWER, PRECOND_INSTALL | PRECOND_SWAP, PRECOND_ALL, BLOCK, true, 1, 100,                 \
		"on mains, or with at least so much in the battery; with `mains`, on mains in any case")           \
	X(PARKED, "parked", PLAIN, PRECOND_SWAP, PRECOND_ALL, BLOCK, true, 0, 0,                                   \
		"the machine is parked, as the configured source says")                                            \
	X(IGNITION, "ignition", PLAIN, PRECOND_SWAP, PRECOND_ALL, BLOCK, true, 0, 0,                               \
		"the ignition is off, as the configured source says")                                              \
	X(WINDOW, "window", WINDOW, PRECOND_SWAP, PRECOND_ALL, BLOCK, false, 0, 0,                                 \
		"it is within one of these local times of the week")                                               \
	X(METERED, "metered", PLAIN, PRECOND_DOWNLOAD, PRECOND_ALL, PASS, false, 0, 0,                             \
		"the way to the network is not paid for by volume, as the configured source says")                 \
	X(TEMPERATURE, "temperature", AT_MOST, PRECOND_INSTALL | PRECOND_SWAP, PRECOND_ALL, PASS, true, 1, 150,    \
		"the hottest zone, or the named one, has at most so many degrees Celsius")                         \
	X(LOAD, "load", AT_MOST, PRECOND_SWAP, PRECOND_ALL, PASS, true, 1, 10000,                                  \
		"at most so many percent: load average of a minute for each processor, or pressure on the processors") \
	X(FREE_SPACE, "free_space", AT_LEAST, PRECOND_DOWNLOAD, PRECOND_ALL, PASS, false, 1, LIMIT_ARTIFACT_BYTES, \
		"at least so many bytes can be written in the agent's home")                                       \
	X(CONSENT, "consent", PLAIN, PRECOND_SWAP, PRECOND_ALL, BLOCK, false, 0, 0,                                \
		"a person at the device has agreed to this very release")                                          \
	X(LEASE, "lease", PLAIN, PRECOND_SWAP, PRECOND_SWAP, BLOCK, false, 0, 0,                                   \
		"the server lets this device be disrupted now, so that never too many of a group are at once")

/*  id, name, when it is looked at */
#define PRECOND_PHASE_TABLE(X)                                                                       \
	X(DOWNLOAD, "download", "before bytes cross the network, and again and again while they do") \
	X(INSTALL, "install", "before the inactive slot is written, and again and again while it is") \
	X(SWAP, "swap", "right before the new version becomes active")

/*  id, name, what it means when a precondition cannot be seen */
#define PRECOND_UNKNOWN_TABLE(X)                                    \
	X(BLOCK, "block", "it counts as not met: the update waits") \
	X(PASS, "pass", "it counts as met: the update goes on")
