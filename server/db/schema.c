#include "server/db/schema.h"

#include <stddef.h>

/* Times are milliseconds since 1970, digests are 32 bytes. */
static const char devices[] =
	"CREATE TABLE devices ("
	" id TEXT PRIMARY KEY,"
	" hardware TEXT NOT NULL, labels TEXT NOT NULL, agent TEXT NOT NULL,"
	" running TEXT NOT NULL, running_digest BLOB, slot TEXT NOT NULL, state TEXT NOT NULL,"
	" target TEXT NOT NULL, done INTEGER NOT NULL, total INTEGER NOT NULL,"
	" code TEXT NOT NULL, cause TEXT NOT NULL, text TEXT NOT NULL,"
	/* reports: which life of the device (it may be reinstalled), and the newest number in it */
	" epoch INTEGER NOT NULL, seq INTEGER NOT NULL,"
	" registered_ms INTEGER NOT NULL, reported_ms INTEGER NOT NULL,"
	/* desired state; a NULL path: stay as you are */
	" desired_path TEXT, desired_digest BLOB, desired_order TEXT NOT NULL,"
	" desired_campaign TEXT NOT NULL, director_version INTEGER NOT NULL,"
	/* has been ordered back and has not said yet that it is */
	" ordered_back INTEGER NOT NULL,"
	/* the campaign under way that has it as a recipient, and its place there */
	" campaign TEXT, position INTEGER);"

	"CREATE TABLE contacts ("
	" device TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;"

	"CREATE TABLE reports ("
	" n INTEGER PRIMARY KEY, device TEXT NOT NULL, epoch INTEGER NOT NULL,"
	" seq INTEGER NOT NULL, kind TEXT NOT NULL, received_ms INTEGER NOT NULL,"
	" body BLOB NOT NULL, UNIQUE (device, epoch, seq));";

static const char metadata[] =
	"CREATE TABLE releases ("
	" path TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, digest BLOB NOT NULL UNIQUE,"
	" product TEXT NOT NULL, version TEXT NOT NULL, notes TEXT NOT NULL,"
	" counter INTEGER NOT NULL, match TEXT NOT NULL, document BLOB NOT NULL,"
	" published_ms INTEGER NOT NULL);"

	/* The image repository, and the root of the director's. */
	"CREATE TABLE metadata ("
	" repo TEXT NOT NULL, role TEXT NOT NULL, version INTEGER NOT NULL,"
	" expires_s INTEGER NOT NULL, refresh_s INTEGER NOT NULL, etag TEXT NOT NULL,"
	" bytes BLOB NOT NULL, PRIMARY KEY (repo, role, version)) WITHOUT ROWID;"

	/* The newest of each role that the director signed for a device. */
	"CREATE TABLE director ("
	" device TEXT NOT NULL, role TEXT NOT NULL, version INTEGER NOT NULL,"
	" expires_s INTEGER NOT NULL, refresh_s INTEGER NOT NULL, etag TEXT NOT NULL,"
	" bytes BLOB NOT NULL, PRIMARY KEY (device, role)) WITHOUT ROWID;";

static const char campaigns[] =
	"CREATE TABLE campaigns ("
	" id TEXT PRIMARY KEY, release_path TEXT NOT NULL, release_digest BLOB NOT NULL,"
	" release_id TEXT NOT NULL, selector TEXT NOT NULL, policy TEXT NOT NULL,"
	" policy_digest BLOB NOT NULL, created_ms INTEGER NOT NULL, created_by TEXT NOT NULL,"
	" rev INTEGER NOT NULL, phase TEXT NOT NULL, paused INTEGER NOT NULL,"
	" wave INTEGER NOT NULL, recipients INTEGER NOT NULL, open_to INTEGER NOT NULL,"
	" committed_before INTEGER NOT NULL, since_ms INTEGER NOT NULL,"
	" quiet_since_ms INTEGER NOT NULL, wake_at_ms INTEGER NOT NULL, why TEXT NOT NULL,"
	" counts TEXT NOT NULL);"

	"CREATE TABLE recipients ("
	" campaign TEXT NOT NULL, device TEXT NOT NULL, position INTEGER NOT NULL,"
	" state TEXT NOT NULL, moved_ms INTEGER NOT NULL, deadline_ms INTEGER,"
	/* what it ran when it was admitted: the way back */
	" before_path TEXT, before_digest BLOB, text TEXT NOT NULL,"
	" PRIMARY KEY (campaign, device)) WITHOUT ROWID;"
	"CREATE INDEX recipients_position ON recipients (campaign, position);"
	"CREATE INDEX recipients_deadline ON recipients (deadline_ms)"
	" WHERE deadline_ms IS NOT NULL;"

	/* Selected, but not taken, and why. */
	"CREATE TABLE excluded ("
	" campaign TEXT NOT NULL, device TEXT NOT NULL, verdict TEXT NOT NULL,"
	" PRIMARY KEY (campaign, device)) WITHOUT ROWID;"

	/* What the wave engine was told; replaying it gives the campaign's state. */
	"CREATE TABLE events ("
	" campaign TEXT NOT NULL, rev INTEGER NOT NULL, kind TEXT NOT NULL,"
	" now_ms INTEGER NOT NULL, recipients INTEGER NOT NULL, position INTEGER NOT NULL,"
	" was TEXT NOT NULL, is_now TEXT NOT NULL, who TEXT NOT NULL, text TEXT NOT NULL,"
	" PRIMARY KEY (campaign, rev)) WITHOUT ROWID;"

	"CREATE TABLE audit ("
	" n INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, who TEXT NOT NULL,"
	" what TEXT NOT NULL, campaign TEXT NOT NULL, device TEXT NOT NULL,"
	" text TEXT NOT NULL, policy_digest BLOB, engine TEXT NOT NULL);";

/* People and scripts with a token. Of the token only the digest is kept. */
static const char users[] =
	"CREATE TABLE users ("
	" name TEXT PRIMARY KEY, role TEXT NOT NULL, token BLOB NOT NULL,"
	" created_ms INTEGER NOT NULL, created_by TEXT NOT NULL,"
	/* 0: never */
	" expires_ms INTEGER NOT NULL, revoked_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL"
	") WITHOUT ROWID;";

/* Who devices are: invitations to enrol, and the certificates that came of them, oldest first. */
static const char identities[] =
	"CREATE TABLE invites ("
	" device TEXT PRIMARY KEY, token BLOB NOT NULL, created_ms INTEGER NOT NULL,"
	" expires_ms INTEGER NOT NULL, created_by TEXT NOT NULL, used_ms INTEGER NOT NULL,"
	" used_key BLOB) WITHOUT ROWID;"

	"CREATE TABLE certificates ("
	" n INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, device TEXT NOT NULL,"
	" key BLOB NOT NULL, until_s INTEGER NOT NULL, issued_ms INTEGER NOT NULL,"
	" revoked_ms INTEGER NOT NULL, why TEXT NOT NULL, bytes BLOB NOT NULL);"
	"CREATE INDEX certificates_device ON certificates (device, n);";

/* Whether a release passed its gates when that was looked at last. */
static const char gates[] =
	"CREATE TABLE gates ("
	" release TEXT NOT NULL, n INTEGER NOT NULL, policy BLOB NOT NULL, name TEXT NOT NULL,"
	" met INTEGER NOT NULL, missing TEXT NOT NULL, judged_ms INTEGER NOT NULL,"
	" PRIMARY KEY (release, n)) WITHOUT ROWID;";

/* The audit log as a chain, and the checkpoints that are signed over it. */
static const char chain[] = "ALTER TABLE audit ADD COLUMN chain BLOB;"
			    "CREATE TABLE checkpoints ("
			    " n INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, bytes BLOB NOT NULL);";

/* Who has approved which release as which party. */
static const char approvals[] =
	"CREATE TABLE approvals ("
	" path TEXT NOT NULL, role TEXT NOT NULL, who TEXT NOT NULL, document BLOB NOT NULL,"
	" at_ms INTEGER NOT NULL, PRIMARY KEY (path, role, who)) WITHOUT ROWID;";

/* Waves that judge, ask and go at a rate. A campaign from before has none of that. */
static const char judged[] =
	"ALTER TABLE campaigns ADD COLUMN hold INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE campaigns ADD COLUMN agreed TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE campaigns ADD COLUMN extended INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE campaigns ADD COLUMN next_at_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE campaigns ADD COLUMN thawed_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE campaigns ADD COLUMN judge TEXT NOT NULL DEFAULT '';";

/* Who may be disrupted. */
static const char leases[] =
	"CREATE TABLE leases ("
	" device TEXT PRIMARY KEY, grp TEXT NOT NULL, campaign TEXT NOT NULL,"
	" document BLOB NOT NULL, since_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL"
	") WITHOUT ROWID;"
	"CREATE INDEX leases_group ON leases (grp, until_ms);"
	"CREATE INDEX leases_end ON leases (until_ms);";

/* Whom to tell (hooks), what happened (hook_events), and what is on its way to whom (letters; with
 * a dead_ms: given up). What was told once is not told again (told). What devices see that models
 * were not trained with (drifts), and which of them said so. */
static const char hooks[] =
	"CREATE TABLE hooks ("
	" name TEXT PRIMARY KEY, kind TEXT NOT NULL, url TEXT NOT NULL, events TEXT NOT NULL,"
	" secret BLOB NOT NULL, created_ms INTEGER NOT NULL, created_by TEXT NOT NULL,"
	" quiet_until_ms INTEGER NOT NULL, kept INTEGER NOT NULL, delivered INTEGER NOT NULL,"
	" dropped INTEGER NOT NULL, ok_ms INTEGER NOT NULL, failed_ms INTEGER NOT NULL,"
	" why TEXT NOT NULL) WITHOUT ROWID;"

	"CREATE TABLE hook_events ("
	" n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, type TEXT NOT NULL,"
	" at_ms INTEGER NOT NULL, campaign TEXT NOT NULL, device TEXT NOT NULL,"
	" text TEXT NOT NULL, data TEXT NOT NULL, audit INTEGER NOT NULL);"

	"CREATE TABLE letters ("
	" hook TEXT NOT NULL, event INTEGER NOT NULL, due_ms INTEGER NOT NULL,"
	" tries INTEGER NOT NULL, dead_ms INTEGER NOT NULL, status INTEGER NOT NULL,"
	" why TEXT NOT NULL, PRIMARY KEY (hook, event)) WITHOUT ROWID;"
	"CREATE INDEX letters_due ON letters (hook, due_ms) WHERE dead_ms = 0;"
	"CREATE INDEX letters_event ON letters (event);"

	"CREATE TABLE told (key TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;"

	"CREATE TABLE drifts ("
	" n INTEGER PRIMARY KEY, document BLOB, metric TEXT NOT NULL, reference BLOB,"
	" opened_ms INTEGER NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,"
	" samples INTEGER NOT NULL, value_milli INTEGER NOT NULL,"
	" threshold_milli INTEGER NOT NULL, devices INTEGER NOT NULL,"
	" reports INTEGER NOT NULL, told INTEGER NOT NULL, told_ms INTEGER NOT NULL,"
	" closed_ms INTEGER NOT NULL);"
	"CREATE INDEX drifts_open ON drifts (metric) WHERE closed_ms = 0;"

	"CREATE TABLE drift_devices ("
	" drift INTEGER NOT NULL, device TEXT NOT NULL, at_ms INTEGER NOT NULL,"
	" value_milli INTEGER NOT NULL, samples INTEGER NOT NULL, reports INTEGER NOT NULL,"
	" PRIMARY KEY (drift, device)) WITHOUT ROWID;";

/* What devices measure: how far each was counted, the items for a while, and their sums. */
static const char telemetry[] =
	"CREATE TABLE tele_epochs ("
	" device TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,"
	" at_ms INTEGER NOT NULL, PRIMARY KEY (device, epoch)) WITHOUT ROWID;"

	"CREATE TABLE tele_windows ("
	" n INTEGER PRIMARY KEY, device TEXT NOT NULL, epoch INTEGER NOT NULL,"
	" seq INTEGER NOT NULL, received_ms INTEGER NOT NULL, body BLOB NOT NULL);"
	"CREATE INDEX tele_windows_device ON tele_windows (device, n);"

	"CREATE TABLE tele_events ("
	" n INTEGER PRIMARY KEY, device TEXT NOT NULL, epoch INTEGER NOT NULL,"
	" seq INTEGER NOT NULL, received_ms INTEGER NOT NULL, body BLOB NOT NULL);"
	"CREATE INDEX tele_events_device ON tele_events (device, n);"

	/* `release` is zeroes where there is none, `part` and `layer` are numbers of tables. */
	"CREATE TABLE aggregates ("
	" release BLOB NOT NULL, part INTEGER NOT NULL, key TEXT NOT NULL,"
	" layer INTEGER NOT NULL, span_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
	" data BLOB NOT NULL, UNIQUE (release, part, key, layer, span_ms, at_ms));"
	"CREATE INDEX aggregates_time ON aggregates (span_ms, at_ms);"
	"CREATE INDEX aggregates_release ON aggregates (release, part, at_ms);"

	/* Whether the broker has a connection of the device, as far as a broker is believed. */
	"CREATE TABLE presence ("
	" device TEXT PRIMARY KEY, online INTEGER NOT NULL, at_ms INTEGER NOT NULL"
	") WITHOUT ROWID;";

/* Waves with selectors, strata and a control group; retries; channels that are frozen. A campaign
 * from before has one stratum and ends its waves where its policy says. */
static const char waves[] =
	"ALTER TABLE campaigns ADD COLUMN more TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE events ADD COLUMN stratum INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE events ADD COLUMN bad INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE events ADD COLUMN plan TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE recipients ADD COLUMN stratum INTEGER NOT NULL DEFAULT 0;"
	/* the wave, from 1, in which it was counted last as one to compare with */
	"ALTER TABLE recipients ADD COLUMN watched INTEGER NOT NULL DEFAULT 0;"
	/* how often it failed of something transient and was let wait again */
	"ALTER TABLE recipients ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;"
	/* devices of which a policy counts how many are in update */
	"ALTER TABLE recipients ADD COLUMN grp TEXT NOT NULL DEFAULT '';"
	"CREATE INDEX recipients_busy ON recipients (grp) WHERE state = 'admitted' AND grp <> '';"

	"CREATE TABLE strata ("
	" campaign TEXT NOT NULL, n INTEGER NOT NULL, name TEXT NOT NULL,"
	" PRIMARY KEY (campaign, n)) WITHOUT ROWID;"

	"CREATE TABLE channels ("
	" product TEXT PRIMARY KEY, frozen_ms INTEGER NOT NULL, frozen_by TEXT NOT NULL,"
	" campaign TEXT NOT NULL, why TEXT NOT NULL) WITHOUT ROWID;";

/* What devices were, over time: a row whenever one says that it is otherwise than before. What was
 * said before this table was there begins with what the store knew then. And what records look
 * for. */
static const char configurations[] =
	"CREATE TABLE configurations ("
	" n INTEGER PRIMARY KEY, device TEXT NOT NULL, at_ms INTEGER NOT NULL,"
	" source TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,"
	" hardware TEXT NOT NULL, agent TEXT NOT NULL, labels TEXT NOT NULL,"
	" slot TEXT NOT NULL, running TEXT NOT NULL, running_digest BLOB,"
	" audit INTEGER NOT NULL);"
	"CREATE INDEX configurations_device ON configurations (device, at_ms, n);"
	"INSERT INTO configurations (device, at_ms, source, epoch, seq, hardware, agent, labels,"
	" slot, running, running_digest, audit)"
	" SELECT id, reported_ms, 'before', epoch, seq, hardware, agent, labels, slot, running,"
	" running_digest, 0 FROM devices;"

	"CREATE INDEX audit_device ON audit (device, n) WHERE device <> '';"
	"CREATE INDEX audit_campaign ON audit (campaign, n) WHERE campaign <> '';"
	"CREATE INDEX audit_other ON audit (what, n) WHERE device = '' AND campaign = '';"
	"CREATE INDEX recipients_device ON recipients (device);"
	"CREATE INDEX excluded_device ON excluded (device);";

/* Devices that have left a campaign, and have not been looked at since for others that they might
 * join. */
static const char freed[] = "ALTER TABLE devices ADD COLUMN freed INTEGER NOT NULL DEFAULT 0;";

/* While receivers change over to a new secret, letters are signed with the old ones, too. */
static const char hook_secrets[] =
	"ALTER TABLE hooks ADD COLUMN old_secrets BLOB;"
	"ALTER TABLE hooks ADD COLUMN old_until_ms INTEGER NOT NULL DEFAULT 0;";

const char *const schema_migrations[] = {devices, metadata, campaigns, users, identities, gates,
	chain, approvals, judged, leases, hooks, telemetry, waves, configurations, freed,
	hook_secrets, NULL};
