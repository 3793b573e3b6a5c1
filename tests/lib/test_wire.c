/* test_wire.c - headers and metas survive the way, and nothing else passes.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "check_par.h"
#include "type.h"
#include "wire.h"

enum { MAX_PARTS = 5, FUZZ_ROUNDS = 150000 };

static const uint64_t shape_2x3x4[] = {2, 3, 4}, shape_empty[] = {7, 0, UINT64_MAX},
                      shape_order[] = {2, 3};
static const char extra[] = "a description";

/* A message to be: its header is made from the rest. */
typedef struct sample {
    const char *name;
    par_content content;
    par_part parts[MAX_PARTS];
    size_t part_count;
    bool in_call, meta_apart, body_apart;
} sample;

#define PLAIN(t, d, s) \
    .content = {.kind = PAR_ARRAY, .type = (t), .dims = (d), .shape = (s)}
#define OBJECT(e) .content = {.kind = PAR_OBJECT, .type = (e), .variant = 9}
#define DESCRIBED(k, t, d, s)   \
    .content = {.kind = (k),    \
                .type = (t),    \
                .variant = 2,   \
                .dims = (d),    \
                .shape = (s),   \
                .extra = extra, \
                .extra_bytes = sizeof extra}
#define ONE_PART(n) .parts = {{NULL, n}}, .part_count = 1

static const sample samples[] = {
    {"no elements", PLAIN(PAR_DOUBLE, 1, NULL), ONE_PART(0)},
    {"elements", PLAIN(PAR_DOUBLE, 1, NULL), ONE_PART(24)},
    {"elements apart", PLAIN(PAR_INT16, 1, NULL), ONE_PART(4096), .body_apart = true},
    {"a scalar", PLAIN(PAR_COMPLEX_DOUBLE, 0, NULL), ONE_PART(16)},
    {"a shape", PLAIN(PAR_INT32, 3, shape_2x3x4), ONE_PART(96)},
    {"a shape, body apart", PLAIN(PAR_INT32, 3, shape_2x3x4), ONE_PART(96),
     .body_apart = true},
    {"an empty shape", PLAIN(PAR_FLOAT, 3, shape_empty), ONE_PART(0)},
    {"elements of a collective", PLAIN(PAR_UINT64, 1, NULL), ONE_PART(64),
     .in_call = true},
    {"a shape in a collective", PLAIN(PAR_UINT8, 2, shape_order), ONE_PART(6),
     .in_call = true},
    {"an opaque array", DESCRIBED(PAR_ARRAY, PAR_OPAQUE, 2, shape_order), ONE_PART(30)},
    {"an opaque array in parts", DESCRIBED(PAR_ARRAY, PAR_OPAQUE, 2, shape_order),
     .parts = {{NULL, 10}, {NULL, 20}}, .part_count = 2},
    {"an object", OBJECT(200), ONE_PART(11)},
    {"an object of nothing", OBJECT(3), .part_count = 0},
    {"an object with a description", DESCRIBED(PAR_OBJECT, 255, 0, NULL), ONE_PART(5)},
    {"an object in parts", DESCRIBED(PAR_OBJECT, 1, 0, NULL),
     .parts = {{NULL, 3}, {NULL, 0}, {NULL, 17}, {NULL, 1}}, .part_count = 4},
    {"an object apart", DESCRIBED(PAR_OBJECT, 1, 0, NULL),
     .parts = {{NULL, 3}, {NULL, 9000}, {NULL, 17}}, .part_count = 3, .body_apart = true},
    {"an object, all apart", DESCRIBED(PAR_OBJECT, 1, 0, NULL),
     .parts = {{NULL, 3}, {NULL, 9000}, {NULL, 17}}, .part_count = 3, .meta_apart = true,
     .body_apart = true},
    {"a description apart, without a body", DESCRIBED(PAR_OBJECT, 1, 0, NULL),
     .part_count = 0, .meta_apart = true},
    {"an object in a collective", DESCRIBED(PAR_OBJECT, 1, 0, NULL),
     .parts = {{NULL, 3}, {NULL, 4}}, .part_count = 2, .in_call = true},
};

enum { SAMPLE_COUNT = sizeof samples / sizeof *samples };

static const wire_call sample_call = {
    .function = 3, .op = 7, .root = INT32_MAX - 5, .count = UINT64_MAX - 9};

static wire_header header_of(const sample *s)
{
    wire_header h = {
        .context = s->in_call ? WIRE_COLLECTIVE : WIRE_P2P,
        .kind = (uint8_t)s->content.kind,
        .type = s->content.type,
        .variant = s->content.variant,
        .dims = s->content.dims,
        .parted = s->part_count > 1,
        .meta_apart = s->meta_apart,
        .body_apart = s->body_apart,
        .tag = 0x12345678,
        .meta_bytes = (uint32_t)wire_meta_bytes(&s->content, s->part_count, s->in_call),
        .body_tag = s->meta_apart || s->body_apart ? 0xFEDCBA98 : 0,
    };

    for (size_t i = 0; i < s->part_count; i++)
        h.bytes += s->parts[i].bytes;
    return h;
}

/* A message in memory of exactly its size, so that a sanitizer sees each byte
 * read too much. */
typedef struct packed {
    unsigned char *bytes, *meta;
    size_t size;
} packed;

static void pack_meta(const sample *s, unsigned char *to)
{
    wire_put_meta(to, &s->content, s->parts, s->part_count,
                  s->in_call ? &sample_call : NULL);
}

static packed pack(const sample *s)
{
    wire_header h = header_of(s);
    packed p = {.size = WIRE_HEADER_BYTES};

    if (!s->meta_apart)
        p.size += h.meta_bytes;
    if (!s->body_apart)
        p.size += h.bytes;
    p.bytes = check_alloc(p.size);
    p.meta = check_alloc(h.meta_bytes);
    wire_put(p.bytes, &h);
    pack_meta(s, p.meta);
    if (!s->meta_apart)
        memcpy(p.bytes + WIRE_HEADER_BYTES, p.meta, h.meta_bytes);
    return p;
}

static void drop(packed *p)
{
    free(p->bytes);
    free(p->meta);
}

/* ---- what was sent arrives ------------------------------------------------ */

static void check_header(const sample *s, const wire_header *got)
{
    wire_header sent = header_of(s);

    ck_assert_uint_eq(got->context, sent.context);
    ck_assert_uint_eq(got->kind, sent.kind);
    ck_assert_uint_eq(got->type, sent.type);
    ck_assert_uint_eq(got->variant, sent.variant);
    ck_assert_uint_eq(got->dims, sent.dims);
    ck_assert_int_eq(got->parted, sent.parted);
    ck_assert_int_eq(got->meta_apart, sent.meta_apart);
    ck_assert_int_eq(got->body_apart, sent.body_apart);
    ck_assert_int_eq(got->tag, sent.tag);
    ck_assert_uint_eq(got->meta_bytes, sent.meta_bytes);
    ck_assert_uint_eq(got->body_tag, sent.body_tag);
    ck_assert_uint_eq(got->bytes, sent.bytes);
}

static void check_meta(const sample *s, const unsigned char *bytes, const wire_meta *got)
{
    const par_content *c = &s->content;

    if (s->in_call) {
        wire_call call;

        wire_get_call(bytes, &call);
        ck_assert_uint_eq(call.function, sample_call.function);
        ck_assert_uint_eq(call.op, sample_call.op);
        ck_assert_int_eq(call.root, sample_call.root);
        ck_assert_uint_eq(call.count, sample_call.count);
    }
    ck_assert_int_eq(got->shape != NULL, c->kind == PAR_ARRAY && c->dims > 1);
    for (unsigned d = 0; got->shape && d < c->dims; d++)
        ck_assert_uint_eq(got->shape[d], c->shape[d]);
    ck_assert_int_eq(got->part_bytes != NULL, s->part_count > 1);
    ck_assert_uint_eq(got->part_count, s->part_count > 1 ? s->part_count : 1);
    for (size_t i = 0; got->part_bytes && i < s->part_count; i++)
        ck_assert_uint_eq(got->part_bytes[i], s->parts[i].bytes);
    ck_assert_uint_eq(got->extra_bytes, c->extra_bytes);
    if (c->extra_bytes)
        ck_assert_mem_eq(got->extra, c->extra, c->extra_bytes);
}

START_TEST(every_kind_of_message_comes_out_as_it_went_in)
{
    const sample *s = &samples[_i];
    packed p = pack(s);
    wire_header header;
    wire_meta meta;

    ck_assert_msg(wire_get(p.bytes, p.size, &header), "%s is refused", s->name);
    check_header(s, &header);
    ck_assert_msg(wire_get_meta(p.meta, &header, &meta), "the meta of %s is refused",
                  s->name);
    check_meta(s, p.meta, &meta);
    drop(&p);
}
END_TEST

START_TEST(every_type_comes_out_as_it_went_in)
{
    for (int type = 0; type < TYPE_COUNT; type++) {
        sample s = {"elements", PLAIN((uint8_t)type, 1, NULL),
                    ONE_PART(3 * par_type_size((par_type)type))};
        packed p = pack(&s);
        wire_header header;

        ck_assert(wire_get(p.bytes, p.size, &header));
        check_header(&s, &header);
        drop(&p);
    }
}
END_TEST

START_TEST(the_extremes_of_numbers_come_out_as_they_went_in)
{
    sample s = {"large", OBJECT(255), ONE_PART(PTRDIFF_MAX), .body_apart = true};
    static const int32_t tags[] = {0, 1, INT32_MAX};

    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        unsigned char bytes[WIRE_HEADER_BYTES];
        wire_header sent = header_of(&s), got;

        sent.tag = tags[i];
        sent.body_tag = UINT32_MAX;
        wire_put(bytes, &sent);
        ck_assert(wire_get(bytes, sizeof bytes, &got));
        ck_assert_int_eq(got.tag, tags[i]);
        ck_assert_uint_eq(got.body_tag, UINT32_MAX);
        ck_assert_uint_eq(got.bytes, PTRDIFF_MAX);
    }
}
END_TEST

START_TEST(the_most_dimensions_come_out_as_they_went_in)
{
    uint64_t shape[WIRE_MAX_DIMS];
    sample s = {"64 dimensions", PLAIN(PAR_BYTE, WIRE_MAX_DIMS, shape), ONE_PART(6)};
    packed p;
    wire_header header;
    wire_meta meta;

    for (int d = 0; d < WIRE_MAX_DIMS; d++)
        shape[d] = 1;
    shape[5] = 2;
    shape[WIRE_MAX_DIMS - 1] = 3;
    p = pack(&s);
    ck_assert(wire_get(p.bytes, p.size, &header));
    ck_assert(wire_get_meta(p.meta, &header, &meta));
    check_meta(&s, p.meta, &meta);
    drop(&p);
}
END_TEST

/* Ranks of other builds depend on it: another layout is another version. */
START_TEST(the_layout_is_the_documented_one)
{
    static const unsigned char documented[WIRE_HEADER_BYTES - 4] = {
        0xA1, 1,    2,    0x44,             /* version, context, kind, type */
        0x78, 0x56, 0x34, 0x12,             /* tag */
        8,    7,    6,    5,    4, 3, 2, 1, /* bytes of the body */
        0x11, 0,    0,    0,                /* bytes of the meta */
        0xEF, 0xBE, 0xAD, 0xDE,             /* tag of what comes apart */
        0x55, 0x0A, 5,    0,                /* variant, dims, flags, zero */
    };
    wire_header header = {.context = 1,
                          .kind = 2,
                          .type = 0x44,
                          .tag = 0x12345678,
                          .bytes = 0x0102030405060708,
                          .meta_bytes = 0x11,
                          .body_tag = 0xDEADBEEF,
                          .variant = 0x55,
                          .dims = 10,
                          .parted = true,
                          .body_apart = true};
    unsigned char bytes[WIRE_HEADER_BYTES];

    wire_put(bytes, &header);
    ck_assert_mem_eq(bytes, documented, sizeof documented);
}
END_TEST

/* ---- anything else is refused --------------------------------------------- */

START_TEST(a_message_of_any_other_length_is_refused)
{
    const sample *s = &samples[_i];
    packed p = pack(s);
    wire_header header;

    for (size_t size = 0; size < p.size + 20; size++) {
        /* The first so many bytes, with nothing readable behind them. */
        unsigned char *other = check_alloc(size);

        memcpy(other, p.bytes, size < p.size ? size : p.size);
        ck_assert_msg(wire_get(other, size, &header) == (size == p.size),
                      "%s of %zu bytes, %zu of which came", s->name, p.size, size);
        free(other);
    }
    drop(&p);
}
END_TEST

START_TEST(a_header_with_any_one_bit_wrong_is_refused)
{
    const sample *s = &samples[_i];
    packed p = pack(s);
    wire_header header;

    for (unsigned bit = 0; bit < 8 * WIRE_HEADER_BYTES; bit++) {
        p.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        ck_assert_msg(!wire_get(p.bytes, p.size, &header), "%s with bit %u wrong",
                      s->name, bit);
        p.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    ck_assert(wire_get(p.bytes, p.size, &header));
    drop(&p);
}
END_TEST

START_TEST(a_header_with_any_one_byte_wrong_is_refused)
{
    packed p = pack(&samples[_i]);
    wire_header header;

    for (unsigned at = 0; at < WIRE_HEADER_BYTES; at++) {
        unsigned char right = p.bytes[at];

        for (unsigned wrong = 0; wrong < 256; wrong++) {
            p.bytes[at] = (unsigned char)wrong;
            ck_assert_int_eq(wire_get(p.bytes, p.size, &header), wrong == right);
        }
        p.bytes[at] = right;
    }
    drop(&p);
}
END_TEST

START_TEST(a_header_that_is_refused_leaves_the_result)
{
    unsigned char bytes[WIRE_HEADER_BYTES] = {0};
    wire_header header, before;

    memset(&header, 0x5A, sizeof header);
    before = header;
    ck_assert(!wire_get(bytes, sizeof bytes, &header));
    ck_assert_mem_eq(&header, &before, sizeof header);
}
END_TEST

/* The rest of a message that contradicts its header; the check is right. */
static bool passes(const wire_header *h)
{
    size_t size = WIRE_HEADER_BYTES + (h->meta_apart ? 0 : h->meta_bytes) +
                  (h->body_apart || h->bytes > 1 << 20 ? 0 : (size_t)h->bytes);
    unsigned char *bytes = check_alloc(size);
    wire_header got;
    bool passed;

    wire_put(bytes, h);
    passed = wire_get(bytes, size, &got);
    free(bytes);
    return passed;
}

static wire_header plain_header(void)
{
    return (wire_header){
        .context = WIRE_P2P, .kind = PAR_ARRAY, .type = PAR_INT32, .dims = 1, .bytes = 8};
}

static wire_header object_header(void)
{
    return (wire_header){
        .context = WIRE_P2P, .kind = PAR_OBJECT, .type = 1, .bytes = 8, .meta_bytes = 24};
}

/* HEADER passes, and with FIELD = VALUE it doesn't. */
#define REFUSED(header, field, value)                                          \
    do {                                                                       \
        wire_header right = (header), wrong = right;                           \
                                                                               \
        wrong.field = (value);                                                 \
        ck_assert_msg(passes(&right), "refused without " #field " = " #value); \
        ck_assert_msg(!passes(&wrong), "passed with " #field " = " #value);    \
    } while (0)

/* The check as wire.c has it, written again: other builds must agree on it. */
static void seal(unsigned char *header)
{
    uint32_t lanes[2] = {0x85EBCA77u, 0x9E3779B1u};

    for (int word = 0; word < 7; word++) {
        uint32_t value;

        memcpy(&value, header + 4 * word, sizeof value);
        lanes[word % 2] =
            (lanes[word % 2] ^ value) * (word % 2 ? 0x85EBCA77u : 0x9E3779B1u);
    }
    lanes[0] ^= lanes[1] << 15 | lanes[1] >> 17;
    memcpy(header + 28, &lanes[0], sizeof lanes[0]);
}

/* A byte of the header that says something unknown, though the check is right. */
static void refuse_byte(int at, unsigned char wrong)
{
    wire_header header = plain_header(), got;
    unsigned char bytes[WIRE_HEADER_BYTES + 8] = {0}, right;

    wire_put(bytes, &header);
    right = bytes[at];
    bytes[at] = wrong;
    seal(bytes);
    ck_assert_msg(!wire_get(bytes, sizeof bytes, &got), "passed with %u at %d", wrong,
                  at);
    bytes[at] = right;
    seal(bytes);
    ck_assert(wire_get(bytes, sizeof bytes, &got));
}

START_TEST(another_version_or_unknown_flag_is_refused)
{
    refuse_byte(0, 0xA0);
    refuse_byte(0, 0xA2);
    refuse_byte(0, 0);
    for (int flag = 8; flag < 256; flag *= 2)
        refuse_byte(26, (unsigned char)flag);
    refuse_byte(27, 1);
    refuse_byte(27, 128);
}
END_TEST

START_TEST(a_field_out_of_range_is_refused)
{
    REFUSED(plain_header(), context, 0);
    REFUSED(plain_header(), context, WIRE_WORD + 1);
    REFUSED(plain_header(), context, 255);
    REFUSED(plain_header(), kind, PAR_OBJECT + 1);
    REFUSED(plain_header(), kind, 255);
    REFUSED(plain_header(), type, TYPE_COUNT);
    REFUSED(plain_header(), type, 255);
    REFUSED(plain_header(), tag, -1);
    REFUSED(plain_header(), tag, INT32_MIN);
    REFUSED(object_header(), dims, WIRE_MAX_DIMS + 1);
    REFUSED(object_header(), dims, 255);
}
END_TEST

START_TEST(fields_that_contradict_each_other_are_refused)
{
    wire_header scalar = plain_header();

    /* elements and bytes */
    REFUSED(plain_header(), bytes, 7);
    REFUSED(plain_header(), type, PAR_COMPLEX_DOUBLE);
    scalar.dims = 0;
    scalar.bytes = 4;
    REFUSED(scalar, bytes, 8);
    REFUSED(scalar, bytes, 0);
    /* dimensions without a shape, or with a longer one */
    REFUSED(plain_header(), dims, 2);
    REFUSED(plain_header(), meta_bytes, 8);
    /* a call that isn't there */
    REFUSED(plain_header(), context, WIRE_COLLECTIVE);
    /* what only objects and opaque arrays have */
    REFUSED(plain_header(), parted, true);
    REFUSED(plain_header(), meta_apart, true);
    /* a list of parts without room for its length */
    wire_header object = object_header();

    object.meta_bytes = 7;
    REFUSED(object, parted, true);
}
END_TEST

START_TEST(what_comes_apart_must_be_there_and_have_a_tag)
{
    wire_header object = object_header();

    REFUSED(object, body_tag, 1);
    REFUSED(object, meta_apart, true); /* but the body comes along */
    object.meta_bytes = 0;
    object.body_apart = true;
    REFUSED(object, meta_apart, true); /* but there is none */
    REFUSED(object, bytes, 0);         /* of the body that comes apart */
}
END_TEST

/* The meta of a plain array with SHAPE and BYTES of bytes, of 8 an element. */
static bool shape_passes(const uint64_t *shape, uint8_t dims, uint64_t bytes)
{
    wire_header header = {.context = WIRE_P2P,
                          .kind = PAR_ARRAY,
                          .type = PAR_DOUBLE,
                          .dims = dims,
                          .body_apart = bytes > 0,
                          .meta_bytes = dims * (uint32_t)sizeof *shape,
                          .bytes = bytes};
    wire_meta meta;

    ck_assert(passes(&header));
    return wire_get_meta((const unsigned char *)shape, &header, &meta);
}

#define SHAPE(...)                   \
    (const uint64_t[]){__VA_ARGS__}, \
        sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t)

START_TEST(a_shape_that_contradicts_the_bytes_is_refused)
{
    ck_assert(shape_passes(SHAPE(2, 3), 48));
    ck_assert(!shape_passes(SHAPE(2, 3), 40));
    ck_assert(!shape_passes(SHAPE(2, 3), 56));
    ck_assert(!shape_passes(SHAPE(2, 3), 0));
    ck_assert(!shape_passes(SHAPE(2, 0), 8));
    ck_assert(!shape_passes(SHAPE(1, 1), 0));
    ck_assert(shape_passes(SHAPE(2, 0, 5), 0));
    ck_assert(shape_passes(SHAPE(UINT64_MAX, UINT64_MAX, 0), 0));
}
END_TEST

START_TEST(a_shape_whose_product_overflows_is_refused)
{
    const uint64_t half = UINT64_C(1) << 32;

    ck_assert(!shape_passes(SHAPE(half, half), 0));
    ck_assert(!shape_passes(SHAPE(half, half, 1), 8));
    ck_assert(!shape_passes(SHAPE(UINT64_C(1) << 63, 2), 0));
    ck_assert(!shape_passes(SHAPE(UINT64_MAX, UINT64_MAX), 8)); /* wraps to 1 */
    ck_assert(!shape_passes(SHAPE(half + 1, half - 1, 3), 24));
    /* elements that can be counted, but their bytes can't */
    ck_assert(!shape_passes(SHAPE(UINT64_C(1) << 61, 1), 0));
    ck_assert(!shape_passes(SHAPE((UINT64_C(1) << 61) + 1, 1), 8));
}
END_TEST

/* The meta of an object in parts of LENGTHS; list[0] says how many. */
static bool parts_pass(const uint64_t *list, size_t words, uint64_t bytes)
{
    wire_header header = {.context = WIRE_P2P,
                          .kind = PAR_OBJECT,
                          .parted = true,
                          .body_apart = bytes > 0,
                          .meta_bytes = (uint32_t)(words * sizeof *list),
                          .bytes = bytes};
    unsigned char *meta_bytes = check_alloc(header.meta_bytes);
    wire_meta meta;
    bool passed;

    memcpy(meta_bytes, list, header.meta_bytes);
    ck_assert(passes(&header));
    passed = wire_get_meta(meta_bytes, &header, &meta);
    free(meta_bytes);
    return passed;
}

START_TEST(parts_that_contradict_the_bytes_are_refused)
{
    ck_assert(parts_pass(SHAPE(2, 5, 6), 11));
    ck_assert(parts_pass(SHAPE(3, 0, 0, 0), 0));
    ck_assert(!parts_pass(SHAPE(2, 5, 6), 12));
    ck_assert(!parts_pass(SHAPE(2, 5, 6), 0));
    ck_assert(!parts_pass(SHAPE(2, UINT64_MAX, 12), 11)); /* wraps to 11 */
}
END_TEST

START_TEST(a_count_of_parts_without_the_parts_is_refused)
{
    ck_assert(!parts_pass(SHAPE(0, 11), 11));
    ck_assert(!parts_pass(SHAPE(1, 11), 11));
    ck_assert(!parts_pass(SHAPE(3, 5, 6), 11));
    ck_assert(!parts_pass(SHAPE(2), 0));
    ck_assert(!parts_pass(SHAPE(UINT64_MAX, 5, 6), 11));
    ck_assert(!parts_pass(SHAPE((UINT64_C(1) << 61) + 2, 5, 6), 11)); /* bytes wrap */
}
END_TEST

START_TEST(a_shape_or_part_with_any_one_bit_wrong_is_refused)
{
    const uint64_t shape[] = {6, 7}, parts[] = {3, 9, 4, 1};

    for (unsigned bit = 0; bit < 8 * sizeof shape; bit++) {
        uint64_t wrong[] = {shape[0], shape[1]};

        wrong[bit / 64] ^= UINT64_C(1) << bit % 64;
        ck_assert(!shape_passes(wrong, 2, 6 * 7 * 8));
    }
    for (unsigned bit = 0; bit < 8 * sizeof parts; bit++) {
        uint64_t wrong[] = {parts[0], parts[1], parts[2], parts[3]};

        wrong[bit / 64] ^= UINT64_C(1) << bit % 64;
        ck_assert(!parts_pass(wrong, 4, 14));
    }
}
END_TEST

/* ---- noise ---------------------------------------------------------------- */

static uint64_t below(uint64_t *noise, uint64_t limit)
{
    return check_next(noise) % limit;
}

/* Nearly right: so that most get past the first checks. */
static wire_header noisy_header(uint64_t *noise)
{
    static const uint64_t odd_bytes[] = {0,          1,           8,         16,
                                         UINT32_MAX, PTRDIFF_MAX, UINT64_MAX};
    uint64_t flags = check_next(noise);

    return (wire_header){
        .context = (uint8_t)(1 + below(noise, 2) + !below(noise, 50)),
        .kind = (uint8_t)(below(noise, 2) + !below(noise, 50)),
        .type = (uint8_t)below(noise, below(noise, 4) ? TYPE_COUNT : 256),
        .variant = (uint8_t)below(noise, 256),
        .dims = (uint8_t)below(noise, below(noise, 4) ? 4 : 256),
        .parted = flags & 1,
        .meta_apart = flags & 2,
        .body_apart = flags & 4,
        .tag = (int32_t)below(noise, below(noise, 8) ? 1000 : UINT64_C(1) << 32),
        .meta_bytes = (uint32_t)(8 * below(noise, 12) + !below(noise, 4)),
        .body_tag = (flags & 6) ? (uint32_t)check_next(noise) : 0,
        .bytes = below(noise, 3) ? 8 * below(noise, 10) : odd_bytes[below(noise, 7)],
    };
}

static size_t length_of(const wire_header *h)
{
    return WIRE_HEADER_BYTES + (h->meta_apart ? 0 : h->meta_bytes) +
           (h->body_apart || h->bytes > 4096 ? 0 : (size_t)h->bytes);
}

/* Small numbers mostly: counts and lengths that could be. */
static void noisy_meta(uint64_t *noise, unsigned char *to, size_t bytes)
{
    check_fill(to, bytes, check_next(noise));
    for (size_t at = 0; at + 8 <= bytes; at += 8) {
        uint64_t number = below(noise, 5);

        if (below(noise, 8))
            memcpy(to + at, &number, sizeof number);
    }
}

/* Whatever passes must hold together: all of it is going to be used. */
static void check_sound(const wire_header *h, const unsigned char *from,
                        const wire_meta *meta)
{
    const unsigned char *end = from + h->meta_bytes;
    uint64_t sum = 0;

    ck_assert(h->tag >= 0 && h->dims <= WIRE_MAX_DIMS);
    ck_assert((const unsigned char *)meta->extra >= from);
    ck_assert_ptr_eq((const unsigned char *)meta->extra + meta->extra_bytes, end);
    ck_assert_uint_ge(meta->part_count, 1);
    if (meta->shape)
        ck_assert((const unsigned char *)(meta->shape + h->dims) <= end);
    if (!meta->part_bytes)
        return;
    ck_assert((const unsigned char *)(meta->part_bytes + meta->part_count) <= end);
    for (size_t i = 0; i < meta->part_count; i++)
        ck_assert(!__builtin_add_overflow(sum, meta->part_bytes[i], &sum));
    ck_assert_uint_eq(sum, h->bytes);
}

/* How many of the noisy messages got through: header alone, and meta too. */
typedef struct tally {
    unsigned headers, metas;
} tally;

static void try_meta(uint64_t *noise, const wire_header *header, tally *t)
{
    unsigned char *bytes = check_alloc(header->meta_bytes);
    wire_meta meta;

    noisy_meta(noise, bytes, header->meta_bytes);
    if (wire_get_meta(bytes, header, &meta)) {
        t->metas++;
        check_sound(header, bytes, &meta);
    }
    free(bytes);
}

START_TEST(no_noise_gets_through_unsound)
{
    uint64_t noise = 20;
    tally t = {0};

    for (int round = 0; round < FUZZ_ROUNDS; round++) {
        wire_header sent = noisy_header(&noise), got;
        size_t size = below(&noise, 8) ? length_of(&sent) : below(&noise, 200);
        unsigned char *bytes = check_alloc(size);

        check_fill(bytes, size, check_next(&noise));
        if (size >= WIRE_HEADER_BYTES && below(&noise, 16))
            wire_put(bytes, &sent);
        if (wire_get(bytes, size, &got)) {
            t.headers++;
            try_meta(&noise, &got, &t);
        }
        free(bytes);
    }
    /* Enough of each, or it would be a test of the first check alone. */
    ck_assert_uint_gt(t.headers, FUZZ_ROUNDS / 50);
    ck_assert_uint_gt(t.metas, FUZZ_ROUNDS / 100);
    ck_assert_uint_gt(t.headers - t.metas, FUZZ_ROUNDS / 500);
}
END_TEST

START_TEST(no_pure_noise_gets_through)
{
    uint64_t noise = 30;
    unsigned char bytes[64];
    wire_header header;

    for (int round = 0; round < FUZZ_ROUNDS; round++) {
        check_fill(bytes, sizeof bytes, check_next(&noise));
        bytes[0] = 0xA1;
        ck_assert(!wire_get(bytes, below(&noise, sizeof bytes + 1), &header));
    }
}
END_TEST

static void add(Suite *suite)
{
    check_add_each(suite, SAMPLE_COUNT, every_kind_of_message_comes_out_as_it_went_in);
    check_add(suite, every_type_comes_out_as_it_went_in);
    check_add(suite, the_extremes_of_numbers_come_out_as_they_went_in);
    check_add(suite, the_most_dimensions_come_out_as_they_went_in);
    check_add(suite, the_layout_is_the_documented_one);
    check_add_each(suite, SAMPLE_COUNT, a_message_of_any_other_length_is_refused);
    check_add_each(suite, SAMPLE_COUNT, a_header_with_any_one_bit_wrong_is_refused);
    check_add_each(suite, SAMPLE_COUNT, a_header_with_any_one_byte_wrong_is_refused);
    check_add(suite, a_header_that_is_refused_leaves_the_result);
    check_add(suite, another_version_or_unknown_flag_is_refused);
    check_add(suite, a_field_out_of_range_is_refused);
    check_add(suite, fields_that_contradict_each_other_are_refused);
    check_add(suite, what_comes_apart_must_be_there_and_have_a_tag);
    check_add(suite, a_shape_that_contradicts_the_bytes_is_refused);
    check_add(suite, a_shape_whose_product_overflows_is_refused);
    check_add(suite, parts_that_contradict_the_bytes_are_refused);
    check_add(suite, a_count_of_parts_without_the_parts_is_refused);
    check_add(suite, a_shape_or_part_with_any_one_bit_wrong_is_refused);
    check_add(suite, no_noise_gets_through_unsound);
    check_add(suite, no_pure_noise_gets_through);
}

const check_program program = {.name = "wire", .add = add, .alone = true};
