#include "CLinux.h"

#include <pthread.h>
#include <string.h>

// CRC-32C (Castagnoli), RFC 3720 appendix B.4: reflected polynomial 0x82f63b78. The instruction does eight
// bytes in three cycles; the tables (slicing by 8) serve processors without it.

static uint32_t tables[8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void make_tables(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t value = byte;
        for (int bit = 0; bit < 8; bit++) value = value & 1 ? value >> 1 ^ 0x82f63b78u : value >> 1;
        tables[0][byte] = value;
    }
    for (int slice = 1; slice < 8; slice++) {
        for (int byte = 0; byte < 256; byte++) {
            uint32_t before = tables[slice - 1][byte];
            tables[slice][byte] = before >> 8 ^ tables[0][before & 0xff];
        }
    }
}

uint32_t dome_crc32c_portable(uint32_t crc, const void *bytes, size_t count) {
    const unsigned char *at = bytes;
    pthread_once(&tables_once, make_tables);
    crc = ~crc;
    for (; count >= 8; count -= 8, at += 8) {
        uint32_t low = crc ^ ((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);
        crc = tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^ tables[5][low >> 16 & 0xff] ^ tables[4][low >> 24] ^
              tables[3][at[4]] ^ tables[2][at[5]] ^ tables[1][at[6]] ^ tables[0][at[7]];
    }
    for (; count > 0; count--, at++) crc = crc >> 8 ^ tables[0][(crc ^ *at) & 0xff];
    return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const void *bytes, size_t count) {
    const unsigned char *at = bytes;
    uint64_t value = ~crc;
    for (; count >= 8; count -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        value = _mm_crc32_u64(value, word);
    }
    for (; count > 0; count--, at++) value = _mm_crc32_u8((uint32_t)value, *at);
    return ~(uint32_t)value;
}

uint32_t dome_crc32c(uint32_t crc, const void *bytes, size_t count) {
    if (__builtin_cpu_supports("sse4.2")) return by_instruction(crc, bytes, count);
    return dome_crc32c_portable(crc, bytes, count);
}
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>

uint32_t dome_crc32c(uint32_t crc, const void *bytes, size_t count) {
    const unsigned char *at = bytes;
    crc = ~crc;
    for (; count >= 8; count -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        crc = __crc32cd(crc, word);
    }
    for (; count > 0; count--, at++) crc = __crc32cb(crc, *at);
    return ~crc;
}
#else
uint32_t dome_crc32c(uint32_t crc, const void *bytes, size_t count) { return dome_crc32c_portable(crc, bytes, count); }
#endif
