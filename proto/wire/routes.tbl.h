/* Every HTTP route. Server, agent, command line and the API reference are made from these rows.
 *  id, method, path ({name} is one segment), who may call, limit of the body in bytes, what it does */
#define ROUTE_TABLE(X)                                                                                                 \
	X(HEALTH, GET, "/healthz", ANYONE, 0, "Is the server up, and can it read its store?")                          \
	X(METRICS, GET, "/metrics", ANYONE, 0, "Prometheus text metrics of the server: counts, no names")              \
	X(FLEET_METRICS, GET, "/v1/metrics", VIEWER, 0,                                                                \
		"Prometheus text metrics of the fleet: campaigns and releases by name, and what releases do")                                        \
	X(DIRECTOR_META, GET, "/director/{device}/{file}", DEVICE, 0,                                                  \
		"Director metadata of one device, signed on demand; asking for timestamp.json is asking for admission") \
	X(DIRECTOR_TIME, GET, "/director/{device}/time/{nonce}", DEVICE, 0,                                            \
		"A signed answer to what time it is, for the 32 hexadecimal digits that the device has made up")       \
	X(IMAGE_META, GET, "/image/{file}", ANYONE, 0, "Metadata of the image repository")                             \
	X(IMAGE_TARGET, GET, "/image/targets/{product}/{file}", ANYONE, 0, "A release document, named DIGEST.NAME")    \
	X(ARTIFACT, GET, "/artifacts/{digest}", ANYONE, 0, "Bytes of an artifact by their SHA-256; ranges work")       \
	X(REPORT, POST, "/v1/devices/{device}/reports", DEVICE, LIMIT_REPORT_BYTES,                                    \
		"Registers the device or tells its state; idempotent by sequence number")                              \
	X(LEASE, POST, "/v1/devices/{device}/lease", DEVICE, LIMIT_LEASE_BYTES,                                        \
		"May the device be disrupted now? A lease, or when to ask again; its update's outcome gives it back")  \
	X(TELEMETRY, POST, "/v1/devices/{device}/telemetry", DEVICE, LIMIT_TELEMETRY_BYTES,                            \
		"Takes a batch of telemetry, each number of an epoch once; the answer says up to which everything is stored") \
	X(DEVICES, GET, "/v1/devices", VIEWER, 0, "All devices with what they run")                                  \
	X(DEVICE, GET, "/v1/devices/{device}", VIEWER, 0, "One device")                                              \
	X(DEVICE_HISTORY, GET, "/v1/devices/{device}/history", VIEWER, 0, "What a device reported, newest first")    \
	X(DEVICE_TELEMETRY, GET, "/v1/devices/{device}/telemetry", VIEWER, 0,                                          \
		"What a device measured and what happened to it, newest first; ?last=N")                               \
	X(RELEASE_TELEMETRY, GET, "/v1/releases/{release}/telemetry", VIEWER, 0,                                       \
		"What devices with a release did, summed; ?hours=N, ?by=all, wave or stratum; of `none`: without a release") \
	X(TELEMETRY_EVENTS, GET, "/v1/telemetry/events", VIEWER, 0,                                                    \
		"Watches, marks and drift of all devices, newest first; ?last=N")                                      \
	X(DEVICE_CARRY, POST, "/v1/devices/{device}/offline", OPERATOR, LIMIT_BODY_BYTES,                              \
		"Signs a device's update for so many days, to be carried to it; the answer lists its files")           \
	X(ARTIFACT_PUT, PUT, "/v1/artifacts/{digest}", OPERATOR, LIMIT_ARTIFACT_BYTES, "Uploads an artifact")          \
	X(RELEASE_PUBLISH, POST, "/v1/releases", OPERATOR, 8 * LIMIT_BODY_BYTES,                                        \
		"Publishes a release: its document and the role files that sign it")                                   \
	X(RELEASE_APPROVE, POST, "/v1/approvals", APPROVER, 2 * LIMIT_BODY_BYTES,                                       \
		"Says under one's own name that one has approved a release as a party, with the file that signs it")    \
	X(METADATA_ADOPT, POST, "/v1/metadata", ADMIN, 8 * LIMIT_BODY_BYTES,                                            \
		"New roots, targets and role files of a repository, signed by those who hold its keys")                 \
	X(RELEASES, GET, "/v1/releases", VIEWER, 0, "All releases")                                                  \
	X(RELEASE, GET, "/v1/releases/{release}", VIEWER, 0, "One release")                                          \
	X(CAMPAIGN_CREATE, POST, "/v1/campaigns", OPERATOR, LIMIT_BODY_BYTES,                                           \
		"A release, a selector, a policy; recipients are frozen at start")                                     \
	X(CAMPAIGNS, GET, "/v1/campaigns", VIEWER, 0, "All campaigns")                                               \
	X(CAMPAIGN, GET, "/v1/campaigns/{campaign}", VIEWER, 0, "One campaign with its waves and counts")            \
	X(CAMPAIGN_DEVICES, GET, "/v1/campaigns/{campaign}/devices", VIEWER, 0, "The recipients and where each is")  \
	X(CAMPAIGN_EVENTS, GET, "/v1/campaigns/{campaign}/events", VIEWER, 0,                                           \
		"What the wave engine was told, for replay; ?after=N pages on")                                        \
	X(CAMPAIGN_ORDER, POST, "/v1/campaigns/{campaign}/orders", OPERATOR, LIMIT_BODY_BYTES,                          \
		"start, pause, resume, halt, rollback, break_glass, promote, revoke or rollback_all, with a reason")     \
	X(CAMPAIGN_APPROVE, POST, "/v1/campaigns/{campaign}/approval", APPROVER, LIMIT_BODY_BYTES,                      \
		"Lets a wave that is on hold open; where the judge was in doubt, two people must say so")              \
	X(CHANNELS, GET, "/v1/channels", VIEWER, 0, "Products whose channel is frozen: no campaign for them starts")   \
	X(CHANNEL_FREEZE, POST, "/v1/channels/{product}/freeze", OPERATOR, LIMIT_BODY_BYTES,                            \
		"No campaign for this product starts from now on; with a reason")                                      \
	X(CHANNEL_THAW, POST, "/v1/channels/{product}/thaw", APPROVER, LIMIT_BODY_BYTES,                               \
		"Campaigns for this product may start again; with a reason")                                           \
	X(AUDIT_CHECKPOINTS, GET, "/v1/audit/checkpoints", VIEWER, 0,                                                  \
		"Signed checkpoints of the audit log, one of the newest row among them; ?after=N pages on")            \
	X(AUDIT, GET, "/v1/audit", VIEWER, 0, "Audit rows, newest last; ?after=N pages on") \
	X(HOOKS, GET, "/v1/hooks", ADMIN, 0, "Whom the server tells what happens, and how that goes")                  \
	X(HOOK_ADD, POST, "/v1/hooks", ADMIN, LIMIT_BODY_BYTES,                                                         \
		"Makes a hook: {name, kind, url, events}; the answer has the secret that signs, once")                 \
	X(HOOK_REMOVE, POST, "/v1/hooks/{hook}/removal", ADMIN, LIMIT_BODY_BYTES, "Removes a hook with its letters")   \
	X(HOOK_ROTATE, POST, "/v1/hooks/{hook}/secret", ADMIN, LIMIT_BODY_BYTES,                                        \
		"A new secret, in the answer, once; the old one signs, too, for {keep_ms}, or until {end: true}")      \
	X(HOOK_TEST, POST, "/v1/hooks/{hook}/test", ADMIN, LIMIT_BODY_BYTES, "Sends the event hook.test to one hook")  \
	X(HOOK_DEAD, GET, "/v1/hooks/{hook}/dead", ADMIN, 0, "Letters that were given up; ?after=N pages on")          \
	X(HOOK_RESEND, POST, "/v1/hooks/{hook}/resend", ADMIN, LIMIT_BODY_BYTES,                                        \
		"Sends dead letters again: all, or that of one {event}")                                               \
	X(DRIFTS, GET, "/v1/drifts", VIEWER, 0, "Where retraining is wanted: what devices see has drifted; ?last=N")   \
	X(VEHICLE_RECORD, POST, "/v1/devices/{device}/record", VIEWER, LIMIT_BODY_BYTES,                                \
		"All that is known of a device's updates, for an auditor; that it was given is audited")               \
	X(RELEASE_RECORD, POST, "/v1/releases/{release}/record", VIEWER, LIMIT_BODY_BYTES,                              \
		"All that is known of a release, its recipients and what came of it, for an auditor")                  \
	X(USERS, GET, "/v1/users", ADMIN, 0, "Who may do what here, and when each token was used last")                \
	X(USER_ADD, POST, "/v1/users", ADMIN, LIMIT_BODY_BYTES, "Makes a user with a role; the answer has the token, once") \
	X(USER_REVOKE, POST, "/v1/users/{user}/revocation", ADMIN, LIMIT_BODY_BYTES, "Takes a user's token back, at once") \
	X(DEVICE_INVITE, POST, "/v1/devices/{device}/invitation", ADMIN, LIMIT_BODY_BYTES,                             \
		"Lets a device enrol, once; the answer has the token, once")                                           \
	X(DEVICE_REVOKE, POST, "/v1/devices/{device}/revocation", ADMIN, LIMIT_BODY_BYTES,                             \
		"Takes a device's certificates back, at once")                                                         \
	X(EST_CACERTS, GET, "/.well-known/est/cacerts", ANYONE, 0,                                                     \
		"Certificate of the devices' authority, as RFC 7030 has it")                                           \
	X(EST_ENROLL, POST, "/.well-known/est/simpleenroll", INVITED, LIMIT_ENROLL_BYTES,                              \
		"A request (PKCS#10 in base64) becomes a certificate (PKCS#7 in base64); the invitation is the bearer token") \
	X(EST_REENROLL, POST, "/.well-known/est/simplereenroll", HOLDER, LIMIT_ENROLL_BYTES,                           \
		"The same for the holder of a certificate, also of one that has ended lately")
