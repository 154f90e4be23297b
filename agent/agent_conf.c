#include "agent/agent_conf.h"

#include <stdio.h>
#include <string.h>

#include "agent/boot/boot.h"
#include "agent/bus/bus.h"
#include "agent/precond/precond.h"
#include "agent/slot/slot.h"
#include "agent/svc/svc.h"
#include "proto/wire/report.h"

#define AT(sec, key)   offsetof(struct agent_conf, sec.key)
#define SIZE(sec, key) sizeof(((struct agent_conf *)0)->sec.key)

#define TEXT(sec, key, def, help)                                                                  \
	{                                                                                          \
#sec, #key, CONF_TEXT, AT(sec, key), SIZE(sec, key), 0, 0, def, help               \
	}
#define SPAN(sec, key, min, max, def, help)                                                        \
	{                                                                                          \
#sec, #key, CONF_SPAN, AT(sec, key), 0, (uint64_t)(min), (uint64_t)(max), def,     \
			help                                                                       \
	}
#define SIZED(sec, key, min, max, def, help)                                                       \
	{                                                                                          \
#sec, #key, CONF_SIZE, AT(sec, key), 0, min, max, def, help                        \
	}
#define NUMBER(sec, key, min, max, def, help)                                                      \
	{                                                                                          \
#sec, #key, CONF_UINT, AT(sec, key), 0, min, max, def, help                        \
	}
#define FLAG(sec, key, def, help)                                                                  \
	{                                                                                          \
#sec, #key, CONF_BOOL, AT(sec, key), 0, 0, 0, def, help                            \
	}
#define HOURS(n) MINUTE((n)*60)
/* A row for each type of precondition, named like it. */
#define PRECOND(id, name, shape, before, may, on_unknown, holds, min, max, text)                   \
	{"precond", name, CONF_TEXT, AT(precond, rule[PRECOND_##id]), LIMIT_PRECOND_TEXT, 0, 0,    \
		"", "Waits until " text "; empty: not asked for."},

static const struct conf_row rows[] = {
	TEXT(device, id, "", "Name of this device in the fleet; metadata for another is refused."),
	TEXT(device, hardware, "", "Hardware id that a release must be made for."),
	TEXT(device, labels, "", "What campaigns select by: line=north,site=berlin."),

	TEXT(server, url, "", "Base of the server, https://host:port; empty: no server is asked."),
	TEXT(server, ca, "",
		"PEM file that server certificates must lead to; empty: the system's."),
	TEXT(server, cert, "", "PEM file with this device's certificate; empty: none is shown."),
	TEXT(server, key, "", "PEM file with the certificate's private key."),
	TEXT(server, token, "", "Bearer token that is sent with every request; empty: none."),
	FLAG(server, insecure_http, "no",
		"Allows http:// to another machine, where everybody on the way can read along."),
	SPAN(server, poll_interval, 100, HOURS(24 * 7), "5min",
		"How often the server is asked, give or take a tenth."),
	SPAN(server, fresh, 0, HOURS(24 * 365), "24h",
		"How old the server's answer may be when the workload is switched; older: it is "
		"asked again first. 0: any since the agent started."),

	TEXT(identity, token_file, "",
		"File with an invitation (backstay device invite): the device makes a key, enrols, "
		"and renews its certificate; another invitation in it enrols anew. Empty: it does "
		"not."),

	TEXT(agent, home, "/var/lib/backstay", "Everything that must survive a power cut."),
	TEXT(agent, run_dir, "/run/backstay", "Socket, pid files and logs of a started workload."),
	TEXT(agent, socket, "", "Local control socket; empty: agent.sock in run_dir."),
	TEXT(agent, boot, "symlink",
		"Who decides what starts next: symlink, grub, uboot, efi, none."),
	TEXT(agent, slots, "dir", "How a release is laid down: dir, raw, null."),
	TEXT(agent, bus, "none",
		"Whether programs may ask over D-Bus (org.backstay): system, none."),
	TEXT(agent, worker_user, "",
		"User that the worker runs as where the agent is root; empty: backstay-worker, or nobody "
		"where there is none."),
	TEXT(agent, worker_socket, "",
		"Socket at which systemd starts a worker for each connection (backstay-worker.socket); "
		"where it does not, and where this is empty, the agent starts it itself."),
	SPAN(agent, watch_interval, 50, MINUTE(10), "1s",
		"How often the workload is looked at and the triggers are fed."),
	SPAN(agent, report_interval, 100, HOURS(1), "10s",
		"How often progress is reported while an update runs."),
	SPAN(agent, scrub_interval, 0, HOURS(24 * 365), "24h",
		"How often the slot that is the way back is read back and compared with what was "
		"signed, give or take a tenth; only at rest. 0: never."),
	SPAN(agent, quarantine, 0, HOURS(24 * 3650), "720h",
		"How long a release that failed here is not taken again; 0: until a person clears "
		"it."),

	SPAN(agent, lost, SEC(1), HOURS(24), "5min",
		"While an update is on trial: how long the agent may be silent before the old "
		"version is brought back without it, and a part of how long it may take to decide."),

	TEXT(slot, a, "", "raw: block device or file of slot a, as /dev/disk/by-partlabel/root-a."),
	TEXT(slot, b, "", "raw: the same of slot b."),
	FLAG(slot, writable, "no",
		"raw: the system in a slot writes to its own file system, so that it is not what "
		"was signed any more once it was started. The way back is then read now and then, "
		"but not compared."),

	TEXT(boot, name_a, "A", "Bootname of slot a: what the boot loader calls it."),
	TEXT(boot, name_b, "B", "Bootname of slot b."),
	TEXT(boot, cmdline, "/proc/cmdline",
		"The kernel's command line, in which backstay.slot= says what was started."),
	TEXT(boot, pstore, "/sys/fs/pstore",
		"Folder of the kernel's crash records: with one in it, lost tries are not granted again."),
	TEXT(boot, pstore_kept, "/var/lib/systemd/pstore",
		"Where the service manager moves them; what came since the machine's start counts."),
	TEXT(boot, grub_env, "/boot/grub", "grub: folder of its environment blocks."),
	TEXT(boot, fw_env_config, "/etc/fw_env.config",
		"uboot: file that says where both copies of its environment are."),
	TEXT(boot, esp, "/efi", "efi: where the EFI system partition is mounted."),

	TEXT(service, kind, "none",
		"Who runs the workload: systemd, exec, http_reload, reboot, none."),
	TEXT(service, base, "none",
		"http_reload: who restarts it when a reload is not enough. reboot: whose workload is "
		"watched when the machine is up, systemd or none."),
	TEXT(service, unit, "", "systemd: name of the unit."),
	TEXT(service, command, "",
		"exec: the words of the command, run in the slot's folder. BACKSTAY_SLOT and "
		"BACKSTAY_SLOT_DIR say which, BACKSTAY_SHADOW_SOCKET where it may give its inputs "
		"away to be compared."),
	TEXT(service, reload_url, "", "http_reload: where the new slot's folder is posted to."),
	TEXT(service, health_url, "", "Answers 200 when healthy; empty: being alive is enough."),
	TEXT(service, metrics_url, "", "Prometheus text page of the workload; empty: none."),
	SPAN(service, stop_timeout, 0, MINUTE(10), "10s",
		"How long a workload may take to end before it is killed."),
	SPAN(service, probe_timeout, 50, MINUTE(1), "1s", "How long one look may take."),

	TEXT(health, dirs,
		"/usr/lib/backstay/health.d:/run/backstay/health.d:/etc/backstay/health.d",
		"Folders with required.d and wanted.d, the weakest first: what is executable there is run "
		"while a new version soaks. Of one name the strongest folder's counts; a link to /dev/null "
		"masks it. Empty: none."),
	SPAN(health, interval, 100, HOURS(24), "30s",
		"From one round of these checks to the next."),
	SPAN(health, timeout, 100, HOURS(1), "30s", "How long one check may take."),
	SPAN(health, retry, 0, HOURS(1), "2s",
		"When the next round is due after one in which a required check has failed."),
	NUMBER(health, tries, 1, 1000, "3",
		"So many such rounds in a row take the version back (health_failed). It is not accepted "
		"before a round has passed."),

	SIZED(smoke, max_memory, 0, 0, "1G",
		"Memory of a smoke test that states none; 0: no limit."),
	TEXT(smoke, user, "", "User that smoke tests run as; empty: the agent's own."),

	TEXT(mqtt, url, "",
		"Broker that wakes the device when there is news, mqtt://host:1883 or mqtts://host:8883 "
		"(with server.ca and the device's certificate); empty: none, it polls."),
	TEXT(mqtt, prefix, "backstay/1",
		"Topics are PREFIX/DEVICE/wake and PREFIX/DEVICE/presence."),
	FLAG(mqtt, posts, "yes",
		"Whether telemetry and reports go by the broker, too (backstay/v1/...). What the server "
		"does not acknowledge there goes by HTTP."),

	FLAG(telemetry, enabled, "yes",
		"Whether machine and workload are measured, and the server is told; without a server, "
		"never."),
	SIZED(telemetry, queue, LIMIT_TELEMETRY_QUEUE_MIN, LIMIT_TELEMETRY_QUEUE_MAX, "1M",
		"What may wait on the disk for the server; when it is full, the oldest details give "
		"way."),
	SPAN(telemetry, interval, SEC(1), HOURS(1), "1min", "How long a window of it lasts."),
	SPAN(telemetry, batch_interval, SEC(1), HOURS(24), "5min",
		"How often what waits is sent, give or take a tenth; what is no detail is sent soon."),
	SPAN(telemetry, look_interval, 100, MINUTE(10), "10s",
		"How often machine and workload are looked at for it; five times as often while an update "
		"is on trial."),
	TEXT(telemetry, metrics, "*",
		"Names of the workload's metrics that are taken, separated by commas; * stands for any "
		"text. Of counters, gauges and histograms the first 16 each."),
	TEXT(telemetry, model, "*score*,*confidence*,*reject*,*drift*",
		"Which of these tell what the model sees and says; the others are of the inference path."),

	TEXT(net, proxy, "", "Proxy for all requests; empty: none."),
	TEXT(net, no_proxy, "",
		"Hosts that are asked without the proxy, separated by commas; *: all."),
	SIZED(net, max_rate, 0, LIMIT_ARTIFACT_BYTES, "0",
		"Bytes a second that a transfer takes at most; 0: no limit."),
	SIZED(net, low_speed, 0, 0, "1000",
		"Bytes a second below which a transfer is given up after a time."),
	SPAN(net, low_speed_time, SEC(1), MINUTE(10), "30s",
		"How long a transfer may be slower than that, in whole seconds."),
	SPAN(net, connect_timeout, 10, MINUTE(10), "10s", "How long connecting may take."),
	SPAN(net, total_timeout, 10, HOURS(1), "60s", "How long a whole answer may take."),
	SPAN(net, refresh_timeout, 10, HOURS(24), "10min",
		"How long all questions about one repository may take together."),

	/* clang-format off */
	PRECOND_TABLE(PRECOND)
	/* clang-format on */
	TEXT(precond, parked_from, "",
		"Who says that it is parked: file:/PATH, or dbus:SERVICE /PATH INTERFACE PROPERTY; "
		"empty: nobody knows."),
	TEXT(precond, parked_when, "1,yes,true,on,parked,P", "Answers that mean that it is."),
	TEXT(precond, ignition_from, "", "The same of the ignition."),
	TEXT(precond, ignition_when, "0,no,false,off", "Answers that mean that it is off."),
	TEXT(precond, metered_from, "",
		"The same of the link: route:LINK... names the metered ones; NetworkManager has the "
		"property Metered."),
	TEXT(precond, metered_when, "free,2,4,0,no,false",
		"Answers that mean that it is not metered (2 and 4 are NetworkManager's)."),
	TEXT(precond, zone, "", "Time zone of windows, Europe/Berlin; empty: the system's."),
	SPAN(precond, wait, 0, HOURS(24 * 30), "0s",
		"An update that waits so long in one place is given up; 0: never. A release may say "
		"less."),
	SPAN(precond, look_interval, 100, HOURS(1), "30s",
		"How often preconditions are looked at while an update waits, or is staged."),
	FLAG(precond, lease_offline, "no",
		"Goes on without a lease when the server cannot be asked for one."),
	TEXT(precond, sys, "/sys", "Where the kernel shows power supplies and thermal zones."),
	TEXT(precond, proc, "/proc", "Where the kernel shows load, pressure and routes."),
};

const struct conf_row *agent_conf_rows(size_t *out_n)
{
	*out_n = ARRAY_LEN(rows);
	return rows;
}

static void check_id(const char *key, const char *value, struct buf *problems)
{
	char id[ID_TEXT_MAX];
	struct err e = {0};

	if (id_parse(str_of(value), key, id, &e) < 0)
		buf_addf(problems, "%s\n", e.text);
}

void agent_conf_boot(const struct agent_conf *c, struct boot_conf *out)
{
	struct boot_conf b = {0};

	memcpy(b.kind, c->agent.boot, sizeof b.kind);
	memcpy(b.name[0], c->boot.name_a, sizeof b.name[0]);
	memcpy(b.name[1], c->boot.name_b, sizeof b.name[1]);
	memcpy(b.cmdline, c->boot.cmdline, sizeof b.cmdline);
	memcpy(b.pstore, c->boot.pstore, sizeof b.pstore);
	memcpy(b.pstore_kept, c->boot.pstore_kept, sizeof b.pstore_kept);
	memcpy(b.fw_env_config, c->boot.fw_env_config, sizeof b.fw_env_config);
	memcpy(b.esp, c->boot.esp, sizeof b.esp);
	memcpy(b.grub_env, c->boot.grub_env, sizeof b.grub_env);
	*out = b;
}

static void check_boot(const struct agent_conf *c, struct buf *problems)
{
	struct boot_conf b;
	struct err e = {0};

	agent_conf_boot(c, &b);
	if (!boot_adapter_find(b.kind))
		buf_addf(problems, "agent.boot: no adapter is called '%s'\n", b.kind);
	else if (boot_adapter_find(b.kind)->boots != (strcmp(c->service.kind, "reboot") == 0))
		buf_addf(problems,
			"agent.boot, service.kind: '%s' and '%s' do not go together: a "
			"boot loader's slots are changed by reboot\n",
			b.kind, c->service.kind);
	if (boot_conf_check(&b, &e) < 0)
		buf_addf(problems, "boot.name_a, boot.name_b: %s\n", e.text);
}

static void check_labels(const struct agent_conf *c, struct buf *problems)
{
	struct err e = {0};

	if (labels_check(str_of(c->device.labels), &e) < 0)
		buf_addf(problems, "device.labels: %s\n", e.text);
}

static void check_absolute(const char *key, const char *value, struct buf *problems)
{
	if (value[0] != '/')
		buf_addf(problems, "%s: '%s' is not an absolute path\n", key, value);
}

static void check_needed(const char *key, const char *value, const char *why, struct buf *problems)
{
	if (!value[0])
		buf_addf(problems, "%s: needed %s\n", key, why);
}

static void check_service(const struct agent_conf *c, struct buf *problems)
{
	const char *kind = c->service.kind;
	bool reloads = strcmp(kind, "http_reload") == 0;

	if (!svc_driver_find(kind))
		buf_addf(problems, "service.kind: no driver is called '%s'\n", kind);
	if (reloads) {
		check_needed(
			"service.reload_url", c->service.reload_url, "by http_reload", problems);
		kind = c->service.base;
		if (!svc_driver_find(kind) || strcmp(kind, "http_reload") == 0)
			buf_addf(problems, "service.base: '%s' cannot restart a workload\n", kind);
	}
	if (strcmp(kind, "reboot") == 0) {
		kind = c->service.base;
		if (strcmp(kind, "systemd") != 0 && strcmp(kind, "none") != 0)
			buf_addf(
				problems, "service.base: '%s' cannot be watched by reboot\n", kind);
	}
	if (strcmp(kind, "systemd") == 0)
		check_needed("service.unit", c->service.unit, "by systemd", problems);
	if (strcmp(kind, "exec") == 0)
		check_needed("service.command", c->service.command, "by exec", problems);
}

static void check_slots(const struct agent_conf *c, struct buf *problems)
{
	if (!slot_driver_find(c->agent.slots))
		buf_addf(problems, "agent.slots: no driver is called '%s'\n", c->agent.slots);
	if (strcmp(c->agent.slots, "raw") != 0)
		return;
	check_absolute("slot.a", c->slot.a, problems);
	check_absolute("slot.b", c->slot.b, problems);
	if (strcmp(c->slot.a, c->slot.b) == 0)
		buf_add_str(problems, "slot.a, slot.b: both are the same\n");
}

/* "http://127.0.0.1:8080": does it stay on this machine? */
static bool is_loopback(const char *url)
{
	static const char *const hosts[] = {"localhost", "127.0.0.1", "[::1]"};
	const char *host = url + strlen("http://");

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		size_t n = strlen(hosts[i]);

		if (strncasecmp(host, hosts[i], n) == 0 && (!host[n] || strchr(":/", host[n])) &&
			!strchr(host, '@'))
			return true;
	}
	return false;
}

/* Whoever listens on the way learns what the device runs, and what it shows to be let in. */
static void check_plain(const struct agent_conf *c, struct buf *problems)
{
	if (strncmp(c->server.url, "http://", 7) != 0)
		return;
	if (c->identity.token_file[0] || c->server.cert[0])
		buf_add_str(problems, "server.url: an identity is shown by https:// only\n");
	if (!is_loopback(c->server.url) && !c->server.insecure_http)
		buf_add_str(problems, "server.url: http:// to another machine can be read and "
				      "changed on the way; use https://, or say "
				      "server.insecure_http = yes\n");
}

/* A transfer that is held back to what counts as too slow would be given up for ever. */
static void check_rates(const struct agent_conf *c, struct buf *problems)
{
	uint64_t low = c->net.low_speed ? c->net.low_speed : 1000;

	if (c->net.max_rate && c->net.max_rate / 2 < low)
		buf_addf(problems, "net.max_rate: less than twice net.low_speed (%llu)\n",
			(unsigned long long)low);
}

static unsigned check_rules(const struct agent_conf *c, enum precond_type t, struct buf *problems)
{
	struct precond_rule rules[LIMIT_PRECONDITIONS];
	struct err e = {0};
	char where[48];
	unsigned n = 0;

	snprintf(where, sizeof(where), "precond.%s", precond_type_name(t));
	if (precond_text_parse(t, str_of(c->precond.rule[t]), where, rules, &n, &e) < 0)
		buf_addf(problems, "%s\n", e.text);
	return n;
}

static void check_asked(const char *key, const char *from, struct buf *problems)
{
	struct err e = {0};

	if (precond_from_check(from, &e) < 0)
		buf_addf(problems, "precond.%s: %s\n", key, e.text);
}

static void check_precond(const struct agent_conf *c, struct buf *problems)
{
	unsigned n = 0;
	struct err e = {0};

	for (enum precond_type t = 0; t < PRECOND_TYPE_MAX; t++)
		n += check_rules(c, t, problems);
	if (n > LIMIT_PRECONDITIONS)
		buf_addf(problems, "precond: %u rules, at most %d\n", n, LIMIT_PRECONDITIONS);
	check_asked("parked_from", c->precond.parked_from, problems);
	check_asked("ignition_from", c->precond.ignition_from, problems);
	check_asked("metered_from", c->precond.metered_from, problems);
	if (precond_zone_check(c->precond.zone, &e) < 0)
		buf_addf(problems, "precond.zone: %s\n", e.text);
}

static void check_mqtt(const struct agent_conf *c, struct buf *problems)
{
	const char *url = c->mqtt.url, *prefix = c->mqtt.prefix;

	if (*url && strncmp(url, "mqtt://", 7) != 0 && strncmp(url, "mqtts://", 8) != 0)
		buf_addf(problems, "mqtt.url: '%s' is neither mqtt:// nor mqtts://\n", url);
	if (*url && !c->server.url[0])
		buf_add_str(problems, "mqtt.url: being woken is of no use without a server.url\n");
	if (!*prefix || strpbrk(prefix, "+#$") || prefix[strlen(prefix) - 1] == '/')
		buf_addf(problems, "mqtt.prefix: '%s' is no beginning of a topic\n", prefix);
}

static void check_server(struct agent_conf *c, struct buf *problems)
{
	size_t n = strlen(c->server.url);

	if (n && c->server.url[n - 1] == '/')
		c->server.url[n - 1] = 0;
	if (n && strncmp(c->server.url, "http://", 7) != 0 &&
		strncmp(c->server.url, "https://", 8) != 0)
		buf_addf(problems, "server.url: '%s' is neither http:// nor https://\n",
			c->server.url);
	check_plain(c, problems);
	if (!c->server.cert[0] != !c->server.key[0])
		buf_add_str(problems, "server.cert, server.key: one needs the other\n");
}

static void fill_socket(struct agent_conf *c, struct buf *problems)
{
	struct err e = {0};
	BUF_AUTO path = {0};

	if (c->agent.socket[0])
		return;
	buf_addf(&path, "%s/agent.sock", c->agent.run_dir);
	if (str_copy(buf_str(&path), c->agent.socket, sizeof(c->agent.socket), &e) < 0)
		buf_addf(problems, "agent.run_dir: %s\n", e.text);
}

int agent_conf_check(struct agent_conf *c, struct buf *problems, struct err *e)
{
	size_t before = problems->n;

	check_id("device.id", c->device.id, problems);
	check_id("device.hardware", c->device.hardware, problems);
	check_labels(c, problems);
	check_server(c, problems);
	check_mqtt(c, problems);
	fill_socket(c, problems);
	check_absolute("agent.home", c->agent.home, problems);
	check_absolute("agent.run_dir", c->agent.run_dir, problems);
	check_absolute("agent.socket", c->agent.socket, problems);
	check_boot(c, problems);
	if (!bus_driver_find(c->agent.bus))
		buf_addf(problems, "agent.bus: no driver is called '%s'\n", c->agent.bus);
	check_slots(c, problems);
	check_service(c, problems);
	check_precond(c, problems);
	check_rates(c, problems);
	if (problems->n > before)
		return err_set(e, ERR_CONFIG, "the configuration contradicts itself");
	return 0;
}

int agent_conf_read(const char *path, const char *home, struct agent_conf *out,
	struct conf_trace *trace, struct buf *problems, struct err *e)
{
	struct conf_place place = {.path = path, .name = AGENT_CONF_NAME};
	struct agent_conf c = {0};

	TRY(conf_find(&place, rows, ARRAY_LEN(rows), &c, sizeof(c), trace, problems, e));
	if (home && str_copy(str_of(home), c.agent.home, sizeof(c.agent.home), e) < 0)
		return err_wrap(e, "--home");
	*out = c;
	return 0;
}

int agent_conf_load(const char *path, const char *home, struct agent_conf *out,
	struct buf *problems, struct err *e)
{
	struct agent_conf c;

	TRY(agent_conf_read(path, home, &c, NULL, problems, e));
	TRY(agent_conf_check(&c, problems, e));
	*out = c;
	return 0;
}
