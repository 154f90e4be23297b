/* What may be asked over D-Bus, at /org/backstay, interface org.backstay.Installer. Members, types and words are those that
 * the field's installers have, so that what was written for them needs another name and nothing else. Each is a verb of the
 * control socket (agent/ctl/ctl.tbl.h).
 *  id, member, types in, types out, who may (a row of BUS_ACTIONS) */
#define BUS_METHODS(X)                                                                             \
	X(INSTALL, "InstallBundle", "sa{sv}", "", INSTALL)                                         \
	X(MARK, "Mark", "ss", "ss", MARK)                                                          \
	X(ROLLBACK, "Rollback", "s", "", MARK)                                                     \
	X(CONSENT, "Consent", "st", "", CONSENT)                                                   \
	X(SLOTS, "GetSlotStatus", "", "a(sa{sv})", NONE)                                           \
	X(PRIMARY, "GetPrimary", "", "s", NONE)

/* What polkit is asked. Root needs nobody's word; without polkit nobody else may.
 *  id, action */
#define BUS_ACTIONS(X)                                                                             \
	X(NONE, "")                                                                                \
	X(INSTALL, "org.backstay.install")                                                         \
	X(MARK, "org.backstay.mark")                                                               \
	X(CONSENT, "org.backstay.consent")

/*  id, property, type */
#define BUS_PROPERTIES(X)                                                                          \
	X(OPERATION, "Operation", "s")                                                             \
	X(LAST_ERROR, "LastError", "s")                                                            \
	X(PROGRESS, "Progress", "(isi)")                                                           \
	X(COMPATIBLE, "Compatible", "s")                                                           \
	X(BOOT_SLOT, "BootSlot", "s")

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
