/* Every state x every event: the handler (cells.c) that answers. Filled whole and on purpose: `stay` says that the event
 * means nothing there. Columns in the order of UPD_EVENTS. */
#define UPD_CELLS(ROW)                                                                              \
	/*             DESIRED    CANCEL      PRECOND     STAGED      SMOKE       WINDOW            \
	 *             SWITCHED   STARTED     CHECKPOINT  TRIGGER     SOAK_OVER   CONFIRMED         \
	 *             BACK       RESTORED    TAIL_DONE   POWER_UP    TICK        RESET  VOUCH */     \
	ROW(IDLE,      accept,    stay,       stay,       stay,       stay,       stay,             \
		       stay,      stay,       stay,       stay,       stay,       stay,             \
		       stay,      stay,       stay,       power_up,   stay,       stay, stay)             \
	ROW(ACCEPTED,  supersede, give_up,    precond,    stay,       stay,       stay,             \
		       stay,      stay,       stay,       stay,       stay,       stay,             \
		       stay,      stay,       stay,       power_up,   again,      stay, stay)             \
	ROW(STAGING,   supersede, give_up,    hold_up,    staged,     stay,       stay,             \
		       stay,      stay,       stay,       stay,       stay,       stay,             \
		       stay,      stay,       stay,       power_up,   retry,      stay, stay)             \
	ROW(SEALED,    supersede, give_up,    stay,       stay,       smoked,     stay,             \
		       stay,      stay,       stay,       stay,       stay,       stay,             \
		       stay,      stay,       stay,       power_up,   retry,      stay, stay)             \
	ROW(READY,     supersede, give_up,    stay,       stay,       stay,       window,           \
		       stay,      stay,       stay,       stay,       stay,       stay,             \
		       stay,      stay,       stay,       power_up,   again,      stay, stay)             \
	ROW(SWITCHING, call_back, call_off,   stay,       stay,       stay,       stay,             \
		       switched,  stay,       stay,       stay,       stay,       stay,             \
		       stay,      stay,       stay,       power_up,   retry,      stay, stay)             \
	ROW(STARTING,  call_back, call_off,   stay,       stay,       stay,       stay,             \
		       stay,      started,    stay,       trigger,    stay,       stay,             \
		       stay,      stay,       stay,       power_up,   stay,       stay, stay)             \
	ROW(SOAKING,   call_back, call_off,   stay,       stay,       stay,       stay,             \
		       stay,      stay,       checkpoint, trigger,    soak_over,  stay,             \
		       stay,      stay,       stay,       power_up,   retry,      stay, vouch)             \
	ROW(COMMITTING, stay,     stay,       stay,       stay,       stay,       stay,             \
		       stay,      stay,       stay,       trigger,    stay,       confirmed,        \
		       stay,      stay,       stay,       power_up,   retry,      stay, stay)             \
	ROW(COMMITTED, stay,      stay,       stay,       stay,       stay,       stay,             \
		       stay,      stay,       stay,       stay,       stay,       stay,             \
		       stay,      stay,       tail_done,  power_up,   retry,      stay, stay)             \
	ROW(REVERTING, stay,      stay,       stay,       stay,       stay,       stay,             \
		       stay,      stay,       stay,       stay,       stay,       stay,             \
		       back,      stay,       stay,       power_up,   retry,      stay, stay)             \
	ROW(RESTORING, stay,      stay,       stay,       stay,       stay,       stay,             \
		       stay,      stay,       stay,       stay,       stay,       stay,             \
		       stay,      restored,   stay,       power_up,   retry,      stay, stay)             \
	ROW(REVERTED,  stay,      stay,       stay,       stay,       stay,       stay,             \
		       stay,      stay,       stay,       stay,       stay,       stay,             \
		       stay,      stay,       tail_done,  power_up,   retry,      stay, stay)             \
	ROW(FAILED,    stay,      stay,       stay,       stay,       stay,       stay,             \
		       stay,      stay,       stay,       stay,       stay,       stay,             \
		       stay,      stay,       tail_done,  power_up,   retry,      stay, stay)             \
	ROW(STUCK,     stay,      stay,       stay,       stay,       stay,       stay,             \
		       stay,      stay,       stay,       stay,       stay,       stay,             \
		       stay,      stay,       stay,       power_up,   stay,       reset, stay)
