/* digest.h - a number for bytes, other bytes having another one in all likelihood.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_DIGEST_H
#define PAR_SRC_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a. */
static inline uint64_t digest_of(const void *data, size_t bytes)
{
    const unsigned char *byte = data;
    uint64_t digest = UINT64_C(0xCBF29CE484222325);

    for (size_t i = 0; i < bytes; i++)
        digest = (digest ^ byte[i]) * UINT64_C(0x100000001B3);
    return digest;
}

#endif
