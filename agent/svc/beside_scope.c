/* A group for a challenger that the agent has started itself: a transient scope of the service
 * manager. What a process and its children use together can only be limited by a control group, and
 * who owns the tree of those is the manager (docs/adr/0030). */
#include "agent/svc/beside_priv.h"

#include <stdio.h>
#include <string.h>

#include "lib/prng.h"

#define MARK      "scope" /* there while it may be */
#define TAKE_WAIT SEC(5)
#define STOP_WAIT SEC(10)
#define GRACE_US  2000000ULL /* from being asked to end to being killed */

/* One for each agent of a machine, by the folder that only it has. */
static void name_of(const struct beside *b, char out[64])
{
	snprintf(out, 64, "backstay-challenger-%016llx.scope",
		(unsigned long long)hash64(0, b->dir, strlen(b->dir)));
}

struct taking {
	const struct beside_spec *spec;
	uint32_t pid;
};

static int fill(sd_bus_message *m, void *ctx)
{
	const struct taking *t = ctx;
	int rc;

	if ((rc = sd_bus_message_open_container(m, 'a', "(sv)")) < 0 ||
		(rc = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)", "Description", "s",
			 "a challenger beside the workload", "CollectMode", "s",
			 "inactive-or-failed", "TimeoutStopUSec", "t", GRACE_US, "PIDs", "au", 1,
			 t->pid)) < 0 ||
		(rc = beside_add_limits(m, t->spec)) < 0 ||
		(rc = sd_bus_message_close_container(m)) < 0)
		return rc;
	return sd_bus_message_append(m, "a(sa(sv))", 0);
}

/* Marked first: a mark too many costs a question, a scope too many would stay. */
int beside_scope_take(struct beside *b, pid_t pid, const struct beside_spec *spec, struct err *e)
{
	struct taking t = {spec, (uint32_t)pid};
	char name[64];

	name_of(b, name);
	TRY(fs_write_file(&b->own, MARK, name, strlen(name), 0640, e));
	return svc_unit_call(
		&(struct svc_unit_call){
			.verb = "StartTransientUnit", .unit = name, .fill = fill, .ctx = &t},
		TAKE_WAIT, e);
}

static int stop(const char *name, struct err *e)
{
	bool active;

	TRY(svc_unit_is_there(name, &active, e));
	return active ? svc_unit_order("StopUnit", name, STOP_WAIT, e) : 0;
}

/* The process group is dead by then; this is for who has left it. A manager that does not answer
 * keeps the mark, and is asked again before the next one starts. */
void beside_scope_stop(struct beside *b)
{
	char name[64];
	BUF_AUTO text = {0};
	struct err ignored;

	name_of(b, name);
	if (fs_read_file(&b->own, MARK, sizeof name, &text, &ignored) == 0 &&
		stop(name, &ignored) == 0)
		(void)!fs_remove_tree(&b->own, MARK, &ignored);
}
