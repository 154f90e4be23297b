/* Which parts of a record a page shows, and how. */
#include "server/cli/page_priv.h"

#define END                                                                                        \
	{                                                                                          \
		NULL, NULL, PAGE_TEXT                                                              \
	}
/* What a device was: the same before an update as after it. */
#define CONFIGURATION                                                                              \
	{                                                                                          \
		{"Runs", "runs", PAGE_TEXT}, {"Document", "release_digest", PAGE_CODE},            \
			{"Hardware", "hardware", PAGE_TEXT}, {"Agent", "agent", PAGE_TEXT},        \
			{"Slot", "slot", PAGE_TEXT}, {"Since", "at_ms", PAGE_TIME},                \
			{"Digest", "digest", PAGE_CODE}, {"Audit row", "audit_row", PAGE_TEXT},    \
			END                                                                        \
	}

/* ---- both kinds ---- */

const struct page_view page_common[] = {
	{"What is asked for, and whether it is here", "record.requirements", PAGE_ROWS,
		"Paragraphs are those of UN R156 (42021X0388). “none” means that there was nothing to record.",
		{{"Paragraph", "paragraph", PAGE_TEXT}, {"Asked for", "asks", PAGE_TEXT},
			{"State", "state", PAGE_STATE}, {"Found", "found", PAGE_TEXT},
			{"of", "of", PAGE_TEXT}, {"Where in the JSON", "at", PAGE_CODE},
			{"How it comes to be recorded", "how", PAGE_TEXT}, END},
		NULL},
	{NULL, NULL, PAGE_FACTS, NULL, {END}, NULL}};

#define MOVES                                                                                      \
	{                                                                                          \
		"What became of it, step by step", "moves", PAGE_ROWS, NULL,                       \
			{{"When", "at_ms", PAGE_TIME}, {"From", "from", PAGE_TEXT},                \
				{"To", "to", PAGE_STATE}, {"Its own words", "text", PAGE_TEXT},    \
				END},                                                              \
			NULL                                                                       \
	}
#define ORDERS                                                                                     \
	{                                                                                          \
		"Orders and approvals of people", "orders", PAGE_ROWS, NULL,                       \
			{{"When", "at_ms", PAGE_TIME}, {"Order", "order", PAGE_TEXT},              \
				{"By", "by", PAGE_TEXT}, {"Reason", "reason", PAGE_TEXT}, END},    \
			NULL                                                                       \
	}
#define DECISIONS(of)                                                                                                         \
	{                                                                                                                     \
		"Rows of the audit log", of, PAGE_ROWS,                                                                       \
			"Decisions of people and of the server. Each row is bound to all rows before it by its chain value.", \
			{{"Row", "n", PAGE_TEXT}, {"When", "at", PAGE_TIME},                                                  \
				{"Who", "who", PAGE_TEXT}, {"What", "what", PAGE_TEXT},                                       \
				{"Campaign", "campaign", PAGE_TEXT},                                                          \
				{"Sentence", "text", PAGE_TEXT}, {"Chain", "chain", PAGE_CODE},                               \
				END},                                                                                         \
			NULL                                                                                                  \
	}
#define LAST                                                                                       \
	{                                                                                          \
		NULL, NULL, PAGE_FACTS, NULL, {END}, NULL                                          \
	}

/* ---- a vehicle ---- */

static const struct page_view update[] = {
	{"The update", "", PAGE_FACTS, NULL,
		{{"Release", "release", PAGE_TEXT}, {"Document", "release_digest", PAGE_CODE},
			{"Purpose", "purpose", PAGE_TEXT}, {"Campaign by", "created_by", PAGE_TEXT},
			{"Compatibility", "compatibility", PAGE_TEXT},
			{"Recipients frozen", "frozen_ms", PAGE_TIME},
			{"Admitted", "admitted_ms", PAGE_TIME},
			{"Policy", "policy_digest", PAGE_CODE}, END},
		NULL},
	{"Outcome", "outcome", PAGE_FACTS, NULL,
		{{"State", "state", PAGE_STATE}, {"When", "at_ms", PAGE_TIME},
			{"In words", "text", PAGE_TEXT}, END},
		NULL},
	{"Configuration before", "before.configuration", PAGE_FACTS, NULL, CONFIGURATION, NULL},
	{"Configuration after", "after.configuration", PAGE_FACTS, NULL, CONFIGURATION, NULL},
	{"Conditions of execution", "conditions", PAGE_FACTS, NULL,
		{{"Preconditions", "preconditions", PAGE_SUMMARY},
			{"Frozen at", "freeze", PAGE_SUMMARY},
			{"Disruption budget", "disruption", PAGE_SUMMARY},
			{"Silent after (ms)", "silence_ms", PAGE_TEXT}, END},
		NULL},
	{"What was seen when it decided to switch", "seen", PAGE_ROWS,
		"Each condition as the vehicle saw it right before the new version became active. “unknown” means that it could not be seen, and that the update may go on then.",
		{{"When (its clock)", "at_ms", PAGE_TIME}, {"Report", "seq", PAGE_TEXT},
			{"Condition", "type", PAGE_TEXT}, {"Asked for by", "from", PAGE_TEXT},
			{"Is", "is", PAGE_TEXT}, {"Seen", "value", PAGE_TEXT},
			{"Wanted", "limit", PAGE_TEXT}, END},
		NULL},
	{"Consent of the user", "consent", PAGE_ROWS, NULL,
		{{"When", "at_ms", PAGE_TIME}, {"Answer", "consent", PAGE_TEXT},
			{"By", "who", PAGE_TEXT}, {"To", "target_digest", PAGE_CODE},
			{"Received", "received_ms", PAGE_TIME}, END},
		NULL},
	MOVES,
	{"What the vehicle reported", "execution", PAGE_ROWS, NULL,
		{{"No.", "seq", PAGE_TEXT}, {"When (its clock)", "at_ms", PAGE_TIME},
			{"Kind", "kind", PAGE_TEXT}, {"State", "state", PAGE_TEXT},
			{"Result", "code", PAGE_TEXT}, {"Trigger", "cause", PAGE_TEXT},
			{"In words", "text", PAGE_TEXT}, {"Dossier", "dossier", PAGE_SUMMARY}, END},
		NULL},
	ORDERS, LAST};

const struct page_view page_vehicle[] = {
	{"Vehicle", "record.vehicle", PAGE_FACTS, NULL,
		{{"Identification", "id", PAGE_TEXT}, {"Hardware", "hardware", PAGE_TEXT},
			{"Labels", "labels", PAGE_TEXT}, {"Runs", "release", PAGE_TEXT},
			{"Document", "release_digest", PAGE_CODE},
			{"Registered", "registered_ms", PAGE_TIME},
			{"Last contact", "last_contact_ms", PAGE_TIME},
			{"Certificate", "certificate", PAGE_CODE}, END},
		NULL},
	{"Configurations over time", "record.configurations", PAGE_ROWS,
		"A row whenever the vehicle said that it was otherwise than before. Its digest stands in the audit row.",
		{{"Since", "at_ms", PAGE_TIME}, {"Runs", "runs", PAGE_TEXT},
			{"Document", "release_digest", PAGE_CODE},
			{"Hardware", "hardware", PAGE_TEXT}, {"Agent", "agent", PAGE_TEXT},
			{"Slot", "slot", PAGE_TEXT}, {"Digest", "digest", PAGE_CODE},
			{"Audit row", "audit_row", PAGE_TEXT}, END},
		NULL},
	{"Updates", "record.updates", PAGE_EACH, NULL, {{"Campaign", "campaign", PAGE_TEXT}, END},
		update},
	{"Campaigns that did not take it", "record.excluded", PAGE_ROWS, NULL,
		{{"Campaign", "campaign", PAGE_TEXT}, {"Release", "release", PAGE_TEXT},
			{"Why", "compatibility", PAGE_TEXT}, END},
		NULL},
	{"Software", "record.software", PAGE_ROWS,
		"Everything that it ran or was to run, with the digests by which it is checked.",
		{{"Release", "release", PAGE_TEXT}, {"Version", "version", PAGE_TEXT},
			{"Counter", "counter", PAGE_TEXT}, {"Published", "published_ms", PAGE_TIME},
			{"Document", "digest", PAGE_CODE},
			{"Integrity validation data", "components", PAGE_SUMMARY}, END},
		NULL},
	DECISIONS("record.decisions"), LAST};

/* ---- a release ---- */

static const struct page_view campaign[] = {
	{"The campaign", "", PAGE_FACTS, NULL,
		{{"Made by", "created_by", PAGE_TEXT}, {"Made", "created_ms", PAGE_TIME},
			{"Started", "started_ms", PAGE_TIME}, {"Phase", "phase", PAGE_STATE},
			{"Why", "why", PAGE_TEXT}, {"Selector", "selector", PAGE_CODE},
			{"Policy", "policy", PAGE_SUMMARY}, {"Engine", "engine", PAGE_TEXT}, END},
		NULL},
	{"Recipients", "recipients", PAGE_ROWS,
		"Frozen when the campaign was started, each with its last known configuration, which was found compatible.",
		{{"Vehicle", "device", PAGE_TEXT}, {"Compatibility", "compatibility", PAGE_TEXT},
			{"State", "state", PAGE_STATE}, {"Admitted", "admitted_ms", PAGE_TIME},
			{"Ended", "ended_ms", PAGE_TIME}, {"Ran before", "before_path", PAGE_TEXT},
			{"Configuration before", "configuration_before", PAGE_CODE},
			{"Configuration after", "configuration_after", PAGE_CODE}, END},
		NULL},
	{"Selected, and not taken", "excluded", PAGE_ROWS, NULL,
		{{"Vehicle", "device", PAGE_TEXT}, {"Why", "compatibility", PAGE_TEXT}, END}, NULL},
	ORDERS, DECISIONS("decisions"), LAST};

const struct page_view page_release[] = {
	{"Release", "record.software", PAGE_FACTS, NULL,
		{{"Release", "release", PAGE_TEXT}, {"Document", "digest", PAGE_CODE},
			{"Product", "product", PAGE_TEXT}, {"Version", "version", PAGE_TEXT},
			{"Counter", "counter", PAGE_TEXT}, {"Purpose", "purpose", PAGE_TEXT},
			{"Published", "published_ms", PAGE_TIME},
			{"Made for hardware", "match.hardwareIds", PAGE_TEXT},
			{"Ways back", "match.rollbackTo", PAGE_SUMMARY}, END},
		NULL},
	{"What it means for approvals", "record.update_record", PAGE_FACTS,
		"As the release's update-record evidence states it.",
		{{"Purpose", "purpose", PAGE_TEXT}, {"Systems", "systems", PAGE_SUMMARY},
			{"Touches approval parameters", "approval.affected", PAGE_TEXT},
			{"Approval sought", "approval.sought", PAGE_TEXT},
			{"Approval", "approval.reference", PAGE_TEXT},
			{"RXSWIN", "rxswin", PAGE_SUMMARY}, {"Process", "process", PAGE_SUMMARY},
			{"Conditions", "conditions", PAGE_TEXT}, END},
		NULL},
	{"Software and integrity validation data", "record.software.components", PAGE_ROWS, NULL,
		{{"Component", "name", PAGE_TEXT}, {"Kind", "kind", PAGE_TEXT},
			{"Place", "path", PAGE_TEXT}, {"Artifact", "artifact", PAGE_SUMMARY}, END},
		NULL},
	{"Conditions of execution, tests and triggers", "record.software", PAGE_FACTS, NULL,
		{{"Preconditions", "preconditions", PAGE_SUMMARY},
			{"Tests before the switch", "smoke", PAGE_SUMMARY},
			{"Soak (ms)", "soak_ms", PAGE_TEXT},
			{"What takes it back", "triggers", PAGE_SUMMARY}, END},
		NULL},
	{"Signatures", "record.signatures", PAGE_ROWS, NULL,
		{{"Party", "role", PAGE_TEXT}, {"Version of its file", "version", PAGE_TEXT},
			{"Keys", "keys", PAGE_CODE}, {"Good until", "expires_ms", PAGE_TIME}, END},
		NULL},
	{"Approvals", "record.approvals", PAGE_ROWS, NULL,
		{{"Party", "role", PAGE_TEXT}, {"By", "by", PAGE_TEXT},
			{"When", "at_ms", PAGE_TIME}, {"Document", "document", PAGE_CODE}, END},
		NULL},
	{"Evidence", "record.evidence", PAGE_ROWS, NULL,
		{{"Kind", "kind", PAGE_TEXT}, {"Digest", "digest", PAGE_CODE},
			{"What it says", "predicate", PAGE_SUMMARY}, END},
		NULL},
	{"Gates", "record.gates", PAGE_ROWS, NULL,
		{{"Gate", "gate", PAGE_TEXT}, {"Passed", "met", PAGE_STATE},
			{"Judged", "judged_ms", PAGE_TIME}, {"Missing", "missing", PAGE_TEXT},
			{"Policy", "policy", PAGE_CODE}, END},
		NULL},
	{"Campaigns", "record.campaigns", PAGE_EACH, NULL,
		{{"Campaign", "campaign", PAGE_TEXT}, END}, campaign},
	{"Drift that devices saw", "record.drifts", PAGE_ROWS, NULL,
		{{"Metric", "metric", PAGE_TEXT}, {"Value", "value_milli", PAGE_MILLI},
			{"Threshold", "threshold_milli", PAGE_MILLI},
			{"Devices", "devices", PAGE_TEXT}, {"Samples", "samples", PAGE_TEXT},
			{"From", "from_ms", PAGE_TIME}, {"To", "to_ms", PAGE_TIME},
			{"Reference", "reference", PAGE_CODE}, END},
		NULL},
	DECISIONS("record.decisions"), LAST};
