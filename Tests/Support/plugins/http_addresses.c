/*
 * Puts addresses through Plugins/HTTP/address.c as they come from a socket: ADDRESS… says public or closed of each,
 * in RANGE ADDRESS… says yes or no.
 */
#define _DEFAULT_SOURCE
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static bool take(address_t *address, const char *text) {
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        return address_take(address, (const struct sockaddr *)&v4, sizeof v4);
    }
    return inet_pton(AF_INET6, text, &v6.sin6_addr) == 1 &&
           address_take(address, (const struct sockaddr *)&v6, sizeof v6);
}

int main(int count, char **arguments) {
    bool is_range = count > 2 && strcmp(arguments[1], "in") == 0;
    address_range_t range = { .bits = 0 };
    if (is_range && !address_range_parse(&range, arguments[2])) {
        puts("wrong");
        return 0;
    }
    for (int i = is_range ? 3 : 1; i < count; i++) {
        address_t address;
        if (!take(&address, arguments[i])) {
            puts("no address");
        } else if (is_range) {
            puts(address_range_has(&range, &address) ? "yes" : "no");
        } else {
            puts(address_is_public(&address) ? "public" : "closed");
        }
    }
    return 0;
}
