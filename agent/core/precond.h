/* Judges preconditions. Pure: what was seen in, verdict and sentence out. */
#ifndef AGENT_CORE_PRECOND_H
#define AGENT_CORE_PRECOND_H

#include "proto/wire/precond.h"

/* What a configured source says of a machine: parked, ignition, link. */
enum precond_signal { PRECOND_SIGNAL_UNKNOWN, PRECOND_SIGNAL_NO, PRECOND_SIGNAL_YES };

struct precond_seen_signal {
	enum precond_signal is; /* YES: it is as the precondition wants it */
	char text[48];          /* what the source said, made printable */
};

struct precond_zone {
	char name[32];
	int64_t milli_c;
};

enum precond_consent { PRECOND_CONSENT_NONE, PRECOND_CONSENT_YES, PRECOND_CONSENT_NO };

/* What was seen of the world, in one look. Zero: nothing was. */
struct precond_facts {
	struct {
		bool known, mains, has_battery;
		unsigned percent; /* of the battery with the least in it */
	} power;
	struct precond_seen_signal parked, ignition, metered;
	struct {
		bool known;
		unsigned minute;   /* of the week, local */
		unsigned second;   /* of that minute */
		unsigned shift_in; /* minutes until the zone's offset changes; 0: not within a week
				    */
		char zone[16];     /* "CET" */
	} local;
	unsigned n_zones;
	struct precond_zone zones[LIMIT_THERMAL_ZONES];
	struct {
		bool known;
		uint64_t percent;
	} loadavg, psi;
	struct {
		bool known;
		uint64_t bytes;
	} space;
	/* To this very release; by `who`, or put off for so long (0: not). */
	struct {
		enum precond_consent is;
		ms_t put_off;
		char who[ID_TEXT_MAX];
	} consent;
	struct {
		bool known, held; /* known: the server has answered */
		ms_t ask_in;      /* not held: when to ask again, 0: it did not say */
		char text[160];   /* its reason, or why it could not be asked */
	} lease;
	/* Why something is not known; "": nobody looked. */
	char why[PRECOND_TYPE_MAX][96];
};

enum precond_is { PRECOND_MET, PRECOND_UNMET, PRECOND_NOT_KNOWN };

struct precond_verdict {
	enum precond_is is;
	bool holds;         /* met, or not known and that passes */
	char value[64];     /* as it was seen: "34 %"; "" when nothing was */
	char limit[96];     /* what is wanted: "at least 50 %" */
	char sentence[240]; /* for people: "the battery has 34 %, at least 50 % is wanted" */
	ms_t look_in;       /* it cannot hold earlier than after this; 0: nobody knows */
};

/* PURE. Never fails: what was not seen is not known. */
void precond_eval(
	const struct precond_rule *r, const struct precond_facts *f, struct precond_verdict *out);

const char *precond_is_name(enum precond_is is);

#endif
