/* What people may do. Each row: id, name, what it may call (callers of proto/wire/routes.tbl.h), what that means. Roles are
 * not a ladder: who hands out tokens does not also approve with the same one. */
#define USER_ROLE_TABLE(X)                                                                                         \
	X(VIEWER, "viewer", MAY(VIEWER), "reads everything, changes nothing")                                      \
	X(OPERATOR, "operator", MAY(VIEWER) | MAY(OPERATOR), "publishes releases, makes and orders campaigns")     \
	X(APPROVER, "approver", MAY(VIEWER) | MAY(APPROVER), "approves what operators have prepared")              \
	X(ADMIN, "admin", MAY(VIEWER) | MAY(OPERATOR) | MAY(ADMIN), "does all that operators do, and manages users and devices")
