/* What may be asked over D-Bus, at /org/backstay, interface org.backstay.Installer. Members, types and words are those that
 * the field's installers have, so that what was written for them needs another name and nothing else. Each is a verb of the
 * control socket (agent/ctl/ctl.tbl.h).
 *  id, member, types in, types out, who may (a row of BUS_ACTIONS), what it does */
#define BUS_METHODS(X)                                                                             \
	X(INSTALL, "InstallBundle", "sa{sv}", "", INSTALL,                                         \
		"Installs what `backstay device export` has written into a folder, whose absolute path is given; with an empty " \
		"text the server is asked now. Options are taken and not looked at.")              \
	X(MARK, "Mark", "ss", "ss", MARK,                                                          \
		"`good`, `bad` or `active`, and a slot: its name, `booted` or `other`. Answers the slot's name and a sentence.") \
	X(ROLLBACK, "Rollback", "s", "", MARK,                                                     \
		"Gives up the update that runs, or goes back to what ran before it. The text is a reason for the history.") \
	X(CONSENT, "Consent", "st", "", CONSENT,                                                   \
		"`yes`, `no` or `later`, and for later the milliseconds until it is asked again.") \
	X(SLOTS, "GetSlotStatus", "", "a(sa{sv})", NONE,                                           \
		"For each slot its name and what is known of it: `state`, `status`, `boot-status`, `bundle.version`, `sha256`.") \
	X(PRIMARY, "GetPrimary", "", "s", NONE, "The slot that starts next.")

/* What polkit is asked. Root needs nobody's word; without polkit nobody else may.
 *  id, action */
#define BUS_ACTIONS(X)                                                                             \
	X(NONE, "")                                                                                \
	X(INSTALL, "org.backstay.install")                                                         \
	X(MARK, "org.backstay.mark")                                                               \
	X(CONSENT, "org.backstay.consent")

/*  id, property, type, what it says */
#define BUS_PROPERTIES(X)                                                                          \
	X(OPERATION, "Operation", "s", "`idle` or `installing`.")                                  \
	X(LAST_ERROR, "LastError", "s", "Why the last update or folder did not stay; empty when it did.") \
	X(PROGRESS, "Progress", "(isi)", "Percent, what is being done, and 0.")                    \
	X(COMPATIBLE, "Compatible", "s", "The hardware that releases must be made for.")           \
	X(BOOT_SLOT, "BootSlot", "s", "The slot that runs.")

/* Where an update stands, for a bar that moves: the percent at which a state begins, and how far its own progress carries it.
 *  name of the state, percent, span */
#define BUS_PERCENT(X)                                                                             \
	X("accepted", 0, 0)                                                                        \
	X("staging", 0, 60)                                                                        \
	X("sealed", 60, 0)                                                                         \
	X("ready", 65, 0)                                                                          \
	X("switching", 68, 0)                                                                      \
	X("starting", 69, 0)                                                                       \
	X("soaking", 70, 29)                                                                       \
	X("committing", 99, 0)                                                                     \
	X("committed", 100, 0)                                                                     \
	X("reverting", 99, 0)                                                                      \
	X("restoring", 99, 0)                                                                      \
	X("reverted", 100, 0)                                                                      \
	X("failed", 100, 0)
