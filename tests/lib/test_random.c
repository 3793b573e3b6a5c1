/* test_random.c - collective calls drawn at random, against what they should give.
 * SPDX-License-Identifier: MIT
 *
 * A call is drawn from a number alone, and so is all that every rank has: each rank
 * knows what it must get, without a message. CHECK_SEED=n draws other calls.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_par.h"
#include "op.h"
#include "slot.h"
#include "type.h"

enum {
    CALLS = 1000,
    MOST_RANKS = 64,
    FENCE = 64,         /* bytes behind each buffer, which nobody may touch */
    WHOLE = 4 << 20,    /* bytes that all ranks of a call have together, at most */
    PATIENCE = 400,     /* seconds; then each rank says where it is */
    NOT_TOUCHED = 0xEE, /* what a result holds before the call */
};

/* ---- calls ------------------------------------------------------------------ */

/* How many parts a rank gives or gets: none, one, or one for each rank; at the root
 * alone or everywhere. */
typedef enum parts {
    NONE,
    ONE,
    EACH,
    ONE_AT_ROOT,
    EACH_AT_ROOT,
} parts;

typedef struct call {
    par_comm *comm;
    int rank, size;
    const struct function *function;
    uint64_t seed;
    par_type type;
    par_op op;
    size_t count, bytes; /* of a part */
    int root;
    bool in_place;
} call;

typedef struct function {
    const char *name;
    parts gives, gets;
    bool joins;
    bool exact; /* every order of joining must give the same: no shape is promised */
    bool may_be_in_place;
    par_error (*run)(const call *c, void *data, void *result);
} function;

static par_error run_barrier(const call *c, void *data, void *result)
{
    (void)data, (void)result;
    return par_barrier(c->comm);
}

static par_error run_broadcast(const call *c, void *data, void *result)
{
    if (data && data != result)
        memcpy(result, data, c->bytes);
    return par_broadcast(c->comm, result, c->count, c->type, c->root);
}

static par_error run_scatter(const call *c, void *data, void *result)
{
    return par_scatter(c->comm, data, result, c->count, c->type, c->root);
}

static par_error run_gather(const call *c, void *data, void *result)
{
    return par_gather(c->comm, data, c->count, c->type, result, c->root);
}

static par_error run_allgather(const call *c, void *data, void *result)
{
    return par_allgather(c->comm, data, c->count, c->type, result);
}

static par_error run_alltoall(const call *c, void *data, void *result)
{
    return par_alltoall(c->comm, data, result, c->count, c->type);
}

static par_error run_reduce(const call *c, void *data, void *result)
{
    return par_reduce(c->comm, data, result, c->count, c->type, c->op, c->root);
}

static par_error run_allreduce(const call *c, void *data, void *result)
{
    return par_allreduce(c->comm, data, result, c->count, c->type, c->op);
}

static par_error run_reduce_scatter(const call *c, void *data, void *result)
{
    size_t counts[MOST_RANKS];

    for (int rank = 0; rank < c->size; rank++)
        counts[rank] = c->count;
    return par_reduce_scatter(c->comm, data, result, counts, c->type, c->op);
}

static par_error run_scan(const call *c, void *data, void *result)
{
    return par_scan(c->comm, data, result, c->count, c->type, c->op);
}

static par_error run_exscan(const call *c, void *data, void *result)
{
    return par_exscan(c->comm, data, result, c->count, c->type, c->op);
}

static const function functions[] = {
    {"barrier", NONE, NONE, .run = run_barrier},
    {"broadcast", ONE_AT_ROOT, ONE, .may_be_in_place = true, .run = run_broadcast},
    {"scatter", EACH_AT_ROOT, ONE, .may_be_in_place = true, .run = run_scatter},
    {"gather", ONE, EACH_AT_ROOT, .may_be_in_place = true, .run = run_gather},
    {"allgather", ONE, EACH, .may_be_in_place = true, .run = run_allgather},
    {"alltoall", EACH, EACH, .run = run_alltoall},
    {"reduce", ONE, ONE_AT_ROOT, .joins = true, .may_be_in_place = true,
     .run = run_reduce},
    {"allreduce", ONE, ONE, .joins = true, .may_be_in_place = true, .run = run_allreduce},
    {"reduce_scatter", EACH, ONE, .joins = true, .run = run_reduce_scatter},
    {"scan", ONE, ONE, .joins = true, .exact = true, .may_be_in_place = true,
     .run = run_scan},
    {"exscan", ONE, ONE, .joins = true, .exact = true, .may_be_in_place = true,
     .run = run_exscan},
};

enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* How many P are on this rank. */
static size_t parts_here(const call *c, parts p)
{
    if ((p == ONE_AT_ROOT || p == EACH_AT_ROOT) && c->rank != c->root)
        return 0;
    if (p == EACH || p == EACH_AT_ROOT)
        return (size_t)c->size;
    return p != NONE;
}

static size_t below(uint64_t *noise, size_t limit)
{
    return check_next(noise) % limit;
}

/* Elements: none, one, about as many as travel in one piece, or of all magnitudes. */
static size_t draw_count(uint64_t *noise, size_t element, int size)
{
    size_t most = (size_t)(WHOLE / size), bytes;

    switch (below(noise, 6)) {
    case 0:
        return below(noise, 2);
    case 1:
        bytes = slot_size + FENCE - below(noise, 3 * FENCE);
        break;
    default:
        bytes = below(noise, (most >> below(noise, 18)) + 1);
    }
    return (bytes < most ? bytes : most) / element;
}

static call draw(par_comm *comm, uint64_t seed)
{
    uint64_t noise = seed;
    call c = {.comm = comm,
              .rank = par_rank(comm),
              .size = par_size(comm),
              .function = &functions[below(&noise, FUNCTIONS)],
              .seed = seed};

    do {
        c.type = (par_type)below(&noise, PAR_OPAQUE);
        c.op = (par_op)below(&noise, PAR_BXOR + 1);
    } while (c.function->joins && op_check(c.op, c.type));
    c.count = draw_count(&noise, par_type_size(c.type), c.size);
    c.bytes = c.count * par_type_size(c.type);
    c.root = (int)below(&noise, (size_t)c.size);
    c.in_place = below(&noise, 3) == 0 && c.function->may_be_in_place;
    return c;
}

/* ---- which call it was -------------------------------------------------------- */

static char where[300];

static void describe(const call *c, uint64_t seed, int number)
{
    snprintf(where, sizeof where,
             "[rank %d] CHECK_SEED=%llu, call %d: rank %d of %d, %s%s%s of %zu %s, root "
             "%d%s\n",
             me, (unsigned long long)seed, number, c->rank, c->size, c->function->name,
             c->function->joins ? " " : "", c->function->joins ? op_name(c->op) : "",
             c->count, par_type_name(c->type), c->root, c->in_place ? ", in place" : "");
}

/* The limit of a job from outside cannot tell which call hangs. */
static void say_where(int signal_number)
{
    ssize_t written = write(STDERR_FILENO, where, strlen(where));

    (void)signal_number;
    sleep(2); /* so that other ranks can say theirs */
    _exit(written < 0 ? 2 : 1);
}

/* ---- elements ------------------------------------------------------------------ */

static bool is_double(par_type type)
{
    return type == PAR_DOUBLE || type == PAR_COMPLEX_DOUBLE;
}

static bool is_float(par_type type)
{
    return type == PAR_FLOAT || type == PAR_COMPLEX_FLOAT;
}

/* Of many magnitudes, so that another order of joining gives other bits, and zeros
 * of both signs; no sixteen of them overflow a float. Or EXACT: small and whole. */
static double real(uint64_t word, bool exact)
{
    static const double scales[] = {0,       0x1p-70, 0x1p-66, 0x1p-63,
                                    0x1p-62, 0x1p-60, 0x1p-58, 0x1p-56};

    return exact ? (double)(word % 5) - 2 : (double)(int64_t)word * scales[word % 8];
}

/* The part that FROM has for TO. */
static void make_part(const call *c, int from, int to, void *part)
{
    uint64_t noise = c->seed + (uint64_t)(1000 * from + to + 1);
    float *floats = part;
    double *doubles = part;
    bool *bools = part;

    if (c->function->joins && is_float(c->type))
        for (size_t i = 0; i < c->bytes / sizeof *floats; i++)
            floats[i] = (float)real(check_next(&noise), c->function->exact);
    else if (c->function->joins && is_double(c->type))
        for (size_t i = 0; i < c->bytes / sizeof *doubles; i++)
            doubles[i] = real(check_next(&noise), c->function->exact);
    else if (c->type == PAR_BOOL)
        for (size_t i = 0; i < c->count; i++)
            bools[i] = check_next(&noise) & 1;
    else
        check_fill(part, c->bytes, noise);
}

/* ---- what should come ------------------------------------------------------------ */

/* splits[LOW][HIGH] is the first rank of the right side where what ranks LOW to HIGH
 * have is joined of a left and a right side. */
static int splits[MOST_RANKS][MOST_RANKS];

/* The shape in which elements are joined is the library's to choose, but always the
 * same. It shows where 1 and two halves of its last bit are summed: (1 + half) + half
 * is 1, but 1 + (half + half) is more. So there is an element for each three ranks. */
static void learn_shape(par_comm *comm)
{
    int rank = par_rank(comm), size = par_size(comm);
    size_t count = (size_t)(size * size * size), at = 0;
    double *probes = check_alloc(count * sizeof *probes);

    snprintf(where, sizeof where, "[rank %d] the allreduce that learns the shape\n", me);
    for (int low = 0; low < size; low++)
        for (int high = low + 2; high < size; high++)
            for (int middle = low + 1; middle < high; middle++, at++)
                probes[at] = rank == low                      ? 1
                             : rank == middle || rank == high ? 0x1p-53
                                                              : 0;
    ck_ok(par_allreduce(comm, probes, probes, at, PAR_DOUBLE, PAR_SUM));
    at = 0;
    for (int low = 0; low < size; low++)
        for (int high = low + 1; high < size; high++) {
            splits[low][high] = low + 1;
            for (int middle = low + 1; middle < high; middle++, at++)
                if (probes[at] == 1) /* MIDDLE is on LOW's side */
                    splits[low][high] = middle + 1;
        }
    free(probes);
}

/* What the elements that ranks LOW to HIGH have for TO give. */
static void join(const call *c, int low, int high, int to, void *result)
{
    void *right;

    if (low == high) {
        make_part(c, low, to, result);
        return;
    }
    right = check_alloc(c->bytes);
    join(c, low, splits[low][high] - 1, to, result);
    join(c, splits[low][high], high, to, right);
    op_join(c->op, c->type, result, result, right, c->count);
    free(right);
}

/* Zeros of both signs are the same number. */
static void drop_signs_of_zeros(const call *c, void *data)
{
    void *zeros = check_alloc(c->bytes);

    if (is_float(c->type) || is_double(c->type))
        op_join(PAR_SUM, c->type, data, data, zeros, c->count);
    free(zeros);
}

/* Put what this rank should get in the place of what RESULT held before. */
static void expect(const call *c, unsigned char *result)
{
    const function *f = c->function;
    bool root_gives = f->gives == ONE_AT_ROOT || f->gives == EACH_AT_ROOT;
    int to = f->gives == EACH || f->gives == EACH_AT_ROOT ? c->rank : 0;
    int last = f->run == run_scan     ? c->rank
               : f->run == run_exscan ? c->rank - 1
                                      : c->size - 1;

    for (size_t i = 0; i < parts_here(c, f->gets); i++)
        if (!f->joins)
            make_part(c, root_gives ? c->root : (int)i, to, result + i * c->bytes);
        else if (last >= 0)
            join(c, 0, last, to, result);
}

/* ---- one call after the other ------------------------------------------------------ */

/* LENGTH bytes and a fence. */
static unsigned char *buffer(size_t length)
{
    unsigned char *memory = check_alloc(length + FENCE);

    memset(memory, NOT_TOUCHED, length + FENCE);
    return memory;
}

static void check_same(const void *got, const void *expected, size_t length,
                       const char *what)
{
    ck_assert_msg(memcmp(got, expected, length + FENCE) == 0, "%s is wrong: %s", what,
                  where);
}

static void check_call(const call *c)
{
    const function *f = c->function;
    size_t gives = parts_here(c, f->gives), gets = parts_here(c, f->gets);
    size_t given = gives * c->bytes, got = gets * c->bytes;
    unsigned char *data = buffer(given), *kept = buffer(given);
    unsigned char *result = buffer(got), *expected = buffer(got);
    void *from = given ? data : NULL, *into = got ? result : NULL;
    bool in_place = c->in_place && given && got;
    par_error err;

    for (size_t i = 0; i < gives; i++)
        make_part(c, c->rank, (int)i, data + i * c->bytes);
    memcpy(kept, data, given);
    if (in_place && gives > gets) {
        into = data + (size_t)c->rank * c->bytes;
    } else if (in_place) {
        from = result + (gets > gives ? (size_t)c->rank * c->bytes : 0);
        memcpy(from, data, given);
        memcpy(expected, result, got);
    }
    expect(c, expected);

    err = f->run(c, from, into);
    ck_assert_msg(!err, "%s (%s): %s", par_strerror(err), par_error_detail(), where);
    if (in_place && gives > gets)
        memcpy(result, into, got);
    if (f->joins && f->exact && got) {
        drop_signs_of_zeros(c, result);
        drop_signs_of_zeros(c, expected);
    }
    check_same(result, expected, got, "the result");
    check_same(data, kept, given, "what was given");
    free(data);
    free(kept);
    free(result);
    free(expected);
}

static uint64_t seed(void)
{
    const char *text = getenv("CHECK_SEED");

    return text ? strtoull(text, NULL, 10) : 1;
}

/* Ranks dawdle before some of the calls, each before its own. */
static void check_calls(par_comm *comm, uint64_t draws, int count)
{
    uint64_t haste = draws + (uint64_t)me;

    signal(SIGALRM, say_where);
    alarm(PATIENCE);
    learn_shape(comm);
    for (int i = 0; i < count; i++) {
        call c = draw(comm, check_next(&draws));

        describe(&c, seed(), i);
        if (below(&haste, 8) == 0)
            usleep((unsigned)below(&haste, 300));
        check_call(&c);
    }
    alarm(0);
}

START_TEST(every_call_gives_every_rank_what_it_should)
{
    check_calls(world, 1000 * seed(), CALLS);
}
END_TEST

/* Each part makes calls of its own, at the same time as the others. */
START_TEST(calls_of_several_communicators_do_not_meet)
{
    uint64_t noise = 1000 * seed() + 1;
    int colors = 1 + ranks / 3, color = 0;
    par_comm *part;

    for (int rank = 0; rank <= me; rank++)
        color = (int)below(&noise, (size_t)colors);
    ck_ok(par_split(world, color, -me, &part));
    check_calls(part, 1000 * seed() + 2 + (uint64_t)color, CALLS / 3);
    ck_ok(par_comm_free(&part));
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, every_call_gives_every_rank_what_it_should);
    check_add(suite, calls_of_several_communicators_do_not_meet);
}

const check_program program = {.name = "random", .add = add};
