/* bench.c - measures one C contender, order by order.
 * SPDX-License-Identifier: MIT
 *
 *     mpirun -np 2 bench_raw_mpi SOCKET JOB
 *
 * The same file is linked with each contender. What measure.py does for those
 * in Python is meant to be the same, line for line.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "contender.h"
#include "control.h"

/* A prime, so that a payload shifted by any round number differs; and enough of
 * them that each of four ranks has another one for each. */
enum { PATTERN = 65521, PATTERNS = 16 };

static int rank, size;

/* What a measurement works on. */
typedef struct bench_work {
    unsigned char *out, *in;
    size_t bytes;   /* of one message */
    size_t count;   /* rounds of the loop */
    uint64_t token; /* of the ring */
} bench_work;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- payloads, outside the timed part ------------------------------------ */

/* The bytes that rank WHOSE sends, from some place on; or the pair of ranks WHOSE. */
static const unsigned char *pattern_of(int whose)
{
    static unsigned char patterns[PATTERNS][PATTERN];
    unsigned char *pattern = patterns[whose % PATTERNS];

    if (!pattern[0]) {
        uint32_t random = (uint32_t)whose + 1;

        for (size_t i = 0; i < PATTERN; i++) {
            random = random * 1664525 + 1013904223;
            pattern[i] = (unsigned char)(random >> 24 | 1); /* never a cleared byte */
        }
    }
    return pattern;
}

static void fill(unsigned char *data, size_t bytes, int whose)
{
    for (size_t at = 0; at < bytes; at += PATTERN)
        memcpy(data + at, pattern_of(whose), bytes - at < PATTERN ? bytes - at : PATTERN);
}

static bool is_from(const unsigned char *data, size_t bytes, int whose)
{
    for (size_t at = 0; at < bytes; at += PATTERN)
        if (memcmp(data + at, pattern_of(whose),
                   bytes - at < PATTERN ? bytes - at : PATTERN) != 0)
            return false;
    return true;
}

static int pair(int from, int to)
{
    return from * size + to;
}

static void fill_numbers(double *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        numbers[i] = (double)(i % 97) + rank;
}

static bool are_sums(const double *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (numbers[i] != (double)(i % 97) * size + size * (size - 1) / 2.0)
            return false;
    return true;
}

/* ---- what is measured ---------------------------------------------------- */

static void pingpong(bench_work *w, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rank == 0) {
            contender_send(w->out, w->bytes, 1);
            contender_receive(w->in, w->bytes, 1);
        } else {
            contender_receive(w->in, w->bytes, 0);
            contender_send(w->out, w->bytes, 0);
        }
    }
}

static bool pingpong_good(const bench_work *w)
{
    return is_from(w->in, w->bytes, 1 - rank);
}

static void rate(bench_work *w, size_t count)
{
    char answer = 0;

    for (size_t i = 0; i < count; i++) {
        if (rank == 0) {
            contender_send_window(w->out, w->bytes, 1);
            contender_receive(&answer, 1, 1);
        } else {
            contender_receive_window(w->in, w->bytes, 0);
            contender_send(&answer, 1, 0);
        }
    }
}

static bool rate_good(const bench_work *w)
{
    bool good = true;

    for (size_t i = 0; rank == 1 && i < CONTENDER_WINDOW; i++)
        good = good && is_from(w->in + i * w->bytes, w->bytes, 0);
    return good;
}

static void ring(bench_work *w, size_t count)
{
    int left = (rank + size - 1) % size, right = (rank + 1) % size;

    w->token = 0;
    for (size_t i = 0; i < count; i++) {
        if (rank != 0)
            contender_receive(&w->token, sizeof w->token, left);
        w->token++;
        contender_send(&w->token, sizeof w->token, right);
        if (rank == 0)
            contender_receive(&w->token, sizeof w->token, left);
    }
}

/* Every rank has added 1 in every lap; rank 0 sees a lap's end, the others are in
 * the midst of it. */
static bool ring_good(const bench_work *w)
{
    uint64_t hops = (uint64_t)size * w->count;

    return w->token == (rank == 0 ? hops : hops - (uint64_t)(size - rank - 1));
}

static void barrier(bench_work *w, size_t count)
{
    (void)w;
    for (size_t i = 0; i < count; i++)
        contender_barrier();
}

static bool barrier_good(const bench_work *w)
{
    (void)w;
    return true;
}

/* The roots take turns, so that no rank can run ahead of the others. */
static void broadcast(bench_work *w, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int root = (int)(i % (size_t)size);

        contender_broadcast(rank == root ? w->out : w->in, w->bytes, root);
    }
}

/* From the last root that was another rank. */
static bool broadcast_good(const bench_work *w)
{
    int root = (int)((w->count - 1) % (size_t)size);

    if (root == rank)
        root = (int)((w->count - 2) % (size_t)size);
    return is_from(w->in, w->bytes, root);
}

static void scatter(bench_work *w, size_t count)
{
    for (size_t i = 0; i < count; i++)
        contender_scatter(w->out, w->in, w->bytes, (int)(i % (size_t)size));
}

static bool scatter_good(const bench_work *w)
{
    return is_from(w->in, w->bytes, pair((int)((w->count - 1) % (size_t)size), rank));
}

static void gather(bench_work *w, size_t count)
{
    for (size_t i = 0; i < count; i++)
        contender_gather(w->out, w->bytes, w->in, (int)(i % (size_t)size));
}

static void allgather(bench_work *w, size_t count)
{
    for (size_t i = 0; i < count; i++)
        contender_allgather(w->out, w->bytes, w->in);
}

static bool gather_good(const bench_work *w)
{
    bool good = true;

    for (int source = 0; source < size; source++)
        good = good && is_from(w->in + (size_t)source * w->bytes, w->bytes, source);
    return good;
}

static void alltoall(bench_work *w, size_t count)
{
    for (size_t i = 0; i < count; i++)
        contender_alltoall(w->out, w->bytes, w->in);
}

static bool alltoall_good(const bench_work *w)
{
    bool good = true;

    for (int source = 0; source < size; source++)
        good = good &&
               is_from(w->in + (size_t)source * w->bytes, w->bytes, pair(source, rank));
    return good;
}

static void reduce(bench_work *w, size_t count)
{
    for (size_t i = 0; i < count; i++)
        contender_reduce((const double *)w->out, (double *)w->in,
                         w->bytes / sizeof(double), (int)(i % (size_t)size));
}

static void allreduce(bench_work *w, size_t count)
{
    for (size_t i = 0; i < count; i++)
        contender_allreduce((const double *)w->out, (double *)w->in,
                            w->bytes / sizeof(double));
}

static bool reduce_good(const bench_work *w)
{
    return are_sums((const double *)w->in, w->bytes / sizeof(double));
}

enum { EACH = 0 };

static const struct bench_case {
    const char *what;
    void (*loop)(bench_work *w, size_t count);
    bool (*good)(const bench_work *w);
    size_t outs, ins; /* messages that there is room for; EACH: one for each rank */
} cases[] = {
    {"pingpong", pingpong, pingpong_good, 1, 1},
    {"rate", rate, rate_good, 1, CONTENDER_WINDOW},
    {"ring", ring, ring_good, 1, 1},
    {"barrier", barrier, barrier_good, 1, 1},
    {"broadcast", broadcast, broadcast_good, 1, 1},
    {"scatter", scatter, scatter_good, EACH, 1},
    {"gather", gather, gather_good, 1, EACH},
    {"allgather", allgather, gather_good, 1, EACH},
    {"alltoall", alltoall, alltoall_good, EACH, EACH},
    {"reduce", reduce, reduce_good, 1, 1},
    {"allreduce", allreduce, reduce_good, 1, 1},
};

/* ---- how ----------------------------------------------------------------- */

/* Large memory in huge pages where the machine has them, for that is what NumPy
 * does: the contenders in both languages are to send from the same kind. */
static void *allocate(size_t bytes)
{
    const size_t large = (size_t)4 << 20, huge = (size_t)2 << 20;
    size_t page = bytes >= large ? huge : 4096;
    size_t whole = (bytes / page + 1) * page;
    void *memory = aligned_alloc(page, whole);

    if (!memory) {
        control_complain("no memory for %zu bytes", bytes);
        contender_abort();
    }
    if (page == huge)
        madvise(memory, whole, MADV_HUGEPAGE); /* if it cannot, small ones do */
    return memory;
}

static void fill_out(const struct bench_case *c, const bench_work *w)
{
    if (c->good == reduce_good)
        fill_numbers((double *)w->out, w->bytes / sizeof(double));
    else if (c->outs == EACH)
        for (int dest = 0; dest < size; dest++)
            fill(w->out + (size_t)dest * w->bytes, w->bytes, pair(rank, dest));
    else
        fill(w->out, w->bytes, rank);
}

static void measure(const struct bench_case *c, const control_order *order)
{
    size_t bytes = order->bytes, room = bytes * (c->ins == EACH ? (size_t)size : c->ins);
    bench_work w = {.out = allocate(bytes * (c->outs == EACH ? (size_t)size : c->outs)),
                    .in = allocate(room),
                    .bytes = bytes,
                    .count = order->count};
    double start, seconds;

    fill_out(c, &w);
    memset(w.in, 0, room);
    c->loop(&w, order->count / 4 + 1);
    memset(w.in, 0, room);
    contender_barrier();

    start = now();
    c->loop(&w, order->count);
    seconds = now() - start;

    /* Whoever still has to help a message on its way does so here. */
    contender_barrier();
    if (c->good(&w))
        control_answer(seconds);
    else
        control_complain("the payload of %s, %zu bytes, did not arrive intact",
                         order->what, order->bytes);
    free(w.out);
    free(w.in);
}

static void carry_out(const control_order *order)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(order->what, cases[i].what) == 0) {
            measure(&cases[i], order);
            return;
        }
    control_complain("what is \"%s\"?", order->what);
}

int main(int argc, char **argv)
{
    control_order order;

    contender_start(&argc, &argv);
    rank = contender_rank();
    size = contender_size();
    if (argc != 3 || !control_open(argv[1], argv[2], rank, contender_mpi())) {
        fprintf(stderr, "%s: no driver to take orders from: %s\n", argv[0],
                strerror(argc != 3 ? EINVAL : errno));
        contender_abort();
    }
    while (control_read(&order))
        carry_out(&order);
    contender_end();
    return EXIT_SUCCESS;
}
