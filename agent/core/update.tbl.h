/* The update machine's rows. The enum, names, journal, `explain`, docs and the model walk are made from them.
 *  id, name, slot that must be able to run if power is cut now, the action that it stands for, what the device does
 *  there */
#define UPD_STATES(X)                                                                                             \
	X(IDLE, "idle", OLD, NONE, "waits for a desired state")                                                   \
	X(ACCEPTED, "accepted", OLD, PRECOND, "a verified desired state is remembered; preconditions are looked at")\
	X(STAGING, "staging", OLD, STAGE, "the inactive slot is invalid and being written")                       \
	X(SEALED, "sealed", OLD, SMOKE, "the inactive slot was read back and is valid; smoke tests run on it")    \
	X(READY, "ready", OLD, ASK_WINDOW, "tested; waits for baseline, comparison and leave to switch")          \
	X(SWITCHING, "switching", BOTH, TRY_NEXT, "the inactive slot becomes the one that starts next")           \
	X(STARTING, "starting", BOTH, APPLY, "the new version is being started")                                  \
	X(SOAKING, "soaking", BOTH, WATCH, "the new version works and is watched; the old slot is kept")          \
	X(COMMITTING, "committing", BOTH, CONFIRM, "the new slot is being confirmed")                             \
	X(COMMITTED, "committed", NEW, TAIL, "the new version is accepted; the tail is being done")               \
	X(REVERTING, "reverting", OLD, GO_BACK, "the old slot becomes active again")                              \
	X(RESTORING, "restoring", OLD, RESTORE, "the old version is being started again")                         \
	X(REVERTED, "reverted", OLD, TAIL, "the old version runs again; the tail is being done")                  \
	X(FAILED, "failed", OLD, TAIL, "given up before the switch; the tail is being done")                      \
	X(STUCK, "stuck", OLD, NONE, "neither version can be brought up; waits for a person")

/*  id, name, kind, does the driver look at boot and svc right before it sends it, what happened
 *  ORDER: somebody wants something; ANSWER: it carries the txn of the update it is about, and one about another update is
 *  ignored; FACT: neither */
#define UPD_EVENTS(X)                                                                                             \
	X(DESIRED, "desired", ORDER, LOOK, "a verified desired state differs from what runs, or from the goal")   \
	X(CANCEL, "cancel", ORDER, NO_LOOK, "an authorised order to give up")                                     \
	X(PRECOND, "precond", ANSWER, LOOK, "preconditions were looked at; ok: all hold")                         \
	X(STAGED, "staged", ANSWER, NO_LOOK, "staging ended; ok: the slot is sealed and valid, else err")         \
	X(SMOKE, "smoke", ANSWER, NO_LOOK, "the smoke tests ended; ok: all passed, else err")                     \
	X(WINDOW, "window", ANSWER, NO_LOOK, "may the switch happen now? ok: yes")                                \
	X(SWITCHED, "switched", ANSWER, LOOK, "try_next ended; ok: the boot layer names the new slot")            \
	X(STARTED, "started", ANSWER, LOOK, "the start ended; ok: the new version runs and is healthy, else err") \
	X(CHECKPOINT, "checkpoint", ANSWER, NO_LOOK, "soak time and trigger states to remember")                  \
	X(TRIGGER, "trigger", ANSWER, NO_LOOK, "a rollback trigger fired")                                        \
	X(SOAK_OVER, "soak_over", ANSWER, LOOK, "the soak time is done and nothing fired")                        \
	X(CONFIRMED, "confirmed", ANSWER, LOOK, "confirm ended; ok: the boot layer has confirmed the new slot")   \
	X(BACK, "back", ANSWER, LOOK, "go_back ended; ok: the boot layer names the old slot")                     \
	X(RESTORED, "restored", ANSWER, LOOK, "the start of the old version ended; ok: it runs")                  \
	X(TAIL_DONE, "tail_done", ANSWER, NO_LOOK, "the tail ended; ok: quarantine and report are durable")       \
	X(POWER_UP, "power_up", FACT, LOOK, "the agent has started")                                              \
	X(TICK, "tick", FACT, NO_LOOK, "a wake-up has come")                                                      \
	X(RESET, "reset", ORDER, LOOK, "a person has looked at a stuck device and clears it")                     \
	X(VOUCH, "vouch", ANSWER, LOOK, "a person accepts the new version before its soak is over")

/*  id, name, what the driver does; every one may be repeated without harm */
#define UPD_ACTIONS(X)                                                                                            \
	X(PRECOND, "precond", "look at the preconditions, answer PRECOND")                                        \
	X(STAGE, "stage", "unless it holds the goal: invalidate the slot, stage, seal; answer STAGED")            \
	X(SMOKE, "smoke", "run the smoke tests on the slot, answer SMOKE")                                        \
	X(ASK_WINDOW, "ask_window", "compare, gather the baseline, look whether the switch is allowed, answer WINDOW") \
	X(TRY_NEXT, "try_next", "make the slot the one that starts next, answer SWITCHED")                        \
	X(APPLY, "apply", "bring the workload to run from the slot, wait for health, answer STARTED")             \
	X(WATCH, "watch", "feed the triggers, answer CHECKPOINT, TRIGGER or SOAK_OVER")                           \
	X(CONFIRM, "confirm", "confirm the slot in the boot layer, answer CONFIRMED")                             \
	X(GO_BACK, "go_back", "make the old slot the one that starts next, answer BACK")                          \
	X(RESTORE, "restore", "start the old version, wait for health, answer RESTORED")                          \
	X(TAIL, "tail", "quarantine a release that is blamed, queue the outcome's report, answer TAIL_DONE")      \
	X(STOP, "stop", "cancel whatever still works for this update and wait for it; its answer no longer counts") \
	X(WAKE_AT, "wake_at", "send TICK at the given time")                                                      \
	X(REPORT, "report", "tell the server the new state")
