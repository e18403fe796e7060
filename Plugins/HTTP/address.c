#define _DEFAULT_SOURCE
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };
/* Where a network without IPv4 shows it (RFC 6052). */
static const unsigned char nat64_prefix[12] = { 0x00, 0x64, 0xff, 0x9b };

/* Of IPv4 what is not public. */
static const char *const closed_ranges[] = {
    "0.0.0.0/8",     "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",   "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24",   "192.0.2.0/24",  "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",  "240.0.0.0/4",
};

/* Of IPv6 what is public; and what of that is not: protocols' own, examples, tunnels that end who knows where. */
static const char *const open_range = "2000::/3";
static const char *const closed_ranges6[] = { "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20" };

static void set_v4(address_t *address, const void *four) {
    memcpy(address->bytes, mapped_prefix, sizeof mapped_prefix);
    memcpy(address->bytes + 12, four, 4);
}

static void set_v6(address_t *address, const void *sixteen) {
    memcpy(address->bytes, sixteen, 16);
    if (memcmp(address->bytes, nat64_prefix, sizeof nat64_prefix) == 0) {
        memcpy(address->bytes, mapped_prefix, sizeof mapped_prefix);
    }
}

bool address_take(address_t *address, const struct sockaddr *socket_address, size_t size) {
    if (socket_address->sa_family == AF_INET && size >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in v4;
        memcpy(&v4, socket_address, sizeof v4);
        set_v4(address, &v4.sin_addr);
        return true;
    }
    if (socket_address->sa_family == AF_INET6 && size >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 v6;
        memcpy(&v6, socket_address, sizeof v6);
        set_v6(address, &v6.sin6_addr);
        return true;
    }
    return false;
}

static bool is_v4(const address_t *address) {
    return memcmp(address->bytes, mapped_prefix, sizeof mapped_prefix) == 0;
}

bool address_range_parse(address_range_t *range, const char *text) {
    char name[64];
    const char *slash = strchr(text, '/');
    size_t size = slash != NULL ? (size_t)(slash - text) : strlen(text);
    if (size >= sizeof name) {
        return false;
    }
    memcpy(name, text, size);
    name[size] = 0;
    struct in_addr v4;
    struct in6_addr v6;
    unsigned offset = 0, most = 128;
    if (inet_pton(AF_INET, name, &v4) == 1) {
        set_v4(&range->start, &v4);
        offset = 96;
        most = 32;
    } else if (inet_pton(AF_INET6, name, &v6) == 1) {
        /* As it stands: a range of the wrapped forms would say one thing and mean another. */
        memcpy(range->start.bytes, &v6, 16);
    } else {
        return false;
    }
    range->bits = offset + most;
    if (slash != NULL) {
        char *end = NULL;
        unsigned long bits = strtoul(slash + 1, &end, 10);
        if (slash[1] < '0' || slash[1] > '9' || *end != 0 || bits > most) {
            return false;
        }
        range->bits = offset + (unsigned)bits;
    }
    return true;
}

bool address_range_has(const address_range_t *range, const address_t *address) {
    unsigned whole = range->bits / 8, rest = range->bits % 8;
    if (memcmp(range->start.bytes, address->bytes, whole) != 0) {
        return false;
    }
    unsigned char mask = (unsigned char)(0xff00 >> rest);
    return rest == 0 || ((range->start.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

static bool is_in(const char *text, const address_t *address) {
    address_range_t range;
    return address_range_parse(&range, text) && address_range_has(&range, address);
}

bool address_is_public(const address_t *address) {
    if (is_v4(address)) {
        for (size_t i = 0; i < sizeof closed_ranges / sizeof *closed_ranges; i++) {
            if (is_in(closed_ranges[i], address)) {
                return false;
            }
        }
        return true;
    }
    for (size_t i = 0; i < sizeof closed_ranges6 / sizeof *closed_ranges6; i++) {
        if (is_in(closed_ranges6[i], address)) {
            return false;
        }
    }
    return is_in(open_range, address);
}

void address_print(const address_t *address, char *text, size_t size) {
    const char *made = is_v4(address) ? inet_ntop(AF_INET, address->bytes + 12, text, (socklen_t)size)
                                      : inet_ntop(AF_INET6, address->bytes, text, (socklen_t)size);
    if (made == NULL) {
        snprintf(text, size, "an address");
    }
}
