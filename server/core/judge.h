/* Is the new release worse than what ran before, good enough, or not known yet? One pure step over
 * counts. The unit is the device (or a window or an event of one), never the inference: what one
 * device infers is correlated.
 *
 *   guard     k failures among the first n devices of the canary, and as large a share of all that
 *             have begun: no statistics, for tiny waves
 *   abort     two arms, or one against a known rate where nobody is in the control group
 *             (evalue.h); pooled over strata with half of alpha, each stratum with its share of the
 *             other half, so that 8 % of one model is not hidden by a million others; several
 *             metrics share alpha
 *   promote   against "at least bad_ppm of the devices fail", over all devices of the campaign
 *
 * Two arms are compared only at moments at which they are in step: for all canaries that have
 * begun, whether they have ended or not, the control group has at least as many outcomes as the
 * share says. Failures are faster than successes, so whoever looked at canaries that have ended
 * would find bad ones first; and as long as the control group is behind, its failures are missing.
 * In step, more control outcomes than the share says only make it harder to abort, and canaries
 * that have not ended can only add failures: the chance of a false abort stays below alpha. One arm
 * is compared with the usual rate of all that have begun, for the same reason.
 *
 * What hits everybody may come when the control group was heard for this wave already, and canaries
 * say so at once, others at the end of a span of their watch. So two arms abort in two steps: what
 * would be enough begins a *turn*, in which the control group is asked anew; when the arms are in
 * step again, canaries as they were when the turn began are held beside the worse of what the group
 * said before and now. That can only make an abort harder.
 *
 * Each may be looked at after every device. Evidence is carried from wave to wave: the e-values of
 * the waves' abort tests multiply, the promote test counts on. A verdict to abort stays. One to
 * promote stays until there is proof of the contrary: who has gone silent is known later than who
 * has committed. The end of the time without one is INCONCLUSIVE: the policy says what then.
 *
 * The state is made of whole numbers only (evidence in millionths of a natural logarithm), so that
 * it is stored and replayed byte for byte. */
#ifndef SERVER_CORE_JUDGE_H
#define SERVER_CORE_JUDGE_H

#include "lib/buf.h"
#include "lib/err.h"

#define JUDGE_METRICS 4U
#define JUDGE_STRATA  8U

/*  id, name, what it means */
#define JUDGE_VERDICT_TABLE(X)                                                                     \
	X(OPEN, "open", "not known yet")                                                           \
	X(PROMOTE, "promote", "fails less often than what the policy calls bad")                   \
	X(ABORT, "abort", "fails more often than what ran before")                                 \
	X(INCONCLUSIVE, "inconclusive", "the time is over and neither is shown")

enum judge_verdict {
#define X(id, ...) JUDGE_##id,
	JUDGE_VERDICT_TABLE(X)
#undef X
		JUDGE_VERDICT_MAX
};

/*  id, name: which test gave the verdict */
#define JUDGE_TEST_TABLE(X)                                                                        \
	X(NONE, "none")                                                                            \
	X(GUARD, "guard")                                                                          \
	X(POOLED, "pooled")                                                                        \
	X(STRATUM, "stratum")                                                                      \
	X(PROMOTE, "promote")

enum judge_test {
#define X(id, ...) JUDGE_BY_##id,
	JUDGE_TEST_TABLE(X)
#undef X
		JUDGE_TEST_MAX
};

/* Shares in millionths. */
struct judge_rule {
	uint32_t abort_alpha, promote_alpha; /* 0: that test is off */
	uint32_t bad;                        /* promote: a share of failing devices that is bad */
	uint32_t base[JUDGE_METRICS];        /* without a control group: the rate that is usual */
	uint32_t guard_k, guard_n;           /* 0: no guard */
	unsigned metrics, strata;            /* at least 1 each; metric 0 counts devices */
};

struct judge_tally {
	uint32_t canary, canary_bad;
	uint32_t control, control_bad;
	uint32_t begun; /* canaries that have the release, ended or not */
	uint32_t due;   /* failures of canaries when the turn began that is under way */
	uint32_t least; /* failures of the control group in an earlier turn of this wave */
};

struct judge_evidence {
	int64_t carried; /* of the waves before */
	int64_t peak;    /* the most there ever was */
	int64_t last;    /* when the arms were in step last: what the next wave takes over */
};

struct judge_state {
	enum judge_verdict verdict;
	enum judge_test by;
	unsigned by_metric, by_stratum;
	uint32_t share; /* of the canary in the exposure of this wave; 1000000: nobody to compare
			   with */
	struct judge_tally wave[JUDGE_METRICS][JUDGE_STRATA];
	struct judge_evidence pooled[JUDGE_METRICS], stratum[JUDGE_METRICS][JUDGE_STRATA];
	struct judge_evidence promote;
	uint32_t devices, failures; /* of the canary, in all waves */
	bool asked;                 /* a turn is under way */
	unsigned scope;             /* of what began it: a stratum, JUDGE_STRATA: all */
	uint32_t turns;             /* that were begun, in all waves */
};

enum judge_ev_kind {
	JEV_WAVE,    /* a wave opens with this share; what is known is carried */
	JEV_BEGUN,   /* n canaries more have the release; negative: fewer */
	JEV_OUTCOME, /* n units of an arm ended, `bad` of them badly; of none, 1: one that was
			counted as good has failed after all. Negative numbers take back
			what was counted: whoever was silent has been heard of again */
	JEV_END      /* the time for this wave is over */
};
enum judge_arm { JUDGE_CANARY, JUDGE_CONTROL };

struct judge_event {
	enum judge_ev_kind kind;
	uint32_t share; /* JEV_WAVE */
	enum judge_arm arm;
	unsigned metric, stratum;
	int32_t n, bad; /* JEV_OUTCOME; n: JEV_BEGUN */
};

void judge_init(struct judge_state *s);

/* PURE. ERR_BAD_INPUT for a rule or an event that cannot be: then *next is untouched. */
int judge_step(const struct judge_rule *r, const struct judge_state *now,
	const struct judge_event *ev, struct judge_state *next, struct err *e) MUST_CHECK;

/* May the arms be compared now? True where there is one arm only. `stratum`: JUDGE_STRATA for the
 * sum over all. */
bool judge_in_step(const struct judge_rule *r, const struct judge_state *s, unsigned stratum);
/* Evidence of this moment, in millionths of a natural logarithm, with what was carried. */
int64_t judge_pooled(const struct judge_rule *r, const struct judge_state *s, unsigned metric);
int64_t judge_stratum(
	const struct judge_rule *r, const struct judge_state *s, unsigned metric, unsigned stratum);
int64_t judge_promote(const struct judge_rule *r, const struct judge_state *s);
/* What each needs for its verdict. */
int64_t judge_pooled_limit(const struct judge_rule *r);
int64_t judge_stratum_limit(const struct judge_rule *r);
int64_t judge_promote_limit(const struct judge_rule *r);

/* A sentence for people: the counts, the evidence as a number of times, and what is needed. */
void judge_format(const struct judge_rule *r, const struct judge_state *s, struct buf *out);

/* The state as whole numbers separated by blanks, and back; ERR_BAD_INPUT. Only the
 * metrics and strata of the rule are in it. */
void judge_encode(const struct judge_rule *r, const struct judge_state *s, struct buf *out);
int judge_decode(const struct judge_rule *r, struct str text, struct judge_state *out,
	struct err *e) MUST_CHECK;

const char *judge_verdict_name(enum judge_verdict v);
const char *judge_test_name(enum judge_test t);

#endif
