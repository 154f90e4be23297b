/* One row per kind of failure. The agent's backoff reads the retry class, the server the HTTP status, the
 * command line the exit status (sysexits.h where one fits), so the three cannot disagree.
 * New rows come last: the agent's record holds a code by its number.
 *  id, name in JSON and logs, retry class, HTTP status, exit status, text */
#define ERR_TABLE(X)                                                                                      \
	X(OK, "ok", NEVER, 200, 0, "success")                                                             \
	X(USAGE, "usage", NEVER, 400, 64, "the command line is wrong")                                    \
	X(CONFIG, "config", NEVER, 500, 78, "the configuration is wrong")                                 \
	X(BAD_INPUT, "bad_input", NEVER, 400, 65, "malformed input")                                      \
	X(TOO_LARGE, "too_large", NEVER, 413, 65, "larger than its bound")                                \
	X(UNSIGNED, "unsigned", NEVER, 403, 65, "not signed by enough of the required keys")              \
	X(EXPIRED, "expired", LATER, 403, 65, "signed, but no longer valid")                              \
	X(ROLLED_BACK, "rolled_back", NEVER, 409, 65, "older than what is already trusted")               \
	X(MIXED, "mixed", NEVER, 409, 65, "signed parts do not belong together")                          \
	X(ALTERED, "altered", NEVER, 409, 65, "bytes differ from their signed length or digest")          \
	X(WRONG_DEVICE, "wrong_device", NEVER, 403, 65, "made for another device or hardware")            \
	X(QUARANTINED, "quarantined", NEVER, 409, 65, "this release has failed here before")              \
	X(DENIED, "denied", NEVER, 403, 77, "not allowed")                                                \
	X(NOT_FOUND, "not_found", NEVER, 404, 66, "no such thing")                                        \
	X(CONFLICT, "conflict", NEVER, 409, 73, "contradicts the present state")                          \
	X(NET, "net", SOON, 502, 75, "the network failed")                                                \
	X(TIMEOUT, "timeout", SOON, 504, 75, "no answer in time")                                         \
	X(BUSY, "busy", SOON, 503, 75, "somebody else holds it")                                          \
	X(NO_SPACE, "no_space", LATER, 507, 73, "not enough room")                                        \
	X(IO, "io", LATER, 500, 74, "storage failed")                                                     \
	X(CANCELLED, "cancelled", NEVER, 409, 75, "cancelled by an authorised order")                     \
	X(SUPERSEDED, "superseded", NEVER, 409, 75, "replaced by a newer desired state")                  \
	X(SMOKE_FAILED, "smoke_failed", NEVER, 409, 70, "a smoke test on the inactive slot failed")       \
	X(START_FAILED, "start_failed", NEVER, 409, 70, "the new version did not start")                  \
	X(FELL_BACK, "fell_back", NEVER, 409, 70, "the system came up in the old slot")                   \
	X(TRIGGERED, "triggered", NEVER, 409, 70, "a rollback trigger fired during the soak")             \
	X(NEED_HAND, "need_hand", OPERATOR, 500, 70, "a person must look at it")                          \
	X(BUG, "bug", NEVER, 500, 70, "a contract was broken")                                             \
	X(UNPROVEN, "unproven", NEVER, 409, 65, "evidence that a gate demands is missing or says no")      \
	X(WORKER, "worker", SOON, 500, 75, "the worker ended, or did not do as it must")                   \
	X(REVOKED, "revoked", NEVER, 403, 77, "taken back by an administrator")                            \
	X(TOO_OFTEN, "too_often", SOON, 429, 75, "asked more often than is allowed")                       \
	X(IMPOSTOR, "impostor", SOON, 502, 76, "the other side cannot prove who it is")                  \
	X(UNMET, "unmet", SOON, 409, 75, "a precondition does not hold just now")                         \
	X(SHADOW_FAILED, "shadow_failed", NEVER, 409, 70, "the challenger was refused beside the champion") \
	X(UNSUPPORTED, "unsupported", NEVER, 409, 69, "this device cannot do what the release asks for")
