/*
 * address.h: which network addresses are public, and ranges of those that are not.
 */
#ifndef HTTP_ADDRESS_H
#define HTTP_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* An address of 16 bytes; an IPv4 one as ::ffff:a.b.c.d, also where it came wrapped in another form. */
typedef struct address {
    unsigned char bytes[16];
} address_t;

/* The addresses whose first `bits` bits are those of `start`. */
typedef struct address_range {
    address_t start;
    unsigned bits;
} address_range_t;

/* False for what is neither IPv4 nor IPv6. */
bool address_take(address_t *address, const struct sockaddr *socket_address, size_t size);

/* Reads "10.0.0.0/8", "fd00::/8" or one address. */
bool address_range_parse(address_range_t *range, const char *text);

bool address_range_has(const address_range_t *range, const address_t *address);

/* Whether it belongs to the open internet: not this machine, its links, private networks, groups, or reserved
 * (the special-purpose registries of RFC 6890). */
bool address_is_public(const address_t *address);

/* For people. `text` has room for 64 characters. */
void address_print(const address_t *address, char *text, size_t size);

#endif
