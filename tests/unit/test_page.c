/* Pages of records: whatever stands in a record is text on the page, never markup. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "server/cli/page.h"
#include "server/cli/page_priv.h"

static void escaped(const char *text, size_t n, const char *want)
{
	BUF_AUTO b = {0};

	page_escape((struct str){text, n}, &b);
	expect_text(buf_cstr(&b), want);
}

#define ESC(text, want) escaped(text, sizeof(text) - 1, want)

static void text_stays_text(void **state UNUSED)
{
	ESC("plain Ω 車 🚗", "plain Ω 車 🚗");
	ESC("<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
	ESC("\"a\" & b", "&quot;a&quot; &amp; b");
	ESC("&lt;", "&amp;lt;");
	ESC("a\nb\tc", "a\nb\tc");
	ESC("a\x01z\x7f",
		"a<span class=\"unseen\">[U+0001]</span>z<span class=\"unseen\">[U+007F]</span>");
	ESC("\xe2\x80\xae"
	    "exe.gpj",
		"<span class=\"unseen\">[U+202E]</span>exe.gpj");
	ESC("\xe2\x80\x8b\xef\xbb\xbf\xf3\xa0\x81\x81",
		"<span class=\"unseen\">[U+200B]</span><span class=\"unseen\">[U+FEFF]</span>"
		"<span class=\"unseen\">[U+E0041]</span>");
	/* no UTF-8, which JSON cannot hold: nothing is read beyond the end */
	ESC("a\xe2\x80", "a<span class=\"unseen\">[U+0080]</span>");
	ESC("\xf0", "<span class=\"unseen\">[U+0000]</span>");
}

#define HOSTILE                                                                                    \
	"</style></pre><script>alert(1)</script><img src=x onerror=alert(1)>\" onload=\"x' "       \
	"javascript:x ]]> --> \\u202e"

/* Every text of a record is hostile, names of members too. */
static const char record[] =
	"{\"format\":1,\"record\":{\"kind\":\"%s\",\"made_for\":\"@\",\"made_ms\":1,"
	"\"vehicle\":{\"id\":\"@\",\"labels\":\"@\",\"hardware\":\"@\"},"
	"\"requirements\":[{\"paragraph\":\"@\",\"asks\":\"@\",\"state\":\"@\",\"at\":\"@\",\"how\":\"@\"}],"
	"\"configurations\":[{\"at_ms\":\"@\",\"runs\":\"@\",\"digest\":\"@\",\"labels\":{\"@\":[\"@\"]}}],"
	"\"updates\":[{\"campaign\":\"@\",\"purpose\":\"@\",\"outcome\":{\"state\":\"@\",\"text\":\"@\"},"
	"\"conditions\":{\"preconditions\":[{\"@\":\"@\"}]},\"consent\":[{\"who\":\"@\",\"consent\":\"@\"}],"
	"\"seen\":[{\"type\":\"@\",\"from\":\"@\",\"value\":\"@\",\"limit\":\"@\"}],"
	"\"moves\":[{\"to\":\"@\",\"text\":\"@\"}],\"execution\":[{\"text\":\"@\",\"dossier\":{\"@\":\"@\"}}],"
	"\"orders\":[{\"reason\":\"@\",\"by\":\"@\"}]}],"
	"\"software\":{\"release\":\"@\",\"purpose\":\"@\",\"match\":{\"hardwareIds\":[\"@\",\"@\"],\"rollbackTo\":[\"@\"]},"
	"\"components\":[{\"name\":\"@\",\"artifact\":{\"@\":\"@\"}}]},"
	"\"update_record\":{\"purpose\":\"@\",\"systems\":[{\"name\":\"@\"}]},"
	"\"campaigns\":[{\"campaign\":\"@\",\"selector\":{\"@\":\"@\"},\"recipients\":[{\"device\":\"@\",\"state\":\"@\"}],"
	"\"excluded\":[{\"device\":\"@\",\"compatibility\":\"@\"}],\"decisions\":[{\"n\":1,\"text\":\"@\"}]}],"
	"\"evidence\":[{\"kind\":\"@\",\"predicate\":{\"@\":[\"@\"]}}],\"gates\":[{\"gate\":\"@\",\"missing\":\"@\"}],"
	"\"decisions\":[{\"n\":1,\"who\":\"@\",\"text\":\"@\",\"chain\":\"@\"}]},"
	"\"anchor\":{\"digest\":\"@\",\"chain\":\"@\",\"checkpoint\":{\"signed\":{\"time\":\"@\"}}}}";

static void make(const char *kind, const char *text, struct buf *page)
{
	BUF_AUTO json = {0};
	JSON_AUTO *whole = NULL;
	struct err e;

	for (const char *p = record; *p; p++)
		if (*p == '@')
			for (const char *q = text; *q; q++) {
				if (*q == '"')
					buf_add_char(&json, '\\');
				buf_add_char(&json, *q);
			}
		else if (p[0] == '%' && p[1] == 's') {
			buf_add_str(&json, kind);
			p++;
		} else
			buf_add_char(&json, *p);
	expect_ok(json_read(buf_str(&json), json.n, &whole, &e), &e);
	page_format(whole, page);
}

/* What the page is made of when its texts are taken away: the tags, in order. */
static void tags(struct buf *page, struct buf *out)
{
	bool inside = false;

	for (const char *p = buf_cstr(page); *p; p++) {
		inside |= *p == '<';
		if (inside)
			buf_add_char(out, *p);
		inside &= *p != '>';
	}
}

/* The tags of the mark for unseen characters are the page's own. */
static void drop_unseen(struct buf *b)
{
	static const char mark[] = "<span class=\"unseen\"></span>";
	BUF_AUTO rest = {0};

	for (const char *p = buf_cstr(b); *p;)
		if (strncmp(p, mark, sizeof mark - 1) == 0)
			p += sizeof mark - 1;
		else
			buf_add_char(&rest, *p++);
	buf_clear(b);
	buf_add(b, rest.p, rest.n);
}

static void hostile_texts_make_no_markup(void **state UNUSED)
{
	static const char *const kinds[] = {"vehicle", "release", "nonsense"};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		BUF_AUTO good = {0}, bad = {0}, good_tags = {0}, bad_tags = {0};

		make(kinds[i], "harmless", &good);
		make(kinds[i], HOSTILE, &bad);
		tags(&good, &good_tags);
		tags(&bad, &bad_tags);
		drop_unseen(&bad_tags);
		expect_text(buf_cstr(&bad_tags), buf_cstr(&good_tags));
		assert_null(strstr(buf_cstr(&bad), "<script"));
		assert_null(strstr(buf_cstr(&bad), "<img"));
		assert_null(strstr(buf_cstr(&bad), "\xe2\x80\xae"));
		assert_non_null(strstr(buf_cstr(&bad), "&lt;script&gt;alert(1)"));
	}
}

static void what_is_not_there_is_said_to_be_missing(void **state UNUSED)
{
	static const char *const texts[] = {"{}", "{\"record\":{}}",
		"{\"record\":{\"kind\":\"vehicle\"}}",
		"{\"record\":{\"kind\":7,\"updates\":7,\"vehicle\":[1],\"software\":\"x\"},\"anchor\":[]}",
		"{\"record\":{\"kind\":\"vehicle\",\"updates\":[7,{},null],\"decisions\":[[],7]}}"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		BUF_AUTO page = {0};
		JSON_AUTO *whole = NULL;
		struct err e;

		expect_ok(json_read(str_of(texts[i]), strlen(texts[i]), &whole, &e), &e);
		page_format(whole, &page);
		assert_non_null(strstr(buf_cstr(&page), "not recorded"));
		assert_non_null(strstr(buf_cstr(&page), "Nothing is recorded."));
		assert_non_null(strstr(buf_cstr(&page), "</main></body></html>"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_stays_text),
		cmocka_unit_test(hostile_texts_make_no_markup),
		cmocka_unit_test(what_is_not_there_is_said_to_be_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
