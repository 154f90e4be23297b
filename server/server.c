#include "server/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/sys/entropy.h"
#include "lib/sys/fs.h"
#include "lib/sys/log.h"
#include "server/api/api.h"
#include "server/broker/broker.h"
#include "server/export/export.h"
#include "server/listen.h"
#include "server/hook/post.h"
#include "server/run/imagerepo.h"
#include "server/version.h"

#define TICK_US     1000000ULL
#define UPLOADS     "upload"
#define ARTIFACTS   "artifacts"
#define TOKEN       "token"
#define SIGNER_CONF "signer.conf"

/* Wrong tokens of one address: a person who mistypes never notices. */
#define WRONG_BURST    30
#define WRONG_INTERVAL SEC(2)
#define ASKERS         4096 /* that are remembered */

/* Certificates of one device: enough for one that is set up again and again, on one day. */
#define BUDGET_BURST    20
#define BUDGET_INTERVAL MINUTE(5)

struct server {
	const struct server_conf *conf;
	struct fs data;
	struct db db;
	struct signer *signer;
	struct run_conf run_conf;
	struct run *run;
	struct api api;
	struct web *web;
	sd_event_source *timer;
	char artifacts[FS_PATH_MAX], uploads[FS_PATH_MAX], signer_conf[FS_PATH_MAX];
	struct issuer *issuer;
	struct buckets *budget;
	char device_ca[FS_PATH_MAX]; /* the authority's certificate, or "" */
	struct broker *broker;       /* NULL: devices poll */
	struct listen *listen;
	struct post_conf post_conf;
	struct post *post;
	struct export_conf export_conf;
	struct export *export; /* NULL: no collector is told */
};

/* ---- the data folder ---- */

/* What was under way when the last server ended is of no use. */
static int open_data(struct server *s, struct err *e)
{
	const char *dir = s->conf->server.data;

	if (mkdir(dir, 0750) < 0 && errno != EEXIST)
		return err_sys(e, errno, "%s", dir);
	TRY(fs_posix_open(dir, &s->data, e));
	TRY(fs_remove_tree(&s->data, UPLOADS, e));
	TRY(fs_make_dirs(&s->data, UPLOADS, e));
	TRY(fs_make_dirs(&s->data, ARTIFACTS, e));
	snprintf(s->artifacts, sizeof s->artifacts, "%s/%s", dir, ARTIFACTS);
	snprintf(s->uploads, sizeof s->uploads, "%s/%s", dir, UPLOADS);
	return 0;
}

/* ---- opening ---- */

static int open_store(struct server *s, struct err *e)
{
	char path[FS_PATH_MAX];

	snprintf(path, sizeof path, "%s/store.db", s->conf->server.data);
	return db_sqlite_open(path, &s->db, e);
}

/* For a signer that is started here. DATA/signer.conf.d/NAME.conf may say more, its budgets above
 * all. */
static int write_signer_conf(struct server *s, struct err *e)
{
	const struct server_conf *c = s->conf;
	BUF_AUTO text = {0};

	buf_addf(&text,
		"# Written at every start by backstay-server.\n[signer]\ndata = %s/signer\n",
		c->server.data);
	buf_addf(&text, "[trust]\nrepo = %s\nkeys = %s\n", c->trust.repo, c->trust.keys);
	buf_addf(&text, "director_expiry = %lldms\ntimestamp_expiry = %lldms\n",
		(long long)c->trust.director_expiry, (long long)c->trust.timestamp_expiry);
	buf_addf(&text, "snapshot_expiry = %lldms\n", (long long)c->trust.snapshot_expiry);
	return fs_write_file(&s->data, SIGNER_CONF, text.p, text.n, 0640, e);
}

static int open_signer(struct server *s, struct err *e)
{
	struct link_conf c = {
		.socket = s->conf->signer.socket,
		.program = s->conf->signer.program,
		.conf = s->signer_conf,
		.timeout = s->conf->signer.timeout,
	};

	snprintf(s->signer_conf, sizeof s->signer_conf, "%s/%s", s->conf->server.data, SIGNER_CONF);
	if (!*c.socket)
		TRY(write_signer_conf(s, e));
	if (signer_open(&c, &s->signer, e) < 0)
		return err_wrap(e, "signer");
	return 0;
}

static int open_broker(struct server *s, struct err *e)
{
	const struct server_conf *c = s->conf;
	struct broker_conf b = {.url = c->mqtt.url,
		.prefix = c->mqtt.prefix,
		.ca = c->mqtt.ca,
		.cert = c->mqtt.cert,
		.key = c->mqtt.key,
		.user = c->mqtt.user,
		.password = c->mqtt.password,
		.trusted = strcmp(c->mqtt.devices, "trusted") == 0};

	return *b.url ? broker_open(&b, &s->broker, e) : 0;
}

static void wake(void *self, const char *device)
{
	struct server *s = self;

	if (s->broker)
		broker_wake(s->broker, device);
}

static int open_run(struct server *s, struct err *e)
{
	TRY(open_broker(s, e));
	TRY(open_signer(s, e));
	if (s->conf->trust.device_ca[0])
		snprintf(s->device_ca, sizeof s->device_ca, "%s/device-ca.crt",
			s->conf->trust.device_ca);
	s->run_conf = (struct run_conf){
		.db = &s->db,
		.signer = s->signer,
		.clock = &clock_system,
		.artifacts = s->artifacts,
		.director_life = s->conf->trust.director_expiry,
		.timestamp_life = s->conf->trust.timestamp_expiry,
		.snapshot_life = s->conf->trust.snapshot_expiry,
		.telemetry = &s->conf->telemetry,
		.four_eyes = s->conf->trust.four_eyes,
		.wake = wake,
		.wake_self = s,
		.certificates = {s->conf->http.tls_cert, s->device_ca},
		.drift_gather = s->conf->hook.drift_gather,
		.drift_window = s->conf->hook.drift_window,
	};
	TRY(run_open(&s->run_conf, &s->run, e));
	return imagerepo_import(s->run, s->conf->trust.repo, e);
}

/* ---- the first token ---- */

static int make_token(struct server *s, struct err *e)
{
	char line[TOKEN_TEXT + 1], token[TOKEN_TEXT];
	struct sha256 digest;
	bool is_there;

	TRY(user_has_admin(s->run, &is_there, e));
	if (is_there)
		return 0;
	token_new(USER_FIRST, token, &digest);
	snprintf(line, sizeof line, "%s\n", token);
	TRY(fs_write_file(&s->data, TOKEN, line, strlen(line), 0600, e));
	return user_first(s->run, str_of(token), e);
}

/* The file is how whoever installs the server becomes its first administrator, and how one who owns
 * the machine becomes one again. The store has only the digest: when the file has been taken away,
 * nothing makes it anew as long as there is an administrator. */
static int load_token(struct server *s, struct err *e)
{
	BUF_AUTO text = {0};
	struct str token;
	int rc = fs_read_file(&s->data, TOKEN, TOKEN_TEXT + 64, &text, e);

	if (rc == -ERR_NOT_FOUND)
		return make_token(s, e);
	TRY(rc);
	token = buf_str(&text);
	while (token.n && (token.p[token.n - 1] == '\n' || token.p[token.n - 1] == ' '))
		token.n--;
	if (!token.n)
		return err_set(e, ERR_CONFIG, "%s/%s is empty", s->conf->server.data, TOKEN);
	rc = user_first(s->run, token, e);
	return rc < 0 ? err_wrap(e, "%s/%s", s->conf->server.data, TOKEN) : 0;
}

static struct buckets *make_buckets(uint64_t burst, ms_t interval)
{
	struct buckets_conf c = {.burst = (unsigned)burst, .interval = interval, .slots = ASKERS};

	entropy_fill(&c.seed, sizeof c.seed);
	return buckets_new(&c);
}

static ms_t interval_of(uint64_t rate)
{
	return rate ? 1000 / (ms_t)rate : 0;
}

static int open_identity(struct server *s, struct err *e)
{
	const struct server_conf *c = s->conf;

	if (c->trust.device_ca[0])
		TRY(issuer_open(c->trust.device_ca, &s->issuer, e));
	s->budget = make_buckets(BUDGET_BURST, BUDGET_INTERVAL);
	s->api.enrol = (struct enrol){
		.run = s->run,
		.issuer = s->issuer,
		.budget = s->budget,
		.need = enrol_need_by_name(c->device.identity),
		.life = c->device.certificate_life,
		.grace = c->device.certificate_grace,
	};
	return 0;
}

static void open_limits(struct server *s)
{
	const struct server_conf *c = s->conf;

	s->api.limits = (struct api_limits){
		.peers = make_buckets(c->limits.peer_burst, interval_of(c->limits.peer_rate)),
		.devices = make_buckets(c->limits.device_burst, interval_of(c->limits.device_rate)),
		.wrong = make_buckets(WRONG_BURST, WRONG_INTERVAL),
	};
}

static int open_listen(struct server *s, sd_event *loop, struct err *e)
{
	struct listen_conf c = {
		.broker = s->broker,
		.run = s->run,
		.enrol = &s->api.enrol,
		.devices = s->api.limits.devices,
	};

	s->api.broker = s->broker;
	return s->broker ? listen_open(loop, &c, &s->listen, e) : 0;
}

static int open_web(struct server *s, sd_event *loop, struct err *e)
{
	struct web_conf web = {
		.port = (uint16_t)s->conf->server.port,
		.max_connections = (unsigned)s->conf->http.max_connections,
		.busy_after = s->conf->http.busy_after,
	};

	snprintf(web.bind, sizeof web.bind, "%s", s->conf->server.bind);
	snprintf(web.tls_cert, sizeof web.tls_cert, "%s", s->conf->http.tls_cert);
	snprintf(web.tls_key, sizeof web.tls_key, "%s", s->conf->http.tls_key);
	if (str_copy(str_of(s->uploads), web.upload_dir, sizeof web.upload_dir, e) < 0)
		return err_wrap(e, "server.data");
	if (s->issuer)
		web.client_ca = issuer_pem(s->issuer).p;
	s->api.run = s->run;
	s->api.db = &s->db;
	s->api.signer = s->signer;
	s->api.artifacts = s->artifacts;
	s->api.poll_after_s = (unsigned)(s->conf->device.poll_after / 1000);
	TRY(web_open(loop, &web, api_answer, &api_turn, &s->api, &s->web, e));
	s->api.web = s->web;
	return 0;
}

static int open_post(struct server *s, sd_event *loop, struct err *e)
{
	const struct server_conf *c = s->conf;

	s->post_conf = (struct post_conf){
		.db = &s->db,
		.courier = {.ca = c->hook.ca,
			.agent = "backstay-server/" SERVER_VERSION,
			.timeout = c->hook.timeout,
			.private_too = c->hook.private},
		.rule = {(unsigned)c->hook.tries, c->hook.first_wait, c->hook.longest_wait},
		.source = c->hook.source,
	};
	return post_open(loop, &s->post_conf, s->run, &s->post, e);
}

static int open_export(struct server *s, sd_event *loop, struct err *e)
{
	const struct server_conf *c = s->conf;

	s->export_conf = (struct export_conf){
		.db = &s->db,
		.url = c->otlp.url,
		.token = c->otlp.token,
		.source = c->hook.source,
		.interval = c->otlp.interval,
		.courier = {.ca = c->otlp.ca,
			.agent = "backstay-server/" SERVER_VERSION,
			.timeout = c->otlp.timeout,
			.private_too = true},
	};
	if (!*c->otlp.url)
		return 0;
	TRY(export_open(loop, &s->export_conf, s->run, &s->export, e));
	s->api.export = s->export;
	return 0;
}

/* A failure is logged and tried again with the next tick: what was due stays due. */
static int on_tick(sd_event_source *source, uint64_t us, void *ctx)
{
	struct server *s = ctx;
	struct err e;

	if (run_tick(s->run, &e) < 0)
		log_err(LOG_ID_STORE, &e, "what=tick");
	if (post_tick(s->post, &e) < 0)
		log_err(LOG_ID_STORE, &e, "what=letters");
	if (s->export)
		export_tick(s->export);
	sd_event_source_set_time(source, us + TICK_US);
	return 0;
}

static int start_timer(struct server *s, sd_event *loop, struct err *e)
{
	int rc = sd_event_add_time_relative(
		loop, &s->timer, CLOCK_MONOTONIC, TICK_US, 0, on_tick, s);

	if (rc >= 0)
		rc = sd_event_source_set_enabled(s->timer, SD_EVENT_ON);
	return rc < 0 ? err_sys(e, -rc, "timer") : 0;
}

static int open_all(struct server *s, sd_event *loop, struct err *e)
{
	TRY(open_data(s, e));
	TRY(open_store(s, e));
	TRY(open_run(s, e));
	TRY(load_token(s, e));
	TRY(open_identity(s, e));
	open_limits(s);
	TRY(open_listen(s, loop, e));
	TRY(open_post(s, loop, e));
	TRY(open_export(s, loop, e));
	TRY(open_web(s, loop, e));
	return start_timer(s, loop, e);
}

int server_open(sd_event *loop, const struct server_conf *conf, struct server **out, struct err *e)
{
	struct server *s = mem_new(sizeof *s);
	int rc;

	memset(s, 0, sizeof *s);
	s->conf = conf;
	rc = open_all(s, loop, e);
	if (rc < 0)
		server_close(&s);
	else
		*out = s;
	return rc;
}

/* From the outside in. */
void server_close(struct server **s)
{
	if (!*s)
		return;
	sd_event_source_disable_unref((*s)->timer);
	web_close(&(*s)->web);
	listen_close(&(*s)->listen);
	export_close(&(*s)->export);
	post_close(&(*s)->post);
	buckets_free(&(*s)->budget);
	buckets_free(&(*s)->api.limits.peers);
	buckets_free(&(*s)->api.limits.devices);
	buckets_free(&(*s)->api.limits.wrong);
	issuer_close(&(*s)->issuer);
	run_close(&(*s)->run);
	broker_close(&(*s)->broker);
	signer_close(&(*s)->signer);
	db_close(&(*s)->db);
	if ((*s)->data.ops)
		fs_posix_close(&(*s)->data);
	free(*s);
	*s = NULL;
}

uint16_t server_port(const struct server *s)
{
	return web_port(s->web);
}
