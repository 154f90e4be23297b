/* The update machine's rows. The enum, names, journal, `explain`, docs and the model walk are made from them.
 *  id, name, slot that must be able to run if power is cut now, what the device does there */
#define UPD_STATES(X)                                                                                             \
	X(IDLE, "idle", OLD, "waits for a desired state")                                                         \
	X(ACCEPTED, "accepted", OLD, "a verified desired state is remembered; preconditions are looked at")       \
	X(STAGING, "staging", OLD, "the inactive slot is invalid and being written")                              \
	X(SEALED, "sealed", OLD, "the inactive slot was read back and is valid; smoke tests run on it")           \
	X(READY, "ready", OLD, "tested; waits until the switch is allowed and the baseline is known")             \
	X(SWITCHING, "switching", BOTH, "the inactive slot becomes the one that starts next")                     \
	X(STARTING, "starting", BOTH, "the new version is being started")                                         \
	X(SOAKING, "soaking", BOTH, "the new version works and is watched; the old slot is kept")                 \
	X(COMMITTING, "committing", BOTH, "the new slot is being confirmed")                                      \
	X(COMMITTED, "committed", NEW, "the new version is accepted; the tail is being done")                     \
	X(REVERTING, "reverting", OLD, "the old slot becomes active again")                                       \
	X(RESTORING, "restoring", OLD, "the old version is being started again")                                  \
	X(REVERTED, "reverted", OLD, "the old version runs again; the tail is being done")                        \
	X(FAILED, "failed", OLD, "given up before the switch; the tail is being done")                            \
	X(STUCK, "stuck", OLD, "neither version can be brought up; waits for a person")

/*  id, name, what happened */
#define UPD_EVENTS(X)                                                                                             \
	X(DESIRED, "desired", "a verified desired state differs from what runs")                                  \
	X(CANCEL, "cancel", "an authorised order to give up")                                                     \
	X(PRECOND, "precond", "preconditions were looked at; ok: all hold")                                       \
	X(STAGED, "staged", "staging ended; ok: the slot is sealed and valid, else err")                          \
	X(SMOKE, "smoke", "the smoke tests ended; ok: all passed")                                                \
	X(WINDOW, "window", "may the switch happen now? ok: yes")                                                 \
	X(SWITCHED, "switched", "try_next ended; ok: the boot layer names the new slot")                          \
	X(STARTED, "started", "the start ended; ok: the new version runs and is healthy, else err")               \
	X(CHECKPOINT, "checkpoint", "soak time and trigger states to remember")                                   \
	X(TRIGGER, "trigger", "a rollback trigger fired")                                                         \
	X(SOAK_OVER, "soak_over", "the soak time is done and nothing fired")                                      \
	X(CONFIRMED, "confirmed", "confirm ended; ok: the boot layer has confirmed the new slot")                 \
	X(BACK, "back", "go_back ended; ok: the boot layer names the old slot")                                   \
	X(RESTORED, "restored", "the start of the old version ended; ok: it runs")                                \
	X(TAIL_DONE, "tail_done", "floor, quarantine and report queue are durable")                               \
	X(POWER_UP, "power_up", "the agent has started: boot and svc views as seen")                              \
	X(TICK, "tick", "a deadline or a wake-up has come")                                                       \
	X(RESET, "reset", "a person has looked at a stuck device and clears it")

/*  id, name, what the driver does; every one may be repeated without harm */
#define UPD_ACTIONS(X)                                                                                            \
	X(PRECOND, "precond", "look at the preconditions, answer PRECOND")                                        \
	X(STAGE, "stage", "invalidate the slot, stage all components, seal, answer STAGED")                       \
	X(SMOKE, "smoke", "run the smoke tests on the slot, answer SMOKE")                                        \
	X(ASK_WINDOW, "ask_window", "gather the baseline, look whether the switch is allowed, answer WINDOW")     \
	X(TRY_NEXT, "try_next", "make the slot the one that starts next, answer SWITCHED")                        \
	X(APPLY, "apply", "restart or reload the workload into the slot, wait for health, answer STARTED")        \
	X(WATCH, "watch", "feed the triggers, answer CHECKPOINT, TRIGGER or SOAK_OVER")                           \
	X(CONFIRM, "confirm", "confirm the slot in the boot layer, answer CONFIRMED")                             \
	X(GO_BACK, "go_back", "make the old slot the one that starts next, answer BACK")                          \
	X(RESTORE, "restore", "start the old version, wait for health, answer RESTORED")                          \
	X(TAIL, "tail", "raise the floor or quarantine the release, queue the outcome's report, answer TAIL_DONE") \
	X(STOP, "stop", "cancel whatever still works for this update")                                            \
	X(WAKE_AT, "wake_at", "send TICK at the given time")                                                      \
	X(REPORT, "report", "tell the server the new state")
