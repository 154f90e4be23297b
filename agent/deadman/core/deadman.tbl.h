/* What the agent says to the dead-man, one packet each: a word, and after a blank the seconds where the row has them.
 *  id, word, has it seconds, what it says */
#define DEADMAN_WORDS(X)                                                                                           \
	X(ALIVE, "alive", true, "the agent lives, and speaks again within so many seconds")                        \
	X(DECIDE, "decide", true, "the trial is decided within so many seconds; once said it is never put off")    \
	X(STAND_DOWN, "stand-down", false, "the running version is confirmed: nothing is due any more")

/* What the kernel's command line says to the dead-man, as `backstay.NAME=NUMBER`. Others that begin with backstay. are
 * not its business.
 *  id, name, smallest, largest, default, what it says */
#define DEADMAN_PARAMS(X)                                                                                          \
	X(TRIAL, "trial", 0, 1, 0, "1: this start is a trial, and ends in a restart unless the agent speaks in time") \
	X(DEADLINE, "deadline", 1, 86400, 300, "seconds from the kernel's start to the agent's first message")    \
	X(LOST, "lost", 0, 2592000, 0, "restart a confirmed version too when its agent was silent so long; 0: never") \
	X(WATCHDOG, "watchdog", 0, 3600, 60, "seconds until the hardware watchdog bites; 0: it is left to others")

/* Why the machine is restarted.
 *  id, sentence for the kernel's log */
#define DEADMAN_CAUSES(X)                                                                                          \
	X(NONE, "nothing is overdue")                                                                              \
	X(SILENT, "the agent of the version on trial did not speak in time")                                       \
	X(UNDECIDED, "the version on trial was neither accepted nor taken back in time")                           \
	X(LOST, "the agent was silent for too long")                                                               \
	X(HUNG, "the system was going down and did not get there")
