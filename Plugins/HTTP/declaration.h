/*
 * declaration.h: what the plugin offers, as JSON text.
 */
#ifndef HTTP_DECLARATION_H
#define HTTP_DECLARATION_H

#define HTTP_ID "dome.http"
#define HTTP_VERSION "0.1.0"

extern const char http_declaration[];
extern const unsigned long http_declaration_size;

#endif
