#include <argp.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include <systemd/sd-event.h>

#include "agent/main.tbl.h"
#include "agent/version.h"
#include "agent/bus/bus.h"
#include "agent/rescue.h"
#include "agent/world.h"
#include "lib/sys/log.h"
#include "lib/sys/program.h"

static const char doc[] =
	AGENT_PURPOSE "\v" AGENT_ABOUT "\n\nFirst steps on a new device:\n" AGENT_STEPS
		      "\n" AGENT_THEN "\n\nExit status: " AGENT_EXIT;

enum {
	OPT_FIRST = 1000,
#define X(id, ...) OPT_##id,
	AGENT_OPTIONS(X)
#undef X
};

static const struct argp_option options[] = {
#define X(id, name, letter, arg, text) {name, (letter) ? (letter) : OPT_##id, arg, 0, text, 0},
	AGENT_OPTIONS(X)
#undef X
		{0},
};

struct args {
	const char *config, *home, *provision, *from;
	bool dump, once, rescue, worker, version;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case 'c':
		a->config = arg;
		return 0;
	case 'H':
		a->home = arg;
		return 0;
	case 'V':
		a->version = true;
		return 0;
	case OPT_DUMP:
		a->dump = true;
		return 0;
	case OPT_PROVISION:
		a->provision = arg;
		return 0;
	case OPT_ONCE:
		a->once = true;
		return 0;
	case OPT_FROM:
		a->from = arg;
		return 0;
	case OPT_RESCUE:
		a->rescue = true;
		return 0;
	case OPT_WORKER:
		a->worker = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected word: %s", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {.options = options, .parser = parse, .doc = doc};

/* ---- configuration ---- */

static int load(const struct args *args, struct agent_conf *conf, struct err *e)
{
	BUF_AUTO problems = {0};
	int rc = agent_conf_load(args->config, args->home, conf, &problems, e);

	program_say_problems(&problems);
	return rc;
}

/* Without a file this prints the defaults, so that the first file can be made of it. */
static int dump(const struct args *args, struct agent_conf *conf, struct err *e)
{
	struct conf_trace trace CLEANUP(conf_trace_fini) = {{0}};
	BUF_AUTO problems = {0};
	size_t n;
	const struct conf_row *rows = agent_conf_rows(&n);
	int rc = agent_conf_read(args->config, args->home, conf, &trace, &problems, e);

	program_say_problems(&problems);
	return rc < 0 ? rc : program_dump_conf(rows, n, conf, &trace, e);
}

/* ---- provisioning ---- */

static int read_root(const char *dir, const char *name, struct buf *out, struct err *e)
{
	struct fs fs;

	TRY(fs_posix_open(dir, &fs, e));
	int rc = fs_read_file(&fs, name, LIMIT_ROOT_BYTES, out, e);

	fs_posix_close(&fs);
	return rc;
}

static int provision(const struct agent_conf *conf, const char *dir, struct err *e)
{
	struct world *w CLEANUP(world_close) = NULL;
	BUF_AUTO director = {0}, image = {0};
	struct agent_conf alone = *conf;

	alone.mqtt.url[0] = '\0'; /* nobody wakes a device that is being made */
	TRY(read_root(dir, "director/1.root.json", &director, e));
	TRY(read_root(dir, "image/1.root.json", &image, e));
	TRY(world_open(&alone, &w, e));
	return desired_provision(world_ports(w)->fs, buf_str(&director), buf_str(&image), e);
}

/* ---- the service ---- */

struct service {
	struct world *world;
	struct agent *agent;
	struct ctl *ctl;
	struct bus *bus;
	sd_event *loop;
};

/* In the order of dependence, from the outside in. */
static void service_end(struct service *s)
{
	bus_close(&s->bus);
	ctl_close(&s->ctl);
	if (s->world)
		world_detach(s->world);
	agent_close(&s->agent);
	world_close(&s->world);
	sd_event_unref(s->loop);
}

static unsigned state_of(void *agent)
{
	return agent_state(agent);
}

static int service_begin(struct service *s, const struct agent_conf *conf, bool once, struct err *e)
{
	TRY(program_loop(&s->loop, e));
	TRY(world_open(conf, &s->world, e));
	TRY(agent_open(conf, world_ports(s->world), &s->agent, e));
	TRY(world_attach(s->world, s->loop, s->agent, once, e));
	TRY(ctl_open(s->loop, conf->agent.socket, agent_answer, s->agent, &s->ctl, e));
	return bus_open(s->loop,
		&(struct bus_conf){conf->agent.bus, agent_answer, state_of, s->agent}, &s->bus, e);
}

static int serve(const struct agent_conf *conf, bool once, const char *from, struct err *e)
{
	struct service s CLEANUP(service_end) = {0};

	TRY(service_begin(&s, conf, once, e));
	if (from)
		TRY(agent_carry(s.agent, from, e));
	log_ev(LOG_ID_START, "version=%s device=%s home=%s", AGENT_VERSION, conf->device.id,
		conf->agent.home);
	sd_notify(0, "READY=1");
	int rc = sd_event_loop(s.loop);

	sd_notify(0, "STOPPING=1");
	log_ev(LOG_ID_STOP, "state=%s", upd_state_name(agent_state(s.agent)));
	if (rc < 0)
		return err_sys(e, -rc, "event loop");
	return once ? agent_trouble(s.agent, e) : 0;
}

/* ---- in place of an agent that is lost ---- */

/* Without the server: what brings the old version back must wait for nobody. The report is sent by
 * the next agent. */
static int take_over(struct agent_conf *conf, enum promise_fault why, struct err *e)
{
	struct service s CLEANUP(service_end) = {0};

	conf->server.url[0] = 0;
	TRY(service_begin(&s, conf, true, e));
	agent_rescue(s.agent, promise_fault_text(why));
	log_ev(LOG_ID_RESCUE, "state=%s why=\"%s\"", upd_state_name(agent_state(s.agent)),
		promise_fault_text(why));
	int rc = sd_event_loop(s.loop);

	return rc < 0 ? err_sys(e, -rc, "event loop") : agent_trouble(s.agent, e);
}

static int rescue(struct agent_conf *conf, struct err *e)
{
	enum promise_fault why;
	int rc = rescue_look(conf, &why, e);

	if (rc == -ERR_NOT_FOUND)
		return 0;
	TRY(rc);
	if (why == PROMISE_KEPT)
		return 0;
	TRY(rescue_end_agent(conf, e));
	return take_over(conf, why, e);
}

/* ---- what was carried here ---- */

struct shown {
	char state[32], waits[LIMIT_TEXT];
};

/* A person stands there and waits, too. */
static void show_wait(const json_t *got, struct shown *shown)
{
	char text[LIMIT_TEXT] = "";
	const json_t *waits = json_object_get(got, "waits");

	if (json_is_object(waits))
		(void)!json_text_opt(waits, "status.waits", "text", text, sizeof text, NULL);
	if (*text && strcmp(text, shown->waits) != 0)
		printf("waits: %s\n", text);
	memcpy(shown->waits, text, sizeof text);
	fflush(stdout);
}

/* Prints what has changed, and tells whether it is over; how it ended is the answer's error. */
static int look_how_it_goes(
	const struct agent_conf *conf, struct shown *shown, bool *out_over, struct err *e)
{
	JSON_AUTO *ask = json_pack("{s:s}", "cmd", "status"), *got = NULL;
	const json_t *carried;
	char code[32] = "", reason[LIMIT_TEXT] = "", now[32];

	TRY(ctl_call(conf->agent.socket, ask, SEC(30), &got, e));
	TRY(json_text(got, "status", "state", now, sizeof now, e));
	if (strcmp(now, shown->state) != 0)
		printf("%s\n", strcpy(shown->state, now));
	show_wait(got, shown);
	TRY(json_obj(got, "status", "carried", &carried, e));
	*out_over = json_is_true(json_object_get(carried, "over"));
	TRY(json_text(carried, "status.carried", "code", code, sizeof code, e));
	(void)!json_text_opt(carried, "status.carried", "reason", reason, sizeof reason, NULL);
	if (*out_over && strcmp(code, err_name(ERR_OK)) != 0)
		return err_set(e, err_by_name(code), "%s", reason);
	return 0;
}

static int wait_for_end(const struct agent_conf *conf, struct err *e)
{
	struct shown shown = {.state = ""};
	bool over = false;

	while (!over) {
		TRY(look_how_it_goes(conf, &shown, &over, e));
		if (!over)
			usleep(200 * 1000);
	}
	return 0;
}

/* The agent that runs here is asked: it has the home, and goes on watching afterwards. */
static int hand_over(const struct agent_conf *conf, const char *dir, struct err *e)
{
	JSON_AUTO *ask = json_pack("{s:s, s:s}", "cmd", "from", "dir", dir), *got = NULL;

	return ctl_call(conf->agent.socket, ask, SEC(30), &got, e);
}

static int install_from(const struct agent_conf *conf, const char *from, struct err *e)
{
	char *dir CLEANUP(mem_free) = realpath(from, NULL);

	if (!dir)
		return err_sys(e, errno, "%s", from);
	if (hand_over(conf, dir, e) == 0)
		return wait_for_end(conf, e);
	/* Nobody listens at the socket? */
	return e->sys || e->code == ERR_NET ? serve(conf, true, dir, e) : -(int)e->code;
}

static int run(const struct args *args, struct err *e)
{
	static struct agent_conf conf; /* too large for the stack's taste, and lives as long */

	if (args->dump)
		return dump(args, &conf, e);
	TRY(load(args, &conf, e));
	if (args->provision)
		return provision(&conf, args->provision, e);
	if (args->rescue)
		return rescue(&conf, e);
	if (args->from)
		return install_from(&conf, args->from, e);
	return serve(&conf, args->once, NULL, e);
}

/* Its threads may still run: nothing is tidied up beneath them. */
static void work(void)
{
	struct err e = {0};
	int rc = serve_run(WORKER_FD, &e);

	if (rc < 0)
		fprintf(stderr, "backstay-agent: worker: %s\n", e.text);
	_exit(rc < 0 ? err_exit(e.code) : 0);
}

int main(int argc, char **argv)
{
	struct args args = {0};
	struct err e = {0};

	argp_err_exit_status = err_exit(ERR_USAGE);
	argp_parse(&parser, argc, argv, 0, NULL, &args);
	if (args.version) {
		puts("backstay-agent " AGENT_VERSION);
		return 0;
	}
	/* A heap per lane's thread would cost more than waiting for each other; and the large
	 * buffers of staging must not teach malloc to keep what is freed. */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 64 * 1024);
	mallopt(M_TRIM_THRESHOLD, 64 * 1024);
	log_init("backstay-agent", log_form_here(), LOG_INFO);
	if (args.worker)
		work();
	if (run(&args, &e) == 0)
		return 0;
	fprintf(stderr, "backstay-agent: %s\n", e.text);
	return err_exit(e.code);
}
