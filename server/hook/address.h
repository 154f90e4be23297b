/* Which addresses letters may be carried to. Whoever may make hooks could otherwise have the server
 * ask what only it can reach. */
#ifndef SERVER_HOOK_ADDRESS_H
#define SERVER_HOOK_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* Never: link-local (where clouds answer with credentials), multicast, broadcast and the
 * unspecified address. With `private_too`: loopback and private networks, where an Alertmanager
 * mostly is. An IPv4 address within an IPv6 one is judged as itself; no other family is allowed. */
bool address_is_allowed(const struct sockaddr *a, bool private_too);

#endif
