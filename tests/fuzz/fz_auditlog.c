/* An export of the audit log, line by line. The first byte chooses: '0' hands the rest over as it
 * is, '1' puts a head before it. Nothing that nobody signed may verify to its end with rows in it.
 */
#include <stdlib.h>

#include "proto/trust/auditlog.h"
#include "tests/lib/trepo.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const struct meta *root(void)
{
	static struct trepo director;
	static struct sign_key key;
	static struct meta m;
	const struct sign_key *keys[] = {&key};
	struct repo_role role = {"audit", 1, 1, keys};

	if (m.doc)
		return &m;
	trepo_init(&director, TREPO_DIRECTOR, TREPO_NOW);
	if (sign_key_new("director-audit", SIG_ECDSA_P256, &key, NULL) < 0)
		abort();
	repo_root_add_audit(director.role[TREPO_ROOT].part, &role);
	trepo_sign(&director, TREPO_ROOT);
	meta_init(&m);
	if (meta_parse(trepo_bytes(&director, TREPO_ROOT), ROLE_ROOT, LIMIT_ROOT_BYTES, &m, NULL) <
		0)
		abort();
	return &m;
}

static void check(struct auditlog_check *c, struct str rest)
{
	struct str line;

	while (str_split(&rest, '\n', &line))
		if (auditlog_check_line(c, line, NULL) < 0)
			return;
	if (auditlog_check_end(c, NULL) == 0 && c->rows)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct str rest = {(const char *)p + 1, n - 1};
	struct auditlog_check c;

	if (n == 0 || p[0] < '0' || p[0] > '1')
		return 0;
	auditlog_check_init(&c, root(), 1);
	if (p[0] == '1' && auditlog_check_line(
				   &c, STR("{\"format\":1,\"kind\":\"backstay-audit\"}"), NULL) < 0)
		abort();
	check(&c, rest);
	return 0;
}
