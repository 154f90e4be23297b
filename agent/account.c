#include "agent/account.h"

#include <pwd.h>
#include <unistd.h>

#define WORKER_USER "backstay-worker"

static bool look_up(const char *name, struct account *out)
{
	const struct passwd *u = getpwnam(name);

	if (u)
		*out = (struct account){u->pw_uid, u->pw_gid};
	return u != NULL;
}

int account_find(const char *key, const char *name, struct account *out, struct err *e)
{
	if (name[0] == 0 || look_up(name, out))
		return 0;
	return err_set(e, ERR_CONFIG, "%s: there is no user '%s'", key, name);
}

/* A worker that is root is none: that name in the configuration is a mistake. */
int account_of_worker(const char *configured, struct account *out, struct err *e)
{
	static const char *const names[] = {WORKER_USER, "nobody"};
	struct account who = {0};

	if (geteuid() != 0)
		return 0;
	TRY(account_find("agent.worker_user", configured, &who, e));
	for (size_t i = 0; !configured[0] && !who.uid && i < ARRAY_LEN(names); i++)
		(void)!look_up(names[i], &who);
	if (!who.uid)
		return err_set(
			e, ERR_CONFIG, "agent.worker_user: a user other than root is needed");
	*out = who;
	return 0;
}
