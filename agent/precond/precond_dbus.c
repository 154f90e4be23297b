/* A property of a service on the system bus. */
#include "agent/precond/precond_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define WORDS    4
#define WORD_MAX 128

struct property {
	char word[WORDS][WORD_MAX]; /* service, path, interface, property */
};

static int parse(struct str where, struct property *out, struct err *e)
{
	struct str word;
	unsigned n = 0;

	while (str_split(&where, ' ', &word)) {
		if (word.n == 0)
			continue;
		if (n == WORDS || str_copy(word, out->word[n], WORD_MAX, NULL) < 0)
			n = WORDS;
		n++;
	}
	if (n != WORDS || out->word[1][0] != '/')
		return err_set(e, ERR_CONFIG, "dbus: wants SERVICE /PATH INTERFACE PROPERTY");
	return 0;
}

static int check(struct str where, struct err *e)
{
	struct property p;

	return parse(where, &p, e);
}

static int put_value(sd_bus_message *m, struct buf *out, struct err *e)
{
	union {
		const char *s;
		uint8_t y;
		int b;
		int16_t n;
		uint16_t q;
		int32_t i;
		uint32_t u;
		int64_t x;
		uint64_t t;
		double d;
	} v;
	char type;
	int rc = sd_bus_message_peek_type(m, &type, NULL);

	if (rc > 0 && strchr("sognqiuxtybd", type))
		rc = sd_bus_message_read_basic(m, type, &v);
	else
		rc = rc < 0 ? rc : -EINVAL;
	if (rc < 0)
		return err_set(e, ERR_BAD_INPUT, "the property is neither text nor number");
	switch (type) {
	case 'y':
		buf_addf(out, "%u", v.y);
		break;
	case 'b':
		buf_add_str(out, v.b ? "true" : "false");
		break;
	case 'n':
		buf_addf(out, "%d", v.n);
		break;
	case 'q':
		buf_addf(out, "%u", v.q);
		break;
	case 'i':
		buf_addf(out, "%" PRId32, v.i);
		break;
	case 'u':
		buf_addf(out, "%" PRIu32, v.u);
		break;
	case 'x':
		buf_addf(out, "%" PRId64, v.x);
		break;
	case 't':
		buf_addf(out, "%" PRIu64, v.t);
		break;
	case 'd':
		buf_addf(out, "%g", v.d);
		break;
	default:
		buf_addf(out, "%.200s", v.s);
	}
	return 0;
}

/* The variant's signature is not known: so the message is read, not a property of one type. */
static int call(sd_bus *bus, const struct property *p, struct buf *out, struct err *e)
{
	sd_bus_error why = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	const char *contents;
	char type;
	int rc = sd_bus_call_method(bus, p->word[0], p->word[1], "org.freedesktop.DBus.Properties",
		"Get", &why, &m, "ss", p->word[2], p->word[3]);

	if (rc < 0) {
		rc = err_set(e, ERR_NOT_FOUND, "%s: %s", p->word[3],
			why.message ? why.message : "no answer");
		sd_bus_error_free(&why);
		return rc;
	}
	rc = sd_bus_message_peek_type(m, &type, &contents);
	if (rc > 0 && type == 'v')
		rc = sd_bus_message_enter_container(m, 'v', contents);
	rc = rc < 0 ? err_sys(e, -rc, "%s", p->word[3]) : put_value(m, out, e);
	sd_bus_message_unref(m);
	return rc;
}

/* A connection for each question, as for the service manager: a bus that was restarted needs no
 * mending. */
static int ask(const struct precond_in *in, struct str where, struct buf *out, struct err *e)
{
	struct property p;
	sd_bus *bus = NULL;

	TRY(parse(where, &p, e));
	int rc = sd_bus_open_system(&bus);

	if (rc < 0)
		return err_sys(e, -rc, "system bus");
	sd_bus_set_method_call_timeout(bus, (uint64_t)MAX(in->timeout, 1) * 1000);
	rc = call(bus, &p, out, e);
	sd_bus_flush_close_unref(bus);
	return rc;
}

const struct precond_teller precond_dbus = {
	.kind = "dbus",
	.help = "dbus:SERVICE /PATH INTERFACE PROPERTY: a property on the system bus",
	.check = check,
	.ask = ask,
};
