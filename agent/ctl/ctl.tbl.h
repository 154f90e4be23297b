/* What the local control socket understands. One JSON object a line in, one out.
 *  id, name, needs the agent's own user or root, what it does */
#define CTL_TABLE(X)                                                                                \
	X(STATUS, "status", false, "state, slots, running release, progress")                       \
	X(EXPLAIN, "explain", false, "what it waits for, watches with values and limits, and saw")  \
	X(HISTORY, "history", false, "the last lines of the history; {\"n\": 20}")                  \
	X(CHECK, "check", true, "ask the server now")                                               \
	X(FROM, "from", true, "install what was carried here in a folder; {\"dir\": ...}")            \
	X(ROLLBACK, "rollback", true, "give up the running update and go back; {\"reason\": ...}")  \
	X(CLEAR, "clear", true, "take a release out of quarantine; {\"release\": ...}")             \
	X(RESET, "reset", true, "clear a stuck update after a person has looked; {\"reason\": ...}") \
	X(MARK_GOOD, "mark-good", true, "accept the version that is watched, before its soak is over; {\"reason\": ...}") \
	X(MARK_BAD, "mark-bad", true, "take the running version back, or make the other slot invalid; {\"slot\": ..., \"reason\": ...}") \
	X(MARK_ACTIVE, "mark-active", true, "switch to a slot that is valid; {\"slot\": ..., \"reason\": ...}") \
	X(CONSENT, "consent", true, "answer whether the update may go on; {\"answer\": \"yes\"|\"no\"|\"later\", \"span_ms\": ..., \"who\": ...}") \
	X(BOOT, "boot", false, "what starts next, and what the boot loader decides by")
