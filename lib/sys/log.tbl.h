/* What the programs log. One row per event: id, priority (syslog), text. Fields are given at the call. */
#define LOG_TABLE(X)                                                                                    \
	X(START, LOG_INFO, "started")                                                                   \
	X(STOP, LOG_INFO, "stopped")                                                                    \
	X(CONFIG, LOG_ERR, "configuration refused")                                                     \
	X(STATE, LOG_NOTICE, "update moved on")                                                         \
	X(ACTION_FAILED, LOG_WARNING, "an action failed")                                               \
	X(DESIRED, LOG_NOTICE, "a new desired state was verified")                                      \
	X(REFUSED, LOG_WARNING, "a desired state was refused")                                          \
	X(POLL_FAILED, LOG_INFO, "the server could not be asked")                                       \
	X(TRIGGER, LOG_WARNING, "a rollback trigger fired")                                             \
	X(OUTCOME, LOG_NOTICE, "an update ended")                                                       \
	X(SERVICE, LOG_NOTICE, "the workload changed")                                                  \
	X(JOURNAL, LOG_ERR, "the journal could not be used")                                            \
	X(REPORT, LOG_INFO, "a report was sent")                                                        \
	X(HTTP, LOG_DEBUG, "a request was answered")                                                    \
	X(CAMPAIGN, LOG_NOTICE, "a campaign moved on")                                                  \
	X(AUDIT, LOG_NOTICE, "noted for the audit")                                                     \
	X(SIGNED, LOG_INFO, "metadata was signed")                                                      \
	X(SIGN_REFUSED, LOG_WARNING, "a signature was refused")                                         \
	X(STORE, LOG_ERR, "the store failed")                                                           \
	X(IDENTITY, LOG_NOTICE, "the device has a new certificate")                                     \
	X(IDENTITY_FAILED, LOG_WARNING, "the device's certificate could not be made new")              \
	X(BUG, LOG_CRIT, "a contract was broken")
