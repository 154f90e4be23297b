#include "server/run/verdict.h"

#include <string.h>

#include "server/repo/devices.h"

/* How an update ended, by the state that the device was in when it said so. */
static const struct {
	const char *state;
	enum recipient_state is;
} ends[] = {
	{"committed", RECIPIENT_COMMITTED},
	{"reverted", RECIPIENT_REVERTED},
	{"failed", RECIPIENT_FAILED},
	{"stuck", RECIPIENT_FAILED},
};

static enum recipient_state end_of(const struct report *r)
{
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (strcmp(r->state, ends[i].state) == 0)
			return ends[i].is;
	return r->code == ERR_OK ? RECIPIENT_COMMITTED : RECIPIENT_FAILED;
}

/* A refusal that asking again cannot change. One that is about an older order is history, and one
 * that comes while an update goes on is not about that update. */
static bool is_refused(const struct verdict_in *in, const struct report *r)
{
	return r->kind == REPORT_REFUSED && err_retry(r->code) == ERR_RETRY_NEVER &&
	       device_is_settled(r->state) &&
	       (!r->director_version || r->director_version == in->director_version);
}

static bool is_end_of(const struct report *r, const struct sha256 *document)
{
	return r->kind == REPORT_OUTCOME && sha256_eq(&r->target_digest, document);
}

static enum recipient_state on_the_way(const struct verdict_in *in, const struct report *r)
{
	if (is_end_of(r, in->release))
		return end_of(r);
	if (is_refused(in, r))
		return RECIPIENT_FAILED;
	return RECIPIENT_ADMITTED; /* heard of, at least */
}

/* Somebody at the device may have taken it back later. */
static enum recipient_state after_commit(const struct verdict_in *in, const struct report *r)
{
	bool runs_it = sha256_eq(&r->running_digest, in->release);

	return device_is_settled(r->state) && !runs_it && !sha256_is_zero(&r->running_digest)
		       ? RECIPIENT_REVERTED
		       : RECIPIENT_COMMITTED;
}

static enum recipient_state on_the_way_back(const struct verdict_in *in, const struct report *r)
{
	bool runs_before = sha256_eq(&r->running_digest, in->before);

	if (is_end_of(r, in->release) && end_of(r) == RECIPIENT_REVERTED)
		return RECIPIENT_REVERTED;
	if (runs_before && device_is_settled(r->state))
		return RECIPIENT_BACK;
	if (is_end_of(r, in->before) || is_refused(in, r))
		return RECIPIENT_FAILED;
	return RECIPIENT_ORDERED_BACK;
}

enum recipient_state verdict_eval(const struct verdict_in *in, const struct report *r)
{
	switch (in->state) {
	case RECIPIENT_ADMITTED:
		return on_the_way(in, r);
	case RECIPIENT_COMMITTED:
		return after_commit(in, r);
	case RECIPIENT_ORDERED_BACK:
		return on_the_way_back(in, r);
	case RECIPIENT_SILENT:
		return in->ordered_back ? on_the_way_back(in, r) : on_the_way(in, r);
	default:
		return in->state;
	}
}

/* What a device gives up for reasons that are not the release's. One that waited in vain for a
 * precondition says "expired"; what is unmet only for now ends nothing. */
static const struct {
	enum err_code code;
	enum policy_transient class;
} transient[] = {
	{ERR_NET, POLICY_TRANSIENT_NETWORK},
	{ERR_TIMEOUT, POLICY_TRANSIENT_NETWORK},
	{ERR_BUSY, POLICY_TRANSIENT_NETWORK},
	{ERR_TOO_OFTEN, POLICY_TRANSIENT_NETWORK},
	{ERR_NO_SPACE, POLICY_TRANSIENT_DISK},
	{ERR_IO, POLICY_TRANSIENT_DISK},
	{ERR_EXPIRED, POLICY_TRANSIENT_UNMET},
	{ERR_UNMET, POLICY_TRANSIENT_UNMET},
	{ERR_WORKER, POLICY_TRANSIENT_WORKER},
};

/* One that is stuck takes no order, whatever it got stuck with. */
static bool is_given_up(const struct report *r)
{
	return r->kind == REPORT_OUTCOME && strcmp(r->state, "failed") == 0;
}

bool verdict_is_again(const struct policy *p, enum recipient_state was, enum recipient_state is,
	const struct report *r, uint32_t tries)
{
	if (was != RECIPIENT_ADMITTED || is != RECIPIENT_FAILED || !is_given_up(r))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(transient); i++)
		if (transient[i].code == r->code)
			return tries < p->retry[transient[i].class];
	return false;
}
