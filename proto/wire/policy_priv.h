/* What the files that read a policy share. */
#ifndef PROTO_WIRE_POLICY_PRIV_H
#define PROTO_WIRE_POLICY_PRIV_H

#include "proto/wire/policy.h"

#define POLICY_WHERE_MAX 48

int policy_u32(const json_t *o, const char *where, const char *key, uint64_t min, uint64_t max,
	uint32_t *out, struct err *e) MUST_CHECK;
void policy_set_number(json_t *o, const char *key, uint64_t v);

/* Members of the policy `j` that may be missing; the outputs are then as they were. */
int policy_judge_parse(const json_t *j, struct policy_judge *out, struct err *e) MUST_CHECK;
json_t *policy_judge_of(const struct policy_judge *g);
int policy_waves_parse(const json_t *j, struct policy *p, struct err *e) MUST_CHECK;
json_t *policy_waves_of(const struct policy *p);
/* Control group, ladder, retries, late joiners, sample ratio. */
int policy_guards_parse(const json_t *j, struct policy *p, struct err *e) MUST_CHECK;
void policy_guards_set(const struct policy *p, json_t *o);
int policy_freezes_parse(const json_t *j, struct policy *p, struct err *e) MUST_CHECK;
json_t *policy_freezes_of(const struct policy *p);

#endif
