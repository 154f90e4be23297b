/* Who may ask, and how often. */
#include "server/api/api_priv.h"

#include "lib/sys/clock.h"

static int too_often(ms_t wait, const char *who, unsigned *out_wait_s, struct err *e)
{
	*out_wait_s = (unsigned)((wait + 999) / 1000);
	return err_set(e, ERR_TOO_OFTEN, "%s asks too often", who);
}

/* Somebody who guesses tokens is slowed down before the store is asked. */
static int refuse_guesser(
	const struct api *a, const struct web_request *rq, unsigned *out_wait_s, struct err *e)
{
	ms_t wait;

	if (buckets_has(a->limits.wrong, str_of(rq->peer), clock_system.mono(NULL), &wait))
		return 0;
	*out_wait_s = (unsigned)(wait / 1000 + 1);
	return err_set(e, ERR_TOO_OFTEN, "too many wrong tokens from %s", rq->peer);
}

void caller_was_wrong(struct api *a, const struct web_request *rq)
{
	ms_t wait;

	(void)buckets_take(a->limits.wrong, str_of(rq->peer), clock_system.mono(NULL), &wait);
}

static int check_person(
	struct api *a, const struct web_request *rq, unsigned *out_wait_s, struct err *e)
{
	int rc;

	if (!*rq->bearer)
		return err_set(e, ERR_DENIED, "%s %s wants a token", route_method(rq->route),
			route_path(rq->route));
	TRY(refuse_guesser(a, rq, out_wait_s, e));
	rc = user_check(a->run, str_of(rq->bearer), &a->user, e);
	if (rc == -ERR_DENIED)
		caller_was_wrong(a, rq);
	TRY(rc);
	if (!user_role_may(a->user.role, route_caller(rq->route)))
		return err_set(e, ERR_DENIED, "%s is %s, and may not %s %s", a->user.name,
			user_role_name(a->user.role), route_method(rq->route),
			route_path(rq->route));
	return 0;
}

/* A device's bucket is taken from only by who may speak as the device: nobody else can use it up.
 */
static int check_device(
	struct api *a, const struct web_request *rq, unsigned *out_wait_s, struct err *e)
{
	char device[ID_TEXT_MAX];
	ms_t wait;

	TRY(answer_id(rq, 0, "device", device, e));
	TRY(enrol_check(&a->enrol, rq->client_cert, device, e));
	if (!buckets_take(a->limits.devices, str_of(device), clock_system.mono(NULL), &wait))
		return too_often(wait, device, out_wait_s, e);
	return 0;
}

int caller_check(struct api *a, const struct web_request *rq, unsigned *out_wait_s, struct err *e)
{
	enum route_caller caller = route_caller(rq->route);
	ms_t wait;

	if (!buckets_take(a->limits.peers, str_of(rq->peer), clock_system.mono(NULL), &wait))
		return too_often(wait, rq->peer, out_wait_s, e);
	if (caller_is_person(caller))
		return check_person(a, rq, out_wait_s, e);
	if (caller == CALLER_DEVICE)
		return check_device(a, rq, out_wait_s, e);
	return caller == CALLER_INVITED ? refuse_guesser(a, rq, out_wait_s, e) : 0;
}
