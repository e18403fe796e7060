#include "base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(text_t *text, const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i += 3) {
        size_t rest = size - i;
        unsigned word = (unsigned)at[i] << 16 | (rest > 1 ? (unsigned)at[i + 1] << 8 : 0) | (rest > 2 ? at[i + 2] : 0);
        char four[4] = { digits[word >> 18 & 63], digits[word >> 12 & 63], rest > 1 ? digits[word >> 6 & 63] : '=',
                         rest > 2 ? digits[word & 63] : '=' };
        text_add(text, four, sizeof four);
    }
}

bool base64_decode(text_t *text, const char *data, size_t size) {
    if (size % 4 != 0) {
        return false;
    }
    for (size_t i = 0; i < size; i += 4) {
        unsigned word = 0;
        size_t padding = 0;
        for (size_t j = 0; j < 4; j++) {
            const char *digit = data[i + j] != 0 ? strchr(digits, data[i + j]) : NULL;
            if (digit != NULL && padding == 0) {
                word = word << 6 | (unsigned)(digit - digits);
            } else if (data[i + j] == '=' && j >= 2 && i + 4 == size) {
                word <<= 6;
                padding++;
            } else {
                return false;
            }
        }
        char three[3] = { (char)(word >> 16), (char)(word >> 8), (char)word };
        text_add(text, three, 3 - padding);
    }
    return true;
}
