/* What hooks are told of, and what kinds of hooks there are. Names never change: receivers choose
 * by them.
 *
 * Events: id, name, how grave it is, what has happened. */
#define HOOK_EVENT_TABLE(X)                                                                        \
	X(CAMPAIGN_STARTED, "campaign.started", INFO,                                              \
		"a campaign has begun, and its recipients are frozen")                             \
	X(CAMPAIGN_WAVE, "campaign.wave", INFO, "a campaign has entered another wave or phase")    \
	X(CAMPAIGN_APPROVAL, "campaign.approval_wanted", WARNING,                                  \
		"a campaign is on hold: a person must let the next wave open")                     \
	X(CAMPAIGN_ABORTED, "campaign.aborted", CRITICAL,                                          \
		"a guardrail was crossed or the judge has found harm: the campaign gives up")      \
	X(CAMPAIGN_ROLLBACK, "campaign.rollback", WARNING,                                         \
		"a person has ordered back all devices of a campaign")                             \
	X(CAMPAIGN_HALTED, "campaign.halted", CRITICAL,                                            \
		"a campaign has stopped for good, and a person must look")                         \
	X(CAMPAIGN_DONE, "campaign.done", INFO, "every recipient of a campaign has ended")         \
	X(CAMPAIGN_PAUSED, "campaign.paused", INFO, "a person has stopped admissions")             \
	X(CAMPAIGN_RESUMED, "campaign.resumed", INFO, "admissions go on after a pause")            \
	X(CAMPAIGN_GLASS, "campaign.break_glass", WARNING,                                         \
		"a person lets devices be admitted in spite of a freeze")                          \
	X(CHANNEL_FROZEN, "channel.frozen", CRITICAL,                                              \
		"a channel takes no campaign any more until a person has looked")                  \
	X(DEVICE_REVERTED, "device.reverted", WARNING, "a device went back by itself")             \
	X(DEVICE_FAILED, "device.failed", WARNING, "a device gave an update up before the switch") \
	X(DEVICE_STUCK, "device.stuck", CRITICAL,                                                  \
		"a device cannot go on or back: a person must go there")                           \
	X(DEVICE_SILENT, "device.silent", WARNING,                                                 \
		"a device was told something and has not been heard of since")                     \
	X(DEVICE_REFUSED, "device.refused", CRITICAL,                                              \
		"a device did not believe what it was given, or may not run it")                   \
	X(DEVICE_CONDITION, "device.condition", WARNING,                                           \
		"something else of a device failed, or is well again")                             \
	X(DEVICE_CERTIFICATE, "device.certificate_ending", WARNING,                                \
		"a device has not renewed its certificate, which ends soon")                       \
	X(SERVER_CERTIFICATE, "server.certificate_ending", CRITICAL,                               \
		"a certificate of the server's own, or its device authority's, ends soon")         \
	X(METADATA_ENDING, "metadata.ending", CRITICAL,                                            \
		"a file that people have signed expires soon, and then no device updates")         \
	X(RELEASE_PUBLISHED, "release.published", INFO, "a release was published")                 \
	X(RETRAINING, "retraining.wanted", WARNING,                                                \
		"what devices see has drifted from what a model was trained with")                 \
	X(TEST, "hook.test", INFO, "somebody tries a hook; it is told whatever it is for")

/*  id, name, what it sends */
#define HOOK_KIND_TABLE(X)                                                                         \
	X(WEBHOOK, "webhook", "a CloudEvent in JSON, signed as Standard Webhooks has it")          \
	X(ALERTMANAGER, "alertmanager", "an alert for the API of a Prometheus Alertmanager")

/*  id, name: the severity of an alert; how many minutes an alert of it lasts */
#define HOOK_GRAVITY_TABLE(X)                                                                      \
	X(INFO, "info", 5)                                                                         \
	X(WARNING, "warning", 60)                                                                  \
	X(CRITICAL, "critical", 240)
