/* The commands of `backstay`, and the options they take. Dispatch, --help, the list of commands and
 * shell completion are made from these rows.
 *
 * Options: id, long name, metavariable (NULL: a flag), what it means. */
#define CLI_OPTIONS(X)                                                                              \
	X(SERVER, "server", "URL",                                                                  \
		"the server; default $BACKSTAY_SERVER or http://127.0.0.1:8080")                    \
	X(TOKEN_FILE, "token-file", "FILE", "a file with your token; default $BACKSTAY_TOKEN_FILE")   \
	X(CA_FILE, "ca-file", "FILE", "certificate authority of an https server; default $BACKSTAY_CA_FILE")                   \
	X(SOCKET, "socket", "PATH",                                                                 \
		"the agent's control socket; default $BACKSTAY_SOCKET or /run/backstay/agent.sock") \
	X(JSON, "json", NULL, "print JSON for scripts")                                             \
	X(OUT, "out", "DIR", "where to write")                                                      \
	X(REPO, "repo", "DIR", "a repository: to sign in, default KEYS/repo/image; to verify against, the director's")                \
	X(KEYS, "keys", "DIR",                                                                      \
		"folder that `keys init` made, or one with key files (*.pem, *.p11) and a repo/")                                      \
	X(ROLE, "role", "ROLE",                                                                     \
		"sign as this role; with `release sign` may be given more than once, default all three")                \
	X(SCHEME, "scheme", "SCHEME",                                                              \
		"ecdsa-sha2-nistp256 (default), ecdsa-sha2-nistp384, rsassa-pss-sha256, ed25519")           \
	X(PUBLIC, "public", "FILE", "a public key (NAME.pub); may be given more than once")         \
	X(KEY, "key", "ID", "the id of a key, or how it begins; may be given more than once")       \
	X(THRESHOLD, "threshold", "N", "how many signatures are needed from now on")                \
	X(SUBMIT, "submit", NULL, "tell the server of it, under the name of one's token")          \
	X(YES, "yes", NULL, "do not ask; of consent: agree")                                        \
	X(HARDWARE, "hardware", "ID", "hardware it is made for; may be given more than once")       \
	X(COUNTER, "counter", "N", "releaseCounter, higher than that of every release before")      \
	X(ROLLBACK_TO, "rollback-to", "RELEASE",                                                    \
		"a release signed before that is authorised as a way back; repeatable")             \
	X(NO, "no", NULL, "say no to the update that waits")                                        \
	X(LATER, "later", "SPAN", "put it off: 30min, 2h, 3d; with --yes: agree, from then on")      \
	X(WHO, "who", "NAME", "whose answer it is; default: who has called this command")           \
	X(LEVEL, "level", "N", "zstd level, 1 to 19; default 9")                                    \
	X(RELEASE, "release", "PATH", "the release as PRODUCT/NAME.json, or its name")              \
	X(POLICY, "policy", "FILE", "the policy: waves and guardrails")                             \
	X(DEVICE, "device", "ID", "only this device; may be given more than once, default all")     \
	X(REASON, "reason", "TEXT", "why; kept in the audit log")                                   \
	X(WATCH, "watch", NULL, "stay and show progress until it ends")                             \
	X(METADATA_DIR, "metadata-dir", "DIR", "where the trusted metadata is kept")                \
	X(METADATA_URL, "metadata-url", "URL", "address of a repository's metadata")                \
	X(TARGET_NAME, "target-name", "PATH",                                                       \
		"which target to download; may be given more than once")                            \
	X(TARGET_DIR, "target-dir", "DIR", "where downloaded targets are kept")                     \
	X(TARGET_BASE_URL, "target-base-url", "URL", "address of a repository's targets")           \
	X(LAST, "last", "N", "only the newest N")                                                   \
	X(DAYS, "days", "N", "for how long it is good; default: an invitation 7, a hook's old secret 7, an export 30 (the signer says how many at most: its [trust] offline_expiry, 90 unless changed), a token for ever") \
	X(GATE, "gate", "FILE", "a gate: which evidence a release needs")                           \
	X(KIND, "kind", "KIND",                                                                     \
		"kind of evidence: provenance, test-result, dataset-card, model-card, licence-matrix, sbom, consent, update-record") \
	X(PREDICATE, "predicate", "FILE", "what is stated, in JSON")                                \
	X(NAME, "name", "NAME", "name of the file; default the kind")                               \
	X(DEVICES, "devices", "N", "how many devices; default those that the server has")           \
	X(RUNS, "runs", "N", "how many simulated campaigns; default 200 of each kind with plan, 20 with simulate")                        \
	X(SCENARIO, "scenario", "FILE", "what a simulated campaign meets: manifests/schema/scenario.md") \
	X(MINUTES, "minutes", "N", "how long one update takes at least, its soak included; at most twice that; default 30") \
	X(SEED, "seed", "N", "where chance begins: the same seed, the same answer; default 1")      \
	X(URL, "url", "URL", "where a hook is told: http:// or https://")                           \
	X(EVENTS, "events", "LIST",                                                                 \
		"which events a hook is for: names, groups like campaign.*, by commas; default *, all") \
	X(ALERTMANAGER, "alertmanager", NULL,                                                       \
		"the hook is a Prometheus Alertmanager: its address without /api/v2/alerts")        \
	X(EVENT, "event", "N", "only the letter of this event")                                    \
	X(END, "end", NULL, "every receiver has the new secret: sign with the old one no more")     \
	X(AGAINST, "against", "RELEASE", "compare with this release")                               \
	X(BY, "by", "PART", "all devices together (default), or by `wave` or `stratum`")            \
	X(HOURS, "hours", "N", "of the last N hours; default 24")                                                       \
	X(FORMAT, "format", "FORM", "json (default), or html: a page to read and print")            \
	X(OUTPUT, "output", "FILE", "where to write; default: the terminal")

/* Commands (EXIT_0_1 among the options: it ends with 0 or 1, whatever the failure): id, group, verb, arguments, at least and at most how many of them, options, what it
 * does, an example. */
#define CLI_COMMANDS(X)                                                                            \
	X(KEYS_INIT, "keys", "init", "DIR", 1, 1, O(GATE) | O(JSON),                                         \
		"make all keys and the first signed files of both repositories",                   \
		"backstay keys init ./keys")                                                       \
	X(KEYS_SHOW, "keys", "show", "DIR", 1, 1, O(JSON),                                         \
		"list the keys of a folder, which role each serves, and when the roles expire",    \
		"backstay keys show ./keys")                                                       \
	X(KEYS_NEW, "keys", "new", "NAME", 1, 1, O(KEYS) | O(SCHEME) | O(JSON),                    \
		"make one private key; its name without number is its role",                       \
		"backstay keys new safety-2 --keys ./safety --scheme ecdsa-sha2-nistp384")         \
	X(KEYS_DEVICES, "keys", "devices", "DIR", 1, 1, O(JSON),                                   \
		"make only the authority that devices enrol with, for keys that were made before", \
		"backstay keys devices ./keys/devices")                                            \
	X(KEYS_PUBLIC, "keys", "public", "DIR", 1, 1, O(JSON),                                     \
		"write NAME.pub for every key of a folder, those in tokens too: give it to the others", \
		"backstay keys public ./safety")                                                   \
	X(KEYS_STATUS, "keys", "status", "REPO", 1, 1, O(JSON),                                    \
		"who may sign what, until when, and what is at risk",                              \
		"backstay keys status ./keys/repo")                                                \
	X(KEYS_ADD, "keys", "add", "ROLE REPO", 2, 2,                                              \
		O(PUBLIC) | O(THRESHOLD) | O(KEYS) | O(JSON),                                      \
		"let more keys sign a role; the file that says so is signed with the keys given",  \
		"backstay keys add image-root ./keys/repo --public image-root-4.pub --keys ./keys/offline") \
	X(KEYS_REVOKE, "keys", "revoke", "ROLE REPO", 2, 2,                                        \
		O(KEY) | O(THRESHOLD) | O(KEYS) | O(JSON),                                         \
		"let keys no longer sign a role: they are lost or stolen",                         \
		"backstay keys revoke image-root ./keys/repo --key 3fa2c0d1 --keys ./keys/offline") \
	X(KEYS_ROTATE, "keys", "rotate", "ROLE REPO", 2, 2,                                        \
		O(PUBLIC) | O(KEY) | O(THRESHOLD) | O(KEYS) | O(JSON),                             \
		"replace the keys of a role, or the ones named by --key, by new ones",             \
		"backstay keys rotate safety ./keys/repo --public safety-2.pub --keys ./keys/offline") \
	X(KEYS_GATE, "keys", "gate", "ROLE REPO", 2, 2, O(GATE) | O(KIND) | O(KEYS) | O(JSON), \
		"demand evidence: image-targets name the gates that releases must pass and with --kind who may attest what, image-root that they must", \
		"backstay keys gate image-targets ./keys/repo --gate gates/ocr-release.json --keys ./keys/offline") \
	X(KEYS_RENEW, "keys", "renew", "ROLE REPO", 2, 2, O(KEYS) | O(JSON),                       \
		"sign a role's own file anew: it expires, or its keys were replaced",              \
		"backstay keys renew safety ./safety/repo --keys ./safety")                        \
	X(KEYS_SIGN, "keys", "sign", "FILE FOLDER", 2, 2, O(KEYS) | O(YES) | O(JSON),                \
		"add signatures to a file that another holder began, for image/ or director/ of one's copy; shows what it changes", \
		"backstay keys sign ./usb/2.root.json ./my/repo/image --keys ./my")                \
	X(KEYS_TAKE, "keys", "take", "FROM REPO", 2, 2, O(JSON),                                   \
		"take what is newer, and proves itself, from another copy of the repositories",    \
		"backstay keys take ./usb/repo ./my/repo")                                         \
	X(KEYS_PUBLISH, "keys", "publish", "REPO", 1, 1,                                           \
		O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                                  \
		"give the server new roots, targets and role files; it checks them as a device does", \
		"backstay keys publish ./keys/repo")                                               \
	X(RELEASE_CREATE, "release", "create", "TEMPLATE", 1, 1, O(OUT) | O(LEVEL) | O(JSON),      \
		"pack the components of a template and write the release document",                \
		"backstay release create ocr/release-2.json --out build/ocr-2")                    \
	X(RELEASE_SIGN, "release", "sign", "DIR", 1, 1,                                            \
		O(KEYS) | O(REPO) | O(ROLE) | O(HARDWARE) | O(COUNTER) | O(ROLLBACK_TO) | O(JSON), \
		"sign a packed release as one or more parties",                                    \
		"backstay release sign build/ocr-2 --keys ./keys --hardware edge --counter 2")     \
	X(RELEASE_PROPOSE, "release", "propose", "DIR", 1, 1,                                      \
		O(KEYS) | O(REPO) | O(HARDWARE) | O(COUNTER) | O(ROLLBACK_TO) | O(JSON),           \
		"as its creator, ask engineering, safety and compliance to approve a packed release", \
		"backstay release propose build/ocr-2 --keys ./keys --hardware edge --counter 2")  \
	X(RELEASE_APPROVE, "release", "approve", "DIR", 1, 1,                                      \
		O(KEYS) | O(REPO) | O(ROLE) | O(YES) | O(SUBMIT) | O(SERVER) | O(TOKEN_FILE) |     \
			O(CA_FILE) | O(JSON),                                                      \
		"as one party on its own machine: show what would be signed, ask, sign",           \
		"backstay release approve build/ocr-2 --role safety --keys ./safety")              \
	X(RELEASE_GATE, "release", "gate", "DIR", 1, 1, O(GATE) | O(KEYS) | O(REPO) | O(JSON),     \
		"does a packed release have the evidence that a gate wants? If so, sign that it has", \
		"backstay release gate build/ocr-2 --gate gates/ocr-release.json --keys ./keys")   \
	X(RELEASE_PUBLISH, "release", "publish", "DIR", 1, 1,                                      \
		O(KEYS) | O(REPO) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),              \
		"upload a signed release; the server checks every signature before it takes it",   \
		"backstay release publish build/ocr-2 --keys ./keys")                              \
	X(RELEASE_LIST, "release", "list", "", 0, 0,                                               \
		O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON), "all published releases",        \
		"backstay release list")                                                           \
	X(RELEASE_SHOW, "release", "show", "RELEASE|DIR", 1, 1,                                    \
		O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                                  \
		"one release: components, tests, triggers in words",                               \
		"backstay release show ocr-2")                                                     \
	X(EVIDENCE_CREATE, "evidence", "create", "DIR", 1, 1,                                      \
		O(KIND) | O(PREDICATE) | O(NAME) | O(JSON),                                        \
		"state something of a packed release: in-toto, about its document and artifacts",  \
		"backstay evidence create build/ocr-2 --kind test-result --predicate hil.json --name hil") \
	X(EVIDENCE_SIGN, "evidence", "sign", "FILE", 1, 1, O(KEYS) | O(ROLE) | O(JSON),            \
		"sign a statement: NAME.json becomes NAME.dsse.json, which a release carries",     \
		"backstay evidence sign build/ocr-2/evidence/hil.json --keys ./keys")              \
	X(EVIDENCE_VERIFY, "evidence", "verify", "DIR", 1, 1, O(KEYS) | O(REPO) | O(JSON),         \
		"is all evidence of a packed release about it, and by who may give it?",           \
		"backstay evidence verify build/ocr-2 --keys ./keys")                              \
	X(EVIDENCE_SHOW, "evidence", "show", "FILE", 1, 1, O(JSON),                                \
		"what a statement or an envelope says, without verifying it",                      \
		"backstay evidence show build/ocr-2/evidence/hil.dsse.json")                       \
	X(CAMPAIGN_CREATE, "campaign", "create", "NAME", 1, 1,                                     \
		O(RELEASE) | O(POLICY) | O(DEVICE) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) |      \
			O(JSON),                                                                   \
		"plan a release for devices by a policy; nothing moves before it is started",      \
		"backstay campaign create spring --release ocr-2 --policy policy.json")            \
	X(CAMPAIGN_PLAN, "campaign", "plan", "", 0, 0,                                             \
		O(POLICY) | O(DEVICES) | O(RUNS) | O(MINUTES) | O(SEED) | O(SERVER) |              \
			O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                                      \
		"simulate a policy: what it finds, what it cannot, how long it takes, who is hurt", \
		"backstay campaign plan --policy policy.json --devices 1000")                      \
	X(CAMPAIGN_SIMULATE, "campaign", "simulate", "[CAMPAIGN]", 0, 1,                           \
		O(SCENARIO) | O(POLICY) | O(DEVICES) | O(RUNS) | O(SEED) | O(SERVER) |             \
			O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                                      \
		"let a policy meet a scenario on your own fleet: hidden faults, bad links, power cuts, silence, people", \
		"backstay campaign simulate spring --scenario manifests/scenarios/silent-bricks.json") \
	X(CAMPAIGN_START, "campaign", "start", "NAME", 1, 1,                                       \
		O(WATCH) | O(REASON) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),           \
		"freeze the recipients and begin with the first",                                  \
		"backstay campaign start spring --watch")                                          \
	X(CAMPAIGN_LIST, "campaign", "list", "", 0, 0,                                             \
		O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON), "all campaigns",                 \
		"backstay campaign list")                                                          \
	X(CAMPAIGN_STATUS, "campaign", "status", "NAME", 1, 1,                                     \
		O(WATCH) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                       \
		"waves, counts, and where every recipient is",                                     \
		"backstay campaign status spring --watch")                                         \
	X(CAMPAIGN_PAUSE, "campaign", "pause", "NAME", 1, 1,                                       \
		O(REASON) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                      \
		"admit nobody for a while; what has begun goes on",                                \
		"backstay campaign pause spring --reason 'night shift'")                           \
	X(CAMPAIGN_RESUME, "campaign", "resume", "NAME", 1, 1,                                     \
		O(REASON) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                      \
		"go on after a pause", "backstay campaign resume spring")                          \
	X(CAMPAIGN_APPROVE, "campaign", "approve", "NAME", 1, 1,                                   \
		O(REASON) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                      \
		"go on after a hold; where a guardrail fails, two people must",          \
		"backstay campaign approve spring --reason 'the depot is ready'")                  \
	X(CAMPAIGN_BREAK_GLASS, "campaign", "break-glass", "NAME", 1, 1,                           \
		O(REASON) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                      \
		"admit devices in spite of the present freeze; audited",                           \
		"backstay campaign break-glass spring --reason 'closes CVE-2026-1'")               \
	X(CAMPAIGN_HALT, "campaign", "halt", "NAME", 1, 1,                                         \
		O(REASON) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                      \
		"stop for good; devices stay where they are",                                      \
		"backstay campaign halt spring --reason 'wrong release'")                          \
	X(CAMPAIGN_ROLLBACK, "campaign", "rollback", "NAME", 1, 1,                                 \
		O(REASON) | O(WATCH) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),           \
		"stop, and order back every device that has the release",                          \
		"backstay campaign rollback spring --reason 'plates misread in depot 4'")          \
	X(CAMPAIGN_EXPLAIN, "campaign", "explain", "NAME", 1, 1,                                   \
		O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                                  \
		"in sentences: where it stands, what it waits for, and what the judge knows",      \
		"backstay campaign explain spring")                                                \
	X(CAMPAIGN_PROMOTE, "campaign", "promote", "NAME", 1, 1,                                   \
		O(REASON) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                      \
		"let the next wave open now, before this one has ended; two people must",          \
		"backstay campaign promote spring --reason 'closes CVE-2026-1'")                   \
	X(CAMPAIGN_REVOKE, "campaign", "revoke", "NAME", 1, 1,                                     \
		O(REASON) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                      \
		"halt; devices that have not switched yet stay as they are",                       \
		"backstay campaign revoke spring --reason 'wrong model'")                          \
	X(CAMPAIGN_RECALL, "campaign", "recall", "NAME", 1, 1,                                     \
		O(REASON) | O(WATCH) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),           \
		"order back every device that has the release, from whatever campaign",            \
		"backstay campaign recall spring --reason 'recall 26-114'")                        \
	X(CHANNEL_LIST, "channel", "list", "", 0, 0,                                               \
		O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                                  \
		"products for which no campaign may start", "backstay channel list")               \
	X(CHANNEL_FREEZE, "channel", "freeze", "PRODUCT", 1, 1,                                    \
		O(REASON) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                      \
		"let no campaign for this product start",                                          \
		"backstay channel freeze ocr --reason 'recall 26-114'")                            \
	X(CHANNEL_THAW, "channel", "thaw", "PRODUCT", 1, 1,                                        \
		O(REASON) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                      \
		"let campaigns for this product start again",                                      \
		"backstay channel thaw ocr --reason 'cause found: bad calibration file'")          \
	X(DEVICE_LIST, "device", "list", "", 0, 0,                                                 \
		O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                                  \
		"all devices with what they run", "backstay device list")                          \
	X(DEVICE_SHOW, "device", "show", "ID", 1, 1,                                               \
		O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON), "one device",                    \
		"backstay device show node-1")                                                     \
	X(DEVICE_HISTORY, "device", "history", "ID", 1, 1,                                         \
		O(LAST) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                        \
		"what a device reported, newest first, dossiers included",                         \
		"backstay device history node-1 --last 5")                                         \
	X(DEVICE_INVITE, "device", "invite", "ID", 1, 1,                                           \
		O(DAYS) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                        \
		"let a device enrol, once; prints the token for its identity.token_file",          \
		"backstay device invite node-1 --days 2 > node-1.invite")                          \
	X(DEVICE_REVOKE, "device", "revoke", "ID", 1, 1,                                           \
		O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                                  \
		"take a device's certificate back: it is refused from now on, and keeps running",  \
		"backstay device revoke node-1")                                                   \
	X(DEVICE_EXPORT, "device", "export", "ID DIR", 2, 2,                                       \
		O(DAYS) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                        \
		"write a device's update into a folder, to be carried to it; default for 30 days", \
		"backstay device export node-1 /media/usb --days 7")                               \
	X(TELEMETRY_RELEASE, "telemetry", "release", "RELEASE", 1, 1,                              \
		O(AGAINST) | O(BY) | O(HOURS) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),  \
		"what devices with a release measure: latency, failures, the machine; beside another release", \
		"backstay telemetry release ocr-2 --against ocr-1 --by stratum")                   \
	X(TELEMETRY_DEVICE, "telemetry", "device", "ID", 1, 1,                                     \
		O(LAST) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                        \
		"what one device measured and what happened to it, newest first",                  \
		"backstay telemetry device node-1 --last 5")                                       \
	X(TELEMETRY_EVENTS, "telemetry", "events", "", 0, 0,                                       \
		O(LAST) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                        \
		"watches, marks and drift of all devices, newest first",                           \
		"backstay telemetry events --last 20")                                             \
	X(USER_ADD, "user", "add", "NAME ROLE", 2, 2,                                              \
		O(DAYS) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                        \
		"make a user: viewer, operator, approver or admin; prints the token, once",        \
		"backstay user add ann operator --days 90 > ann.token")                            \
	X(USER_LIST, "user", "list", "", 0, 0, O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),   \
		"who may do what on the server, and when each token was used last",                \
		"backstay user list")                                                              \
	X(USER_REVOKE, "user", "revoke", "NAME", 1, 1,                                             \
		O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                                  \
		"take a user's token back; it is refused from now on", "backstay user revoke ann") \
	X(HOOK_ADD, "hook", "add", "NAME", 1, 1,                                                   \
		O(URL) | O(EVENTS) | O(ALERTMANAGER) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) |    \
			O(JSON),                                                                   \
		"have somebody told what happens; prints the secret that signs, once",             \
		"backstay hook add ops --url https://ops.example/in --events 'campaign.*,device.stuck'") \
	X(HOOK_LIST, "hook", "list", "", 0, 0, O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),   \
		"who is told what, what waits, and what went wrong last", "backstay hook list")    \
	X(HOOK_ROTATE, "hook", "rotate", "NAME", 1, 1,                                             \
		O(DAYS) | O(END) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),               \
		"a new secret, printed once; the old one signs as well until --days are over or --end", \
		"backstay hook rotate ops --days 14")                                              \
	X(HOOK_TEST, "hook", "test", "NAME", 1, 1,                                                 \
		O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                                  \
		"send one hook a letter to try it", "backstay hook test ops")                      \
	X(HOOK_REMOVE, "hook", "remove", "NAME", 1, 1,                                             \
		O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                                  \
		"tell it nothing any more; its letters go, too", "backstay hook remove ops")       \
	X(HOOK_DEAD, "hook", "dead", "NAME", 1, 1,                                                 \
		O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                                  \
		"letters that were given up after many attempts", "backstay hook dead ops")        \
	X(HOOK_RESEND, "hook", "resend", "NAME", 1, 1,                                             \
		O(EVENT) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                       \
		"send its dead letters again: all, or one", "backstay hook resend ops --event 117") \
	X(DRIFT_LIST, "drift", "list", "", 0, 0,                                                   \
		O(LAST) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                        \
		"where retraining is wanted: what devices see is not what a model was trained with", \
		"backstay drift list")                                                             \
	X(REPORT_VEHICLE, "report", "vehicle", "DEVICE", 1, 1,                                     \
		O(FORMAT) | O(OUTPUT) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE),                    \
		"the record of a device: configurations, updates, consent, outcomes (UN R156)",    \
		"backstay report vehicle node-1 --format html --output node-1.html")               \
	X(REPORT_RELEASE, "report", "release", "RELEASE", 1, 1,                                    \
		O(FORMAT) | O(OUTPUT) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE),                    \
		"the record of a release: evidence, approvals, recipients, what came of it",       \
		"backstay report release ocr-4 --output ocr-4.json")                               \
	X(REPORT_VERIFY, "report", "verify", "RECORD LOG", 2, 2, O(REPO) | O(JSON),                \
		"offline: is a record the one that an exported audit log tells of, and are its rows there?", \
		"backstay report verify node-1.json audit-2026.jsonl --repo keys/repo/director")   \
	X(AUDIT_LIST, "audit", "list", "", 0, 0,                                                   \
		O(LAST) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                        \
		"decisions of people and of the server, with a sentence each",                     \
		"backstay audit list --last 20")                                                   \
	X(AUDIT_SHOW, "audit", "show", "N", 1, 1,                                                  \
		O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON), "one decision with all that is kept of it", \
		"backstay audit show 117")                                                         \
	X(AUDIT_EXPORT, "audit", "export", "FILE", 1, 1,                                           \
		O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                                  \
		"write the whole log with its signed checkpoints, for an auditor",                 \
		"backstay audit export audit-2026.jsonl")                                          \
	X(AUDIT_VERIFY, "audit", "verify", "FILE", 1, 1, O(REPO) | O(JSON),                        \
		"offline: find any row of an export that was altered, removed or moved",           \
		"backstay audit verify audit-2026.jsonl --repo keys/repo/director")                \
	X(AUDIT_REPLAY, "audit", "replay", "CAMPAIGN", 1, 1,                                       \
		O(POLICY) | O(SERVER) | O(TOKEN_FILE) | O(CA_FILE) | O(JSON),                      \
		"decide a campaign's recorded events again: the same decisions? another policy's?", \
		"backstay audit replay spring --policy policy2.json")                              \
	X(TUF, "tuf", NULL, "init ROOT|refresh|download", 1, 2,                                    \
		O(METADATA_DIR) | O(METADATA_URL) | O(TARGET_NAME) | O(TARGET_DIR) |               \
			O(TARGET_BASE_URL) | O(CA_FILE) | EXIT_0_1,                                \
		"a client of any TUF repository, with our engine; ends with 0 or 1",               \
		"backstay tuf --metadata-dir trusted --metadata-url http://127.0.0.1:8080/image refresh") \
	X(STATUS, "status", NULL, "", 0, 0, O(SOCKET) | O(WATCH) | O(JSON),                        \
		"on a device: state, slots, running release, progress", "backstay status")         \
	X(EXPLAIN, "explain", NULL, "", 0, 0, O(SOCKET) | O(JSON),                                 \
		"on a device: what it waits for, watches, and saw when it went back",              \
		"backstay explain")                                                                \
	X(HISTORY, "history", NULL, "", 0, 0, O(SOCKET) | O(LAST) | O(JSON),                       \
		"on a device: what happened, oldest first", "backstay history --last 20")          \
	X(CHECK, "check", NULL, "", 0, 0, O(SOCKET) | O(JSON), "on a device: ask the server now",  \
		"backstay check")                                                                  \
	X(ROLLBACK, "rollback", NULL, "", 0, 0, O(SOCKET) | O(REASON) | O(JSON),                   \
		"on a device: give up the running update, or go back to the release before",       \
		"backstay rollback --reason 'display is dark'")                                    \
	X(CONSENT, "consent", NULL, "", 0, 0,                                                      \
		O(SOCKET) | O(YES) | O(NO) | O(LATER) | O(WHO) | O(JSON),                          \
		"on a device: show what waits for consent, and agree, say no, or put it off",      \
		"backstay consent --later 2h")                                                     \
	X(CLEAR, "clear", NULL, "RELEASE", 1, 1, O(SOCKET) | O(JSON),                              \
		"on a device: take a release out of quarantine", "backstay clear ocr-4")           \
	X(SLOTS, "slots", NULL, "", 0, 0, O(SOCKET) | O(JSON),                                     \
		"on a device: what each slot holds, and which starts next, is good and runs",      \
		"backstay slots")                                                                  \
	X(BOOT, "boot", NULL, "", 0, 0, O(SOCKET) | O(JSON),                                       \
		"on a device: what starts next, tries left, and the boot loader's environment",    \
		"backstay boot")                                                                   \
	X(MARK_GOOD, "mark-good", NULL, "", 0, 0, O(SOCKET) | O(REASON) | O(JSON),                 \
		"on a device: accept the new version that is watched, before its soak is over",    \
		"backstay mark-good --reason 'seen by the shift lead'")                            \
	X(MARK_BAD, "mark-bad", NULL, "[SLOT]", 0, 1, O(SOCKET) | O(REASON) | O(JSON),             \
		"on a device: take the running version back; with the other slot: it is no way back any more", \
		"backstay mark-bad --reason 'gate 3 stays shut'")                                  \
	X(MARK_ACTIVE, "mark-active", NULL, "SLOT", 1, 1, O(SOCKET) | O(REASON) | O(JSON),         \
		"on a device: switch to the other slot, with its soak and its way back",           \
		"backstay mark-active b")                                                          \
	X(RESET, "reset", NULL, "", 0, 0, O(SOCKET) | O(REASON) | O(JSON),                         \
		"on a device: clear a stuck update after somebody has looked",                     \
		"backstay reset --reason 'slot checked'")
