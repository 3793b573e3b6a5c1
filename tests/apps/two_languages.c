/* two_languages.c - the C side of a job of C and Python ranks.
 * SPDX-License-Identifier: MIT
 *
 * Rank r talks with rank size - 1 - r, which runs two_languages.py. Of every
 * type it sends arrays and gets each back with every element doubled; then the
 * Python side sends what it has of its own.
 */
#include <complex.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "must.h"
#include "par.h"

enum { LARGEST = 100000, OWN_TAG = 50 };

static par_comm *world;
static int peer;

#define require(condition, what) \
    (condition ? (void)0 : fail(1, "two_languages.c: %s (line %d)", what, __LINE__))

/* The tag is the type's number. */
#define DEFINE_EXCHANGE(name, c_type, TYPE)                                 \
    static void exchange_##name(size_t count)                               \
    {                                                                       \
        static c_type sent[LARGEST], got[LARGEST];                          \
        par_status status;                                                  \
                                                                            \
        for (size_t i = 0; i < count; i++)                                  \
            sent[i] = (c_type)((int)(i % 50) - 25);                         \
        must(par_send(world, sent, count, TYPE, peer, TYPE));               \
        must(par_receive(world, got, LARGEST, TYPE, peer, TYPE, &status));  \
        require(status.source == peer && status.tag == TYPE, "the status"); \
        require(status.type == TYPE && status.count == count, "the count"); \
        for (size_t i = 0; i < count; i++)                                  \
            require(got[i] == (c_type)(sent[i] + sent[i]), #name);          \
    }

DEFINE_EXCHANGE(bool, bool, PAR_BOOL)
DEFINE_EXCHANGE(int8, int8_t, PAR_INT8)
DEFINE_EXCHANGE(int16, int16_t, PAR_INT16)
DEFINE_EXCHANGE(int32, int32_t, PAR_INT32)
DEFINE_EXCHANGE(int64, int64_t, PAR_INT64)
DEFINE_EXCHANGE(uint8, uint8_t, PAR_UINT8)
DEFINE_EXCHANGE(uint16, uint16_t, PAR_UINT16)
DEFINE_EXCHANGE(uint32, uint32_t, PAR_UINT32)
DEFINE_EXCHANGE(uint64, uint64_t, PAR_UINT64)
DEFINE_EXCHANGE(float, float, PAR_FLOAT)
DEFINE_EXCHANGE(double, double, PAR_DOUBLE)
DEFINE_EXCHANGE(complex_float, float complex, PAR_COMPLEX_FLOAT)
DEFINE_EXCHANGE(complex_double, double complex, PAR_COMPLEX_DOUBLE)

/* A value and its index come back with the value doubled. */
#define DEFINE_LOCATION_EXCHANGE(name, TYPE)                                            \
    static void exchange_##name(size_t count)                                           \
    {                                                                                   \
        static name sent[LARGEST], got[LARGEST];                                        \
        par_status status;                                                              \
                                                                                        \
        for (size_t i = 0; i < count; i++) {                                            \
            sent[i].value = (int)(i % 50) - 25;                                         \
            sent[i].index = (int64_t)i;                                                 \
        }                                                                               \
        must(par_send(world, sent, count, TYPE, peer, TYPE));                           \
        must(par_receive(world, got, LARGEST, TYPE, peer, TYPE, &status));              \
        require(status.type == TYPE && status.count == count, "the count");             \
        for (size_t i = 0; i < count; i++)                                              \
            require(got[i].value == 2 * sent[i].value && got[i].index == sent[i].index, \
                    #name);                                                             \
    }

DEFINE_LOCATION_EXCHANGE(par_double_index, PAR_DOUBLE_INDEX)
DEFINE_LOCATION_EXCHANGE(par_int64_index, PAR_INT64_INDEX)

static void exchange_arrays(size_t count)
{
    exchange_bool(count);
    exchange_int8(count);
    exchange_int16(count);
    exchange_int32(count);
    exchange_int64(count);
    exchange_uint8(count);
    exchange_uint16(count);
    exchange_uint32(count);
    exchange_uint64(count);
    exchange_float(count);
    exchange_double(count);
    exchange_complex_float(count);
    exchange_complex_double(count);
    exchange_par_double_index(count);
    exchange_par_int64_index(count);
}

/* A str is PAR_CHAR, bytes are PAR_BYTE; each comes back twice over. */
static void exchange_text(par_type type, const char *text)
{
    char got[64];
    size_t length = strlen(text);
    par_status status;

    must(par_send(world, text, length, type, peer, (int)type));
    must(par_receive(world, got, sizeof got, type, peer, (int)type, &status));
    require(status.count == 2 * length, "the length of a text");
    require(memcmp(got, text, length) == 0, "a text");
    require(memcmp(got + length, text, length) == 0, "the second half of a text");
}

/* An array of two dimensions comes as the run of its elements; the wrong type
 * leaves it where it is. */
static void receive_matrix(void)
{
    int32_t got[6], wrong = 0;

    require(par_receive(world, &wrong, 1, PAR_UINT64, peer, OWN_TAG, NULL) ==
                PAR_ERR_TYPE,
            "the wrong type must be refused");
    require(par_receive(world, got, 5, PAR_INT32, peer, OWN_TAG, NULL) == PAR_ERR_SIZE,
            "too small a buffer must be refused");
    must(par_receive(world, got, 6, PAR_INT32, peer, OWN_TAG, NULL));
    for (int32_t i = 0; i < 6; i++)
        require(got[i] == 10 * i, "a matrix");
}

/* What only Python understands is refused, and can be taken and dropped. */
static void receive_object(void)
{
    par_message *message;
    par_content content;
    par_status status;
    int64_t number;

    require(par_receive(world, &number, 1, PAR_INT64, peer, OWN_TAG + 1, &status) ==
                PAR_ERR_TYPE,
            "an object must be refused");
    must(par_message_receive(world, peer, OWN_TAG + 1, &message));
    par_message_content(message, &content, &status);
    require(content.kind == PAR_OBJECT && status.source == peer, "an object");
    must(par_message_free(&message));
}

int main(int argc, char **argv)
{
    static const size_t counts[] = {0, 1, 7, 1000, LARGEST};

    must(par_init(&argc, &argv, NULL, &world));
    peer = par_size(world) - 1 - par_rank(world);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        exchange_arrays(counts[i]);
    exchange_text(PAR_CHAR, "Gr\xc3\xbc\xc3\x9f"
                            "e");
    exchange_text(PAR_BYTE, "\x01\xff\x80");
    receive_matrix();
    receive_object();
    must(par_barrier(world));
    printf("C rank %d: all as expected\n", par_rank(world));
    must(par_finalize());
    return 0;
}
