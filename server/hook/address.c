#include "server/hook/address.h"

#include <netinet/in.h>
#include <string.h>

#include "lib/util.h"

enum kind { ALWAYS_REFUSED, PRIVATE };

/* RFC 6890 and what it names. */
static const struct {
	uint32_t net;
	unsigned bits;
	enum kind kind;
} nets4[] = {
	{0x00000000, 8, ALWAYS_REFUSED}, {0xA9FE0000, 16, ALWAYS_REFUSED}, /* 169.254: link-local */
	{0xE0000000, 4, ALWAYS_REFUSED},                                   /* multicast */
	{0xF0000000, 4, ALWAYS_REFUSED},                                   /* reserved, broadcast */
	{0x7F000000, 8, PRIVATE}, {0x0A000000, 8, PRIVATE}, {0xAC100000, 12, PRIVATE},
	{0xC0A80000, 16, PRIVATE}, {0x64400000, 10, PRIVATE}, /* 100.64: shared by a provider */
	{0xC0000000, 24, PRIVATE},                            /* 192.0.0: special */
	{0xC6120000, 15, PRIVATE},                            /* 198.18: benchmarks */
};

static bool is_allowed4(uint32_t a, bool private_too)
{
	for (size_t i = 0; i < ARRAY_LEN(nets4); i++)
		if ((a ^ nets4[i].net) >> (32 - nets4[i].bits) == 0)
			return nets4[i].kind == PRIVATE && private_too;
	return true;
}

static bool is_allowed6(const struct in6_addr *a, bool private_too)
{
	const uint8_t *b = a->s6_addr;
	uint32_t last =
		(uint32_t)b[12] << 24 | (uint32_t)b[13] << 16 | (uint32_t)b[14] << 8 | b[15];
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};

	if (IN6_IS_ADDR_V4MAPPED(a) || memcmp(b, nat64, sizeof nat64) == 0)
		return is_allowed4(last, private_too);
	if (IN6_IS_ADDR_UNSPECIFIED(a) || IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_MULTICAST(a))
		return false;
	if (IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_SITELOCAL(a) || (b[0] & 0xfe) == 0xfc)
		return private_too;
	return true;
}

bool address_is_allowed(const struct sockaddr *a, bool private_too)
{
	if (a->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, a, sizeof in);
		return is_allowed4(ntohl(in.sin_addr.s_addr), private_too);
	}
	if (a->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, a, sizeof in6);
		return is_allowed6(&in6.sin6_addr, private_too);
	}
	return false;
}
