/* Seeded randomness for jitter, simulation and stable positions. Not for secrets: those come from
 * lib/sys/entropy.h. */
#ifndef LIB_PRNG_H
#define LIB_PRNG_H

#include "lib/str.h"

struct prng {
	uint64_t s;
};

/* SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). */
uint64_t prng_next(struct prng *r);
/* Uniform in [0, n); n > 0. */
uint64_t prng_below(struct prng *r, uint64_t n);

/* A stable 64-bit hash of bytes under a seed (FNV-1a, finished by SplitMix64's mixer). The same on
 * every machine and in every version: cohort positions depend on it. */
uint64_t hash64(uint64_t seed, const void *p, size_t n);

/* CRC-32C (Castagnoli), for the journal's torn-write check. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

#endif
