/*
 * answer.h: a server's answer as JSON.
 */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include <curl/curl.h>

#include "text.h"

/* Appends the headers of the last answer: {"content-type": ["text/html"], …}, names in lower case. */
void answer_write_headers(text_t *text, CURL *easy);

/* Appends the members for a body: "body" if it is UTF-8, "body_base64" if not, and "truncated". */
void answer_write_body(text_t *text, const text_t *body, bool is_cut);

#endif
