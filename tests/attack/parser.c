/* What a parser, or a file system, might take for something else. */
#include <string.h>

#include "tests/attack/attack.h"

/* ---- JSON ---- */

/* The timestamp is the first file that is read, and nothing pins it. */
static void edit_timestamp(struct bed *b, struct str from, struct str to)
{
	bed_publish_edited(b, &b->director, TREPO_TIMESTAMP, from, to);
}

static void set_version_text(struct bed *b, struct str text)
{
	BUF_AUTO to = {0};

	buf_add_str(&to, "\"version\":");
	buf_add(&to, text.p, text.n);
	buf_add_str(&to, ",\"expires\"");
	edit_timestamp(b, STR("\"version\":20,\"expires\""), buf_str(&to));
}

static void set_type_text(struct bed *b, struct str text)
{
	edit_timestamp(b, STR("\"timestamp\""), text);
}

void attack_json_duplicate_key_top(struct bed *b)
{
	edit_timestamp(b, STR("{\"signatures\":"), STR("{\"signed\":{},\"signatures\":"));
}

void attack_json_duplicate_key_signed(struct bed *b)
{
	edit_timestamp(b, STR("\"version\":20,\"expires\""),
		STR("\"version\":20,\"version\":21,\"expires\""));
}

void attack_json_duplicate_key_keys(struct bed *b)
{
	trepo_set_version(&b->director, TREPO_ROOT, 2);
	bed_publish_edited(b, &b->director, TREPO_ROOT, STR("\"scheme\":"),
		STR("\"scheme\":\"none\",\"scheme\":"));
}

void attack_json_duplicate_key_targets(struct bed *b)
{
	bed_publish_edited(b, &b->director, TREPO_TARGETS, STR("\"targets\":{"),
		STR("\"targets\":{\"toy/toy-2.json\":{},"));
}

void attack_json_float(struct bed *b)
{
	set_version_text(b, STR("20.0"));
}

void attack_json_exponent(struct bed *b)
{
	set_version_text(b, STR("2e1"));
}

void attack_json_int_2p53_plus_1(struct bed *b)
{
	set_version_text(b, STR("9007199254740993"));
}

void attack_json_int_2p63(struct bed *b)
{
	set_version_text(b, STR("9223372036854775808"));
}

void attack_json_minus_zero(struct bed *b)
{
	set_version_text(b, STR("-0"));
}

void attack_json_leading_zero(struct bed *b)
{
	set_version_text(b, STR("020"));
}

void attack_json_lone_surrogate(struct bed *b)
{
	set_type_text(b, STR("\"timestamp\\ud800\""));
}

void attack_json_nul_in_string(struct bed *b)
{
	set_type_text(b, STR("\"timestamp\\u0000\""));
}

void attack_json_invalid_utf8(struct bed *b)
{
	set_type_text(b, STR("\"timestamp\xff\""));
}

void attack_json_trailing_bytes(struct bed *b)
{
	struct buf *file = &b->director.role[TREPO_TIMESTAMP].file;

	bed_publish(b);
	buf_add_str(file, "{}");
	bed_save(b);
}

void attack_json_bom(struct bed *b)
{
	edit_timestamp(b, STR("{"), STR("\xef\xbb\xbf{"));
}

/* ---- names of targets ---- */

static void name_target(struct bed *b, const char *path)
{
	snprintf(b->good.path, sizeof b->good.path, "%s", path);
	trepo_add_release(&b->image, path, buf_str(&b->good.document), &b->good.match);
	trepo_direct(&b->director, DEVICE, DESIRED_INSTALL, path, buf_str(&b->good.document),
		&b->good.match);
}

void attack_path_dotdot(struct bed *b)
{
	name_target(b, "../toy-2.json");
}

void attack_path_absolute(struct bed *b)
{
	name_target(b, "/toy/toy-2.json");
}

void attack_path_backslash(struct bed *b)
{
	name_target(b, "toy\\toy-2.json");
}

void attack_path_percent_encoded_slash(struct bed *b)
{
	name_target(b, "toy/..%2ftoy-2.json");
}

void attack_path_nul(struct bed *b)
{
	bed_publish_edited(b, &b->director, TREPO_TARGETS, STR("\"toy/toy-2.json\""),
		STR("\"toy/toy-2.json\\u0000.json\""));
}

/* ---- names of roles ---- */

void attack_role_name_reserved(struct bed *b)
{
	bed_set(&b->image, TREPO_TARGETS, "delegations.roles.0.name", "\"root\"");
}

/* As long as it can be signed, it can be asked for. */
void attack_role_name_dotdot(struct bed *b)
{
	trepo_set_version(&b->image, TREPO_ROOT, 2);
	bed_set(&b->image, TREPO_ROOT, "x-backstay-quorum.0.all_of.3", "\"../../journal/state\"");
}

/* ---- dates ---- */

static void set_expires(struct bed *b, const char *text)
{
	json_object_set_new(b->director.role[TREPO_TIMESTAMP].part, "expires", json_string(text));
}

void attack_expires_fraction(struct bed *b)
{
	set_expires(b, "2037-01-01T00:00:00.5Z");
}

void attack_expires_offset(struct bed *b)
{
	set_expires(b, "2037-01-01T00:00:00+02:00");
}

void attack_expires_feb_30(struct bed *b)
{
	set_expires(b, "2037-02-30T00:00:00Z");
}

void attack_expires_year_10000(struct bed *b)
{
	set_expires(b, "10000-01-01T00:00:00Z");
}
