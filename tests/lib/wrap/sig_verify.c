/* What a test program calls instead of sig_verify(), by the linker's --wrap: a signature that the
 * real one has found good before is not computed again. The answer depends on nothing but key,
 * message and signature, and a good one costs a millisecond (docs/adr/0004), most of the time of a
 * test that opens a server or a repository a thousand times. Only what was good is remembered, by a
 * digest of all three; whatever would be refused is refused by the real one each time. The memory
 * is shared with what the program forks. Tests of signatures themselves are linked without it. */
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "proto/trust/digest.h"
#include "proto/trust/sig.h"

#define SLOTS 4096
#define WORDS 4

int __real_sig_verify(const struct pub_key *key, struct str message, const uint8_t *sig,
	size_t sig_n, struct err *e) MUST_CHECK;
int __wrap_sig_verify(const struct pub_key *key, struct str message, const uint8_t *sig,
	size_t sig_n, struct err *e) MUST_CHECK;

/* A slot that two write at once is of neither, and costs a computation. */
static _Atomic uint64_t (*good)[WORDS];

__attribute__((constructor)) static void make_memory(void)
{
	void *p = mmap(NULL, SLOTS * sizeof *good, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	good = p == MAP_FAILED ? NULL : p;
}

static void add_piece(struct digest *d, const void *p, size_t n)
{
	digest_add(d, &n, sizeof n);
	digest_add(d, p, n);
}

static void name_it(const struct pub_key *key, struct str message, const uint8_t *sig, size_t sig_n,
	uint64_t out[WORDS])
{
	struct sha256 all;
	struct digest d;

	digest_init(&d);
	add_piece(&d, &key->scheme, sizeof key->scheme);
	add_piece(&d, key->pem, strlen(key->pem));
	add_piece(&d, message.p, message.n);
	add_piece(&d, sig, sig_n);
	digest_fini(&d, &all);
	memcpy(out, all.b, WORDS * sizeof *out);
}

static bool is_known(_Atomic uint64_t *slot, const uint64_t name[WORDS])
{
	for (size_t i = 0; i < WORDS; i++)
		if (atomic_load_explicit(&slot[i], memory_order_relaxed) != name[i])
			return false;
	return true;
}

int __wrap_sig_verify(const struct pub_key *key, struct str message, const uint8_t *sig,
	size_t sig_n, struct err *e)
{
	_Atomic uint64_t *slot;
	uint64_t name[WORDS];

	if (!good)
		return __real_sig_verify(key, message, sig, sig_n, e);
	name_it(key, message, sig, sig_n, name);
	slot = good[name[0] % SLOTS];
	if (is_known(slot, name))
		return 0;
	TRY(__real_sig_verify(key, message, sig, sig_n, e));
	for (size_t i = 0; i < WORDS; i++)
		atomic_store_explicit(&slot[i], name[i], memory_order_relaxed);
	return 0;
}
